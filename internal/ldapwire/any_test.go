package ldapwire

import (
	"errors"
	"testing"
)

// One page is asked for, whatever there is, and the connection goes on.
func TestAnyAsksOnce(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		for n, want := range map[int]bool{1: true, 0: false} {
			s := newScripted(t, func(q *query) { q.pages(3, n) })
			c := dial(t, s.config(r))
			before := c.Requests()
			found, err := c.Any(t.Context(), all())
			if err != nil || found != want || c.Requests()-before != 1 || !c.Alive() {
				t.Errorf("of %d: %v, %v, %d requests, alive %v", n, found, err, c.Requests()-before, c.Alive())
			}
		}
		s := newScripted(t, func(q *query) { q.end(CodeInsufficientAccess) })
		if found, err := dial(t, s.config(r)).Any(t.Context(), all()); found || !errors.Is(err, ErrInsufficientAccess) {
			t.Errorf("refused: %v, %v", found, err)
		}
	})
}
