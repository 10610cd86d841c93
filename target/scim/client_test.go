package scim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a target that talks to a handler, with a clock that stands.
func at(t *testing.T, h http.Handler, edit ...func(*Config)) (*Target, *clock.Fake) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	cfg := Config{URL: server.URL, Token: tokenFile(t, testToken), IdleTimeout: span.Duration(5 * time.Second)}
	for _, e := range edit {
		e(&cfg)
	}
	now := clock.NewFake(noon)
	made, err := newTarget(cfg, "wiki", now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.Close() }) //nolint:errcheck // it cannot fail
	return made, now
}

func wantClass(t *testing.T, err error, class target.Class, words ...string) {
	t.Helper()
	if err == nil || target.ClassOf(err) != class {
		t.Fatalf("error %v of class %v, want class %v", err, target.ClassOf(err), class)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %q", err, w)
		}
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), testToken) {
		t.Errorf("the token is shown: %v", err)
	}
}

// TestRetryAfter: every form in which a server asks for patience.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        time.Duration
		asked       bool
	}{
		{"Retry-After", "7", 7 * time.Second, true},
		{"Retry-After", " 1.5 ", 1500 * time.Millisecond, true},
		{"Retry-After", "0", 0, true},
		{"Retry-After", noon.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, true},
		{"Retry-After", noon.Add(-time.Hour).Format(http.TimeFormat), 0, false},
		{"Retry-After", "-5", 0, false},
		{"Retry-After", "soon", 0, false},
		{"Retry-After", "NaN", 0, false},
		{"Retry-After", "1e300", time.Hour, true},
		{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", time.Hour, true},
		{"X-Retry-After", "3", 3 * time.Second, true},
		{"Retry-After-Ms", "250", 250 * time.Millisecond, true},
		{"X-RateLimit-Reset", "30", 30 * time.Second, true},
		{"X-RateLimit-Reset", fmt.Sprint(noon.Add(40 * time.Second).Unix()), 40 * time.Second, true},
		{"X-RateLimit-Reset", fmt.Sprint(noon.Add(-40 * time.Second).Unix()), 0, false},
		{"RateLimit-Reset", "2", 2 * time.Second, true},
		{"X-Nothing", "2", 0, false},
	} {
		h := http.Header{}
		h.Set(c.name, c.value)
		if got, asked := retryAfter(h, noon); got != c.want || asked != c.asked {
			t.Errorf("%s: %s is %v, %v; want %v, %v", c.name, c.value, got, asked, c.want, c.asked)
		}
	}
}

// TestPatience: whoever is told to wait waits, all of them, and no request is
// lost by it; what takes too long is left to later, without another request.
func TestPatience(t *testing.T) {
	var requests, wait atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if d := wait.Swap(0); d > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(d))
			w.WriteHeader(429)
			return
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(201)
			fmt.Fprint(w, `{"id":"1","userName":"writer1"}`)
			return
		}
		fmt.Fprint(w, `{"totalResults":0,"Resources":[]}`)
	})
	target1, now := at(t, h)
	if _, err := target1.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	requests.Store(0)
	wait.Store(60)
	done := make(chan error)
	go func() {
		_, err := target1.Create(t.Context(), "writer1", nil, "")
		done <- err
	}()
	until := now.Waited()
	if want := noon.Add(60 * time.Second); !until.Equal(want) {
		t.Fatalf("it waits until %v, want %v", until, want)
	}
	if requests.Load() != 1 {
		t.Fatalf("%d requests", requests.Load())
	}
	now.Set(until)
	if err := <-done; err != nil || requests.Load() != 2 {
		t.Fatalf("%v after %d requests", err, requests.Load())
	}
	wait.Store(600)
	_, err := target1.Create(t.Context(), "writer1", nil, "")
	wantClass(t, err, target.Transient, "left alone for 10m0s")
	before := requests.Load()
	_, err = target1.Look(t.Context(), target.Scope{}, []target.Query{{ID: "1"}})
	wantClass(t, err, target.Transient, "left alone")
	if requests.Load() != before {
		t.Error("a server that wants to be left alone was asked")
	}
	now.Set(now.Now().Add(601 * time.Second))
	if _, err := target1.Create(t.Context(), "writer1", nil, ""); err != nil {
		t.Error(err)
	}
}

// TestCancelledWhileWaiting: nothing was sent, so nothing is in doubt.
func TestCancelledWhileWaiting(t *testing.T) {
	target1, now := at(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(429)
	}))
	target1.learned = &server{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := target1.Create(ctx, "writer1", nil, "")
		done <- err
	}()
	now.Waited()
	cancel()
	err := <-done
	wantClass(t, err, target.Transient)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestRedirects: a token goes where the configuration says, and nowhere else.
func TestRedirects(t *testing.T) {
	var stolen atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stolen.Add(1)
	}))
	defer other.Close()
	for _, c := range []struct {
		name, to string
		write    bool
		works    bool
	}{
		{"another server", other.URL + "/Users", false, false},
		{"another server, a write", other.URL + "/Users", true, false},
		{"the same server", "/moved", false, true},
		{"the same server, a write", "/moved", true, false},
		{"in circles", "/Users", false, false},
		{"nowhere", "", false, false},
		{"no address", "://", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/moved" {
					fmt.Fprint(w, `{"totalResults":1,"Resources":[{"id":"1","userName":"writer1"}]}`)
					return
				}
				w.Header().Set("Location", c.to)
				w.WriteHeader(307)
			}))
			w.learned = &server{}
			if c.write {
				_, err := w.Create(t.Context(), "writer1", nil, "")
				wantClass(t, err, target.Denied, "sends the request on")
			} else {
				l, err := target.Collect(t.Context(), w, target.Scope{})
				if c.works != (err == nil) || c.works && len(l.Accounts()) != 1 {
					t.Fatalf("%v, %d accounts", err, len(l.Accounts()))
				}
				if !c.works {
					wantClass(t, err, target.Denied, "sends the request on")
				}
			}
		})
	}
	if stolen.Load() != 0 {
		t.Errorf("%d requests reached another server", stolen.Load())
	}
}

// TestDoubt: a write without an answer is in doubt once it has left, and never
// before; reads are tried again and never in doubt.
func TestDoubt(t *testing.T) {
	cut := func(w http.ResponseWriter) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		c.Close()
	}
	ref := target.Ref{ID: "1", Name: "writer1"}
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		write  target.Class
	}{
		{"cut", func(w http.ResponseWriter, _ *http.Request) { cut(w) }, target.InDoubt},
		{"cut in the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"id":"1`)
		}, target.InDoubt},
		{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, target.InDoubt},
		{"504", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(504) }, target.InDoubt},
		{"400", func(w http.ResponseWriter, _ *http.Request) { tell(w, 400, "invalidValue", "no") }, target.Refused},
		{"401", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, target.Denied},
		{"403", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, target.Denied},
		{"a page for people", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(404)
			fmt.Fprint(w, "<html>Not here, "+testToken)
		}, target.Denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			var writes atomic.Int64
			w, now := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/Users/") {
					fmt.Fprint(w, `{"id":"1","userName":"writer1","title":"old"}`)
					return
				}
				if r.Method != http.MethodGet {
					writes.Add(1)
				}
				c.answer(w, r)
			}))
			w.learned = &server{}
			stop := moving(now)
			defer stop()
			_, err := w.Create(t.Context(), "writer1", nil, "")
			wantClass(t, err, c.write)
			if writes.Load() != 1 {
				t.Errorf("a create was sent %d times", writes.Load())
			}
			err = w.Update(t.Context(), ref, []target.Value{{Name: "title", Values: []string{"new"}}})
			want := c.write
			switch c.name {
			case "500", "504": // it was looked at: it was not done
				want = target.Transient
			case "a page for people": // the account is there: this is no address for PATCH
				want = target.Transient
			}
			wantClass(t, err, want)
			if _, err := target.Collect(t.Context(), w, target.Scope{}); err == nil || target.ClassOf(err) == target.InDoubt {
				t.Errorf("a listing: %v", err)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := "http://" + l.Addr().String()
		l.Close()
		w, now := at(t, http.NotFoundHandler(), func(c *Config) { c.URL = address })
		w.learned = &server{}
		defer moving(now)()
		_, err = w.Create(t.Context(), "writer1", nil, "")
		wantClass(t, err, target.Transient, "connection refused")
	})
	t.Run("silent", func(t *testing.T) {
		release := make(chan struct{})
		w, now := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-release }), func(c *Config) { c.IdleTimeout = span.Duration(50 * time.Millisecond) })
		t.Cleanup(func() { close(release) })
		w.learned = &server{}
		defer moving(now)()
		_, err := w.Create(t.Context(), "writer1", nil, "")
		wantClass(t, err, target.InDoubt, "silent")
		_, err = w.Look(t.Context(), target.Scope{}, []target.Query{{ID: "1"}})
		wantClass(t, err, target.Transient, "silent")
	})
	t.Run("a certificate that nobody trusts", func(t *testing.T) {
		server := httptest.NewTLSServer(http.NotFoundHandler())
		defer server.Close()
		server.Config.ErrorLog = nil
		w, _ := at(t, http.NotFoundHandler(), func(c *Config) { c.URL = server.URL })
		_, err := w.Create(t.Context(), "writer1", nil, "")
		wantClass(t, err, target.Denied, "certificate")
	})
}

// moving moves a clock on whenever somebody waits.
func moving(now *clock.Fake) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			now.Set(now.Now().Add(time.Second))
			time.Sleep(time.Millisecond)
		}
	}()
	return func() { cancel(); <-done }
}
