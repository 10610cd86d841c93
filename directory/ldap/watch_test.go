package ldap_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// watched is a Watch in progress.
type watched struct {
	how   chan string
	moved chan struct{}
	ended chan error
	stop  context.CancelFunc
}

func startWatch(t *testing.T, s *ldap.Source) *watched {
	ctx, stop := context.WithCancel(t.Context())
	w := &watched{make(chan string, 10), make(chan struct{}, 1000), make(chan error, 1), stop}
	go func() { w.ended <- s.Watch(ctx, func(how string) { w.how <- how }, func() { w.moved <- struct{}{} }) }()
	t.Cleanup(stop)
	return w
}

func await[T any](t *testing.T, what string, c chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("no sign of %s", what)
	}
	return v
}

// People and groups below one suffix are one search, which tells of both; the end
// of the server is the end of the watch, and so is that of its context.
func TestWatchOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Overlays: []string{"syncprov"}})
	w.crowd(3, people)
	member := w.person("writer", people)
	w.group("writers", member)
	s := w.open(func(c *ldap.Config) { c.Push = true })
	if !s.Watches() || w.open(nil).Watches() {
		t.Error("push is not what the file says")
	}
	watch := startWatch(t, s)
	if how := await(t, "the watch", watch.how); how != "refreshAndPersist (RFC 4533) at "+w.slapd.TLSURL() {
		t.Errorf("by %s", how)
	}
	select {
	case <-watch.moved:
		t.Error("what was there is told as a change")
	case <-time.After(200 * time.Millisecond):
	}
	w.must(w.Set(member, "title", "editor"))
	await(t, "a person", watch.moved)
	w.group("editors", member)
	await(t, "a group", watch.moved)
	w.must(w.Delete(member))
	await(t, "a deletion", watch.moved)
	watch.stop()
	if err := await(t, "the end", watch.ended); !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("%v", err)
	}
	again := startWatch(t, s)
	await(t, "the watch", again.how)
	w.must(w.slapd.Stop())
	if err := await(t, "the end", again.ended); err == nil || len(again.how) != 0 {
		t.Errorf("%v", err)
	}
}

// Where nothing can be watched it is said what to do, by check too.
func TestWhatCannotBeWatchedOnSlapd(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  servers.SlapdConfig
		says string
		hint string
	}{
		"without syncprov": {servers.SlapdConfig{}, "offers no way", "leave push out"},
		"contextCSN hidden": {servers.SlapdConfig{Overlays: []string{"syncprov"}, Access: []string{
			"to attrs=userPassword by anonymous auth by * none", `to dn.base="` + suffix + `" attrs=contextCSN by * none`, "to * by * read"}},
			"contextCSN", "the right to read contextCSN"},
	} {
		t.Run(name, func(t *testing.T) {
			w := slapdWorld(t, c.cfg)
			w.crowd(3, people)
			s := w.open(func(c *ldap.Config) { c.Push = true })
			watch := startWatch(t, s)
			if err := await(t, "the end", watch.ended); !strings.Contains(err.Error(), c.says) || !strings.Contains(hintOf(t, err), c.hint) {
				t.Errorf("%v (%s)", err, hintOf(t, err))
			}
			report, err := s.Check(t.Context())
			w.must(err)
			found := false
			for _, n := range report.Notes {
				found = found || strings.HasPrefix(n.Text, "push: ") && strings.Contains(n.Text, c.says) && strings.Contains(n.Hint, c.hint)
			}
			if !found {
				t.Errorf("check says %+v", report.Notes)
			}
		})
	}
}

// Bases in two databases are two searches, and one end.
func TestWatchOfTwoDatabasesOnSlapd(t *testing.T) {
	const branch = "dc=branch,dc=example"
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncAccessLog, Overlay: []string{
		"database mdb", `suffix "` + branch + `"`, "directory " + t.TempDir(), `rootdn "` + admin + `"`, "access to * by * read", "overlay syncprov"}})
	w.crowd(3, people)
	w.must(w.Add(branch, map[string][]string{"objectClass": {"domain"}, "dc": {"branch"}}))
	s := w.open(func(c *ldap.Config) { c.Push, c.People.Bases = true, []string{people, branch} })
	watch := startWatch(t, s)
	await(t, "the watch", watch.how)
	if len(watch.how) != 0 {
		t.Error("said to have begun twice")
	}
	for _, base := range []string{people, branch} {
		for len(watch.moved) > 0 {
			<-watch.moved
		}
		w.must(w.Add("ou=new,"+base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"new"}}))
		await(t, base, watch.moved)
	}
	w.must(w.slapd.Stop())
	await(t, "the end", watch.ended)
}

// told makes a change and waits for the sign of it.
func told(t *testing.T, w *watched, what string, change func()) {
	t.Helper()
	for len(w.moved) > 0 {
		<-w.moved
	}
	began := time.Now()
	change()
	select {
	case <-w.moved:
		t.Logf("%s: told after %v", what, time.Since(began).Round(time.Millisecond))
	case err := <-w.ended:
		t.Fatalf("%s: the watch ended: %v", what, err)
	case <-time.After(20 * time.Second):
		t.Errorf("%s is not told", what)
	}
}

func TestWatchOfADomain(t *testing.T) { domainTells(t, embedded(t, "deleted", nil)) }

// domainTells: a domain controller tells of all that changes below its root; of who was
// deleted only whoever may see deleted objects.
func domainTells(t *testing.T, f *forest) {
	t.Helper()
	one := f.person("Writer One", adPeople)
	writers := f.group("Writers")
	// There from the beginning: who comes and goes at once may be told of by neither.
	leaver := f.person("Writer Three", adPeople)
	watch := startWatch(t, f.open(func(c *ldap.Config) { c.Push = true }))
	if how := await(t, "the watch", watch.how); !strings.HasPrefix(how, "change notification at ldaps://") {
		t.Errorf("by %s", how)
	}
	// The server does not say when it has begun to watch: until then changes are not
	// told.
	for i, begun := 0, false; !begun && i < 40; i++ {
		f.set(one, "title", fmt.Sprintf("Editor %d", i))
		select {
		case <-watch.moved:
			begun = true
		case <-time.After(500 * time.Millisecond):
		}
	}
	told(t, watch, "a change", func() { f.set(one, "title", "Editor") })
	told(t, watch, "a member", func() { f.set(writers, "member", one) })
	told(t, watch, "a joiner", func() { f.person("Writer Two", adPeople) })
	told(t, watch, "a deletion", func() { f.delete(leaver) })
}
