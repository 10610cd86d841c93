package servers

import (
	"io"
	"slices"
	"strings"
	"testing"
)

const lab = "dc=lab,dc=example"

func people(t *testing.T, s *Slapd) []string {
	t.Helper()
	found, err := s.Search(lab, "sub", "(objectClass=inetOrgPerson)", "uid", "entryUUID")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range found {
		list = append(list, e.Get("uid")[0]+" "+e.Get("entryUUID")[0])
	}
	slices.Sort(list)
	return list
}

func provider(t *testing.T, mode SlapdSync) *Slapd {
	t.Helper()
	return StartSlapd(t, SlapdConfig{Sync: mode, LDIF: []io.Reader{strings.NewReader("dn: ou=people," + lab + "\nobjectClass: organizationalUnit\nou: people\n\n" + person(1, lab) + person(2, lab))}})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSlapdTellsChanges(t *testing.T) {
	for _, mode := range []SlapdSync{SyncPlain, SyncSessionLog, SyncAccessLog} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := provider(t, mode)
			before, err := s.ContextCSN()
			if err != nil || len(before) != 1 {
				t.Fatalf("contextCSN %q, %v", before, err)
			}
			old, err := s.Backup()
			must(t, err)
			was := people(t, s)
			must(t, s.Modify("dn: uid=p1,ou=people,"+lab+"\nchangetype: delete\n\n"+person(3, lab)))
			after, err := s.ContextCSN()
			if err != nil || slices.Equal(before, after) || !covers(after, before) || covers(before, after) {
				t.Errorf("contextCSN %q, then %q, %v", before, after, err)
			}
			// The log of changes is there, and outlives a restart, in one mode alone.
			must(t, s.Restart())
			if _, err := s.Search("cn=accesslog", "sub", "(reqType=delete)", "reqDN"); (err == nil) != (mode == SyncAccessLog) {
				t.Errorf("the log: %v", err)
			}
			must(t, s.SetAccess(s.DefaultAccess()...))
			now := people(t, s)
			must(t, s.Rebuild(true))
			if got := people(t, s); !slices.Equal(got, now) {
				t.Errorf("rebuilt with its IDs: %q, was %q", got, now)
			}
			must(t, s.Rebuild(false))
			if got := people(t, s); len(got) != 2 || got[0] == now[0] || got[0][:3] != now[0][:3] {
				t.Errorf("rebuilt: %q, was %q", got, now)
			}
			must(t, s.Restore(old))
			if got := people(t, s); !slices.Equal(got, was) {
				t.Errorf("restored: %q, was %q", got, was)
			}
		})
	}
}

func TestSlapdReplicates(t *testing.T) {
	t.Parallel()
	a := provider(t, SyncSessionLog)
	b := StartSlapd(t, SlapdConfig{Sync: SyncSessionLog, ServerID: 2, Replica: true})
	must(t, b.FollowChanges(a))
	must(t, b.CaughtUp(a))
	if got, want := people(t, b), people(t, a); !slices.Equal(got, want) {
		t.Fatalf("the replica has %q, want %q", got, want)
	}
	must(t, b.StopFollowing())
	must(t, a.Modify(person(3, lab)))
	if got := people(t, b); len(got) != 2 {
		t.Errorf("a replica that stopped has %q", got)
	}
	must(t, b.FollowChanges(a))
	must(t, b.CaughtUp(a))
	// The other way too: a mirror.
	must(t, a.FollowChanges(b))
	must(t, b.Modify(person(4, lab)))
	must(t, a.CaughtUp(b))
	if got, want := people(t, a), people(t, b); len(got) != 4 || !slices.Equal(got, want) {
		t.Errorf("the mirror has %q and %q", got, want)
	}
	if csn, err := a.ContextCSN(); err != nil || len(csn) != 2 {
		t.Errorf("written on two servers, and seen are %q, %v", csn, err)
	}
}
