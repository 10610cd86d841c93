package scim

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestOneGroupByNameAndByID: a group that is two entitlements is given by the one and
// taken by the other. It is told: nothing is read, so nothing is taken.
func TestOneGroupByNameAndByID(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers", "Readers")
	ref := s.many(1)[0]
	id := s.enter("Writers", object1(ref.ID))
	scope := target.Scope{Entitlements: []string{"Readers", "Writers", byIDPrefix + id}}
	w := s.open(t)
	_, err := w.Look(t.Context(), scope, []target.Query{{ID: ref.ID}})
	_, err2 := target.Collect(t.Context(), w, scope)
	for _, err := range []error{err, err2} {
		if target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), `"Writers" and "id:`+id+`" are one group`) {
			t.Error(err)
		}
	}
	notes, err := w.Check(t.Context(), scope)
	told := false
	for _, n := range notes {
		told = told || n.Broken && strings.Contains(n.Text, "are one group")
	}
	if err != nil || !told {
		t.Errorf("check: %+v, %v", notes, err)
	}
	called, err := w.Called(t.Context(), []string{"Writers", byIDPrefix + id, "Readers", "Nowhere"})
	if err != nil || len(called) != 3 || called["Writers"] != called[byIDPrefix+id] || called["Writers"] == called["Readers"] {
		t.Errorf("called %q, %v", called, err)
	}
	other := target.Scope{Entitlements: []string{"Readers", byIDPrefix + id}}
	if o, err := w.Look(t.Context(), other, []target.Query{{ID: ref.ID}}); err != nil || len(o[0].Accounts[0].Entitlements) != 1 {
		t.Errorf("one name each: %+v, %v", o, err)
	}
}
