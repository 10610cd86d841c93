//go:build servers

package servers

import (
	"maps"
	"testing"
)

// slapd 2.5.13: a replica that is a provider itself (syncprov), beside a provider with
// a log, loses what was added while it was away if something was deleted after that,
// and says that it has seen all. The stories of replicas go round this; when this test
// fails, they need not any more, and docs/directories/openldap.md says too much.
func TestSlapdReplicaLacksWhatItHasSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider, replica SlapdSync
		lacks             bool
	}{{SyncPlain, SyncPlain, false}, {SyncSessionLog, NoSync, false}, {SyncSessionLog, SyncPlain, true}, {SyncAccessLog, NoSync, false}, {SyncAccessLog, SyncPlain, true}} {
		one, two := StartSlapd(t, SlapdConfig{Sync: c.provider}), StartSlapd(t, SlapdConfig{Sync: c.replica, ServerID: 2, Replica: true})
		names := func(s *Slapd) map[string]bool {
			found, err := s.Search(lab, "sub", "(objectClass=organizationalUnit)", "1.1")
			must(t, err)
			out := map[string]bool{}
			for _, e := range found {
				out[e.DN] = true
			}
			return out
		}
		add := func(ou string) {
			must(t, one.Modify("dn: ou="+ou+","+lab+"\nobjectClass: organizationalUnit\nou: "+ou+"\n"))
		}
		must(t, two.FollowChanges(one))
		add("a")
		must(t, two.CaughtUp(one))
		must(t, two.StopFollowing())
		add("b")
		must(t, one.Modify("dn: ou=a,"+lab+"\nchangetype: delete\n"))
		add("c")
		must(t, two.FollowChanges(one))
		must(t, two.CaughtUp(one))
		if has := names(two); maps.Equal(has, names(one)) == c.lacks || c.lacks && has["ou=b,"+lab] {
			t.Errorf("provider %q, replica %q: the provider has %v, the replica %v", c.provider, c.replica, names(one), has)
		}
	}
}
