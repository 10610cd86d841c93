//go:build servers

package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

var (
	stayers = []string{"stayer1", "stayer2", "stayer3", "stayer4", "stayer5", "stayer6"}
	movers  = []string{"late", "gone", "former", "leaver", "ungrouped", "grouped"}
)

// begins makes the directory, and lets rosterd know it: late is closed.
func (w *twin) begins(first corpServer, then func()) {
	w.t.Helper()
	w.must(first, w.corp.founding(append(append([]string{}, stayers...), movers...), []string{"stayer1", "stayer2", "ungrouped", "leaver"}),
		w.corp.set("late", w.corp.closing))
	then()
	w.reads(first)
	w.runs(0, "sync")
	w.quiet()
	w.have("at first", map[string]string{"late": "", "gone": "active", "former": "active", "ungrouped": "active Writers", "grouped": "active"})
}

// changes is what the old copy lacks: somebody is deleted, one closed and one
// opened, one comes, one goes from the group and one comes into it.
func (w *twin) changes(first corpServer) map[string]string {
	w.t.Helper()
	w.must(first, w.corp.delete("gone"), w.corp.set("former", w.corp.closing), w.corp.set("late", w.corp.opening), w.corp.person("joiner"),
		w.corp.member("delete", "ungrouped"), w.corp.member("add", "grouped"))
	w.settles()
	w.quiet()
	good := map[string]string{"gone": "disabled", "former": "disabled", "late": "active", "joiner": "active", "ungrouped": "active", "grouped": "active Writers",
		"leaver": "active Writers", "stayer1": "active Writers"}
	w.have("after the changes", good)
	return good
}

// refused asks in every way whether a server that has seen less is believed: nothing
// in the wiki may move, not by one octet.
func (w *twin) refused(when string) {
	w.t.Helper()
	before, err := os.ReadFile(w.wiki())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, args := range [][]string{{"sync"}, {"sync", "--full"}, {"plan", "--full"}, {"sync", "--full"}, {"sync"}} {
		out, errs := w.runs(1, args...)
		if text := out + errs; !strings.Contains(text, "behind") || !strings.Contains(text, "--accept-older") {
			w.t.Errorf("%s: no word of why:\n%s", when, text)
		}
		if args[0] == "plan" {
			time.Sleep(1100 * time.Millisecond) // vanish_after
		}
	}
	after, err := os.ReadFile(w.wiki())
	if err != nil {
		w.t.Fatal(err)
	}
	if string(before) != string(after) {
		w.t.Errorf("law 13: %s: the wiki was\n%s\nand is\n%s", when, before, after)
	}
}

// replica is a second server that gets what the first has only when it is told to,
// and the first what was written to the second.
type replica struct {
	first, second corpServer
	// fall leaves the second behind; fill brings it everything, and refill the first.
	fall, fill, refill func() error
}

// behind is the story of a second URL that is behind, whole cycles of it.
func (w *twin) behind(r replica) {
	w.t.Helper()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.begins(r.first, func() { must(r.fill()) })
	must(r.fall())
	good := w.changes(r.first)

	// The first one is gone: the second is complete, and wrong.
	must(r.first.Kill())
	w.reads(r.first, r.second)
	w.refused("the first URL is gone")
	w.reads(r.second, r.first)
	w.refused("the second URL alone answers")

	// It is there again, in the second place, and is read in the place of the other.
	must(r.first.Start())
	w.must(r.first, w.corp.delete("leaver"), w.corp.person("joiner2"))
	w.settles()
	w.quiet()
	good["leaver"], good["joiner2"] = "disabled", "active"
	w.have("the first one is back", good)

	// The second one has caught up, and is believed alone, changes of its own too.
	must(r.fill())
	must(r.first.Kill())
	w.runs(0, "sync")
	w.quiet()
	w.have("the second one has caught up", good)
	w.must(r.second, w.corp.delete("grouped"), w.corp.person("joiner3"), w.corp.set("former", w.corp.opening))
	w.settles()
	w.quiet()
	good["grouped"], good["joiner3"], good["former"] = "disabled", "active", "active"
	w.have("by the second one", good)

	// Now the first one lacks that. The second is stopped in good order: after a crash
	// slapd says less than it has seen until its next change.
	must(r.second.Stop())
	must(r.first.Start())
	w.reads(r.first, r.second)
	w.refused("the first one is behind")
	must(r.second.Start())
	must(r.refill())
	w.settles()
	w.quiet()
	w.have("at last", good)
}

// putBack is the story of one server whose data are put back by a copy, and of the
// same when the copy was a mistake. Further is what is done to the old copy then.
func (w *twin) putBack(s corpServer, further func() error) {
	w.t.Helper()
	copied := func() string {
		w.t.Helper()
		at, err := s.Backup()
		if err != nil {
			w.t.Fatal(err)
		}
		return at
	}
	place := func(at string) {
		w.t.Helper()
		if err := s.Restore(at); err != nil {
			w.t.Fatal(err)
		}
	}
	w.begins(s, func() {})
	old := copied()
	good := w.changes(s)
	now := copied()
	place(old)
	w.refused("an old copy was put back")
	if further != nil {
		if err := further(); err != nil {
			w.t.Fatal(err)
		}
		w.refused("an old copy was put back as it should be")
	}
	place(now)
	w.must(s, w.corp.delete("leaver"), w.corp.person("joiner2"))
	w.settles()
	w.quiet()
	good["leaver"], good["joiner2"] = "disabled", "active"
	w.have("the right copy is there", good)
}

func TestSlapdReplicaBehind(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"syncrepl", "timestamp", "full"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			// Without a log of the provider: with one the replica would lose some of what it
			// missed (TestSlapdReplicaLacksWhatItHasSeen).
			first := servers.StartSlapd(t, servers.SlapdConfig{Sync: servers.SyncPlain})
			second := servers.StartSlapd(t, servers.SlapdConfig{Sync: servers.SyncPlain, ServerID: 2, Replica: true})
			following := false
			follow := func() error {
				if !following {
					following = true
					return second.FollowChanges(first)
				}
				return nil
			}
			newTwin(t, openLDAPFlavor, engine, first.CACert, second.CACert).behind(replica{first: first, second: second,
				fall: func() error { following = false; return second.StopFollowing() },
				fill: func() error {
					if err := follow(); err != nil {
						return err
					}
					return second.CaughtUp(first)
				},
				refill: func() error {
					if err := first.FollowChanges(second); err != nil {
						return err
					}
					return first.CaughtUp(second)
				}})
		})
	}
}

func TestSlapdPutBack(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"syncrepl", "timestamp"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := servers.StartSlapd(t, servers.SlapdConfig{Sync: servers.SyncAccessLog})
			newTwin(t, openLDAPFlavor, engine, s.CACert).putBack(s, nil)
		})
	}
}

// Two controllers of one domain.
func TestSambaReplicaBehind(t *testing.T) {
	t.Parallel()
	for user, engine := range map[string]string{"sync": "dirsync", "reader": "usn"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			first, second := servers.StartSambaPair(t, servers.SambaConfig{})
			corp := domainFlavor
			corp.bind = user + "@lab.example"
			newTwin(t, corp, engine, first.CACert, second.CACert).behind(replica{first: first, second: second,
				fall:   func() error { return nil },
				fill:   func() error { return second.Pull(first) },
				refill: func() error { return first.Pull(second) }})
		})
	}
}

func TestSambaPutBack(t *testing.T) {
	t.Parallel()
	for user, engine := range map[string]string{"sync": "dirsync", "deleted": "usn"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := servers.StartSamba(t, servers.SambaConfig{})
			corp := domainFlavor
			corp.bind = user + "@lab.example"
			// As a snapshot of a virtual machine is, and as a backup of the domain.
			newTwin(t, corp, engine, s.CACert).putBack(s, func() error { return s.NewInvocation("11111111-2222-4333-8444-555555555555") })
		})
	}
}

// Two suppliers that feed each other.
func TestDirsrvReplicaBehind(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"syncrepl", "timestamp"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			first := servers.StartDirsrv(t, servers.DirsrvConfig{Plugins: []servers.DirsrvPlugin{servers.ContentSync}})
			second := servers.StartDirsrv(t, servers.DirsrvConfig{Plugins: []servers.DirsrvPlugin{servers.ContentSync}})
			w := newTwin(t, dirsrvFlavor, engine, first.CACert, second.CACert)
			filled := false
			newReplica := func() error {
				filled = true
				if err := errors.Join(first.Supply(1), second.Supply(2)); err != nil {
					return err
				}
				for _, s := range []*servers.Dirsrv{first, second} {
					if err := s.SetACI("cn=mapping tree,cn=config", seenIsShown); err != nil {
						return err
					}
				}
				return errors.Join(first.Feed(second), second.FeedBack(first))
			}
			w.behind(replica{first: first, second: second,
				fall: func() error { return first.Feeding(second, false) },
				fill: func() error {
					if !filled {
						return newReplica()
					}
					if err := first.Feeding(second, true); err != nil {
						return err
					}
					return second.CaughtUp(first)
				},
				refill: func() error { return first.CaughtUp(second) }})
		})
	}
}

// seenIsShown lets who reads see what a supplier has seen, as the page says.
const seenIsShown = `(targetattr = "nsds50ruv || nsUniqueId || objectClass || cn")(targetfilter = "(objectClass=nsds5Replica)")` +
	`(version 3.0; acl "what was seen"; allow (read, search, compare) userdn = "ldap:///cn=sync,dc=lab,dc=example";)`

func TestDirsrvPutBack(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"syncrepl", "timestamp"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := servers.StartDirsrv(t, servers.DirsrvConfig{Plugins: []servers.DirsrvPlugin{servers.ContentSync}})
			newTwin(t, dirsrvFlavor, engine, s.CACert).putBack(s, nil)
		})
	}
}
