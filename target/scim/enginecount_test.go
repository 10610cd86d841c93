package scim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/scimd"
)

// groupWrites are the requests that changed groups.
func (s *service) groupWrites() (n int) {
	for _, r := range s.Requests() {
		if r.Write() && strings.HasPrefix(r.Path, "/Groups") {
			n++
		}
	}
	return n
}

// TestThousandMembersThroughTheEngine: however the engine cuts its batches, a thousand
// new members of a group are ten requests, and no other write.
func TestThousandMembersThroughTheEngine(t *testing.T) {
	h := newHostile(t, "")
	var logins []string
	for i := range 1000 {
		logins = append(logins, fmt.Sprintf("w%04d", i))
	}
	h.join(logins...)
	h.cycles(1, true)
	if n := h.writes[0]; n != 1000 {
		t.Fatalf("%d writes for 1000 accounts: %v", n, h.said)
	}
	h.writers(logins...)
	h.server.Forget()
	h.cycles(1, false)
	if all, of := h.server.Writes(), h.server.groupWrites(); all != 10 || of != 10 {
		t.Errorf("%d writes, %d of them to groups: %v", all, of, h.said)
	}
	if n := len(h.server.in("Writers")); n != strangers+1000 {
		t.Errorf("%d members", n)
	}
	h.server.Forget()
	h.cycles(1, true)
	if n := h.server.Writes(); n != 0 {
		t.Errorf("%d writes where nothing changed", n)
	}
}

// TestNotStoredAfterARestart: what a server does not keep is written anew by a new
// process, to no more accounts than it takes to see it, and not beyond.
func TestNotStoredAfterARestart(t *testing.T) {
	for _, modes := range [][]scimd.Mode{{scimd.NotStored}, {scimd.NotStored, scimd.NoBody}} {
		h := newHostile(t, modes[0])
		h.server.Turn(modes...)
		var logins []string
		for i := range 8 {
			logins = append(logins, fmt.Sprintf("p%d", i))
		}
		h.join(logins...)
		h.cycles(6, true)
		var counts []int
		for range 4 {
			moved := clock.NewFake(noon)
			t.Cleanup(moving(moved))
			w, err := newTarget(h.server.cfg, "wiki", moved)
			if err != nil {
				t.Fatal(err)
			}
			h.engine.Targets[0].Target = w
			h.server.Forget()
			h.cycles(3, true)
			n := 0
			for _, r := range h.server.Requests() {
				if r.Method == http.MethodPatch || r.Method == http.MethodPut {
					n++
				}
			}
			counts = append(counts, n)
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
		t.Log(modes, "writes in three cycles after each restart:", counts)
		for _, n := range counts {
			if n > 16 {
				t.Errorf("%v: %v writes after restarts, to 8 accounts", modes, counts)
				break
			}
		}
	}
}
