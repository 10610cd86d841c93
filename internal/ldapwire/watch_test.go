package ldapwire

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

// watch is a Watch in progress.
type watch struct {
	watching, moved chan struct{}
	ended           chan error
	stop            context.CancelFunc
}

func startWatch(t *testing.T, c *Conn, w Watching) *watch {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out := &watch{make(chan struct{}, 10), make(chan struct{}, 10000), make(chan error, 1), stop}
	go func() {
		out.ended <- c.Watch(ctx, w, func() { out.watching <- struct{}{} }, func() { out.moved <- struct{}{} })
	}()
	t.Cleanup(stop)
	return out
}

// wait takes one sign, or fails.
func wait[T any](t *testing.T, what string, signs chan T) (sign T) {
	t.Helper()
	select {
	case sign = <-signs:
	case <-time.After(10 * time.Second):
		t.Fatalf("no sign: %s", what)
	}
	return sign
}

func none[T any](t *testing.T, what string, signs chan T) {
	t.Helper()
	select {
	case s := <-signs:
		t.Errorf("%s: %v", what, s)
	case <-time.After(100 * time.Millisecond):
	}
}

// A watch is silent for longer than a server that owes an answer may be.
func TestWatchIsPatient(t *testing.T) {
	for _, kind := range []WatchKind{WatchSync, WatchNotification, WatchPersistent} {
		t.Run(kind.String(), func(t *testing.T) {
			tell := make(chan *query, 1)
			s := newScripted(t, func(q *query) { tell <- q })
			cfg := s.config(Fast)
			cfg.IdleTimeout, cfg.TotalTimeout = 150*time.Millisecond, 200*time.Millisecond
			c := dial(t, cfg)
			w := startWatch(t, c, Watching{Kind: kind, Base: "dc=x", Scope: ScopeSubtree, Cookie: []byte("c")})
			q := wait(t, "the search", tell)
			if kind == WatchSync {
				q.info(tagRefreshDelete, str("c"), yes)
			}
			wait(t, "watching", w.watching)
			time.Sleep(400 * time.Millisecond)
			if err := c.Delete(t.Context(), "dc=x"); !errors.Is(err, ErrBusyConn) {
				t.Errorf("meanwhile: %v", err)
			}
			q.send(envelope(q.id, entryOp("uid=1,dc=x"), stateControl(2, syncID(1))))
			wait(t, "the change", w.moved)
			none(t, "a second sign", w.moved)
			select {
			case err := <-w.ended:
				t.Fatalf("ended: %v", err)
			default:
			}
			w.stop()
			if err := wait(t, "the end", w.ended); !errors.Is(err, context.Canceled) || c.Alive() {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWatchEnds(t *testing.T) {
	sync := Watching{Kind: WatchSync, Base: "dc=x", Cookie: []byte("c")}
	for _, tc := range []struct {
		name  string
		serve func(*query)
		watch Watching
		is    error
	}{
		{"by the server", func(q *query) { q.info(tagRefreshDelete, yes); q.end(0, doneControl()) }, sync, ErrWatchEnded},
		{"not wanted", func(q *query) { q.end(CodeUnwilling) }, Watching{Kind: WatchNotification, Base: "dc=x"}, ErrUnwilling},
		{"not known", func(q *query) { q.end(CodeCriticalExtension) }, Watching{Kind: WatchPersistent, Base: "dc=x"}, ErrCriticalExtension},
		{"with the connection", func(q *query) { q.info(tagRefreshDelete, yes); q.Close() }, sync, io.EOF},
		{"no answer", func(*query) {}, sync, ErrIdle},
		{"refresh without end", func(q *query) { q.info(tagRefreshDelete, no) }, sync, ErrIdle},
		{"refresh required", func(q *query) { q.end(CodeRefreshRequired) }, sync, ErrRefreshRequired},
		{"foreign message", func(q *query) { q.send(envelope(q.id+1, entryOp("uid=1,dc=x"))) }, Watching{Kind: WatchPersistent, Base: "dc=x"}, ErrProtocol},
		{"information to a notification", func(q *query) { q.info(tagRefreshDelete, yes) }, Watching{Kind: WatchNotification, Base: "dc=x"}, ErrProtocol},
		{"no kind", func(*query) {}, Watching{Base: "dc=x"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tc.serve)
			cfg := s.config(Fast)
			if tc.is == ErrIdle {
				cfg.IdleTimeout = 200 * time.Millisecond
			}
			c := dial(t, cfg)
			w := startWatch(t, c, tc.watch)
			err := wait(t, "the end", w.ended)
			if err == nil || tc.is != nil && !errors.Is(err, tc.is) || tc.is != nil && c.Alive() {
				t.Errorf("%v", err)
			}
			if tc.is == ErrIdle || tc.is == ErrRefreshRequired {
				none(t, "said to be watching", w.watching)
			}
		})
	}
}

// With a cookie slapd sends nothing that was known, and then each change within
// the second; without a right to it the watch does not begin.
func TestSlapdWatch(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{people(50)}, Overlays: []string{"syncprov"},
		Users: []servers.User{{DN: "cn=sync,dc=lab,dc=example", Password: "sync", Limits: "size=unlimited time=unlimited", Access: "write"}}})
	c := dial(t, syncConfig(s))
	writer := dial(t, syncConfig(s))
	context, err := c.Base(t.Context(), s.Suffix, "contextCSN")
	if err != nil {
		t.Fatal(err)
	}
	w := startWatch(t, c, Watching{Kind: WatchSync, Base: "ou=people," + s.Suffix, Scope: ScopeSubtree, Cookie: []byte("rid=000,csn=" + context.First("contextCSN"))})
	wait(t, "watching", w.watching)
	none(t, "nothing changed", w.moved)
	for what, change := range map[string]func() error{
		"modify": func() error {
			return writer.Modify(t.Context(), "uid=writer3,ou=people,"+s.Suffix, []Change{{Verb: ReplaceValues, Name: "title", Values: []string{"editor"}}})
		},
		"delete": func() error { return writer.Delete(t.Context(), "uid=writer4,ou=people,"+s.Suffix) },
		"add": func() error {
			return writer.Add(t.Context(), "cn=new,ou=people,"+s.Suffix, []Values{{"objectClass", []string{"person"}}, {"cn", []string{"new"}}, {"sn", []string{"new"}}})
		},
		"rename": func() error {
			return writer.ModifyDN(t.Context(), "uid=writer5,ou=people,"+s.Suffix, "uid=renamed", true, "")
		},
	} {
		began := time.Now()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		wait(t, what, w.moved)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: after %v", what, took)
		}
		for len(w.moved) > 0 {
			<-w.moved
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, "the end", w.ended); err == nil {
		t.Error("no error")
	}
}
