package ldapwire

import (
	"errors"
	"testing"
)

// A filter that is none is told in our words, sends nothing and leaves the
// connection as it was.
func TestAFilterThatIsNone(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.pages(1, 3) })
		c := dial(t, s.config(r))
		before, req := c.Requests(), all()
		req.Filter = "(uid=a"
		_, _, err := c.Collect(t.Context(), req)
		var hint interface{ Hint() string }
		if err == nil || !errors.As(err, &hint) || hint.Hint() == "" || IsTransient(err) || c.Requests() != before || !c.Alive() {
			t.Errorf("%v; %d requests; alive: %v", err, c.Requests()-before, c.Alive())
		}
		if recs, _, err := c.Collect(t.Context(), all()); err != nil || len(recs) != 3 {
			t.Errorf("after it: %d entries, %v", len(recs), err)
		}
	})
}
