package scim

import (
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestMadeClosed: an account is open after it was made, also where the server makes
// closed ones.
func TestMadeClosed(t *testing.T) {
	s := serve(t, scimd.Options{})
	s.Turn(scimd.CreatedInactive)
	if _, err := s.open(t).Create(t.Context(), "writer1", nil, ""); err != nil {
		t.Fatal(err)
	}
	if u, _ := s.User("writer1"); u["active"] != true {
		t.Error(u)
	}
	s.Turn(scimd.EnableNeedsNewUser)
	if _, err := s.open(t).Create(t.Context(), "writer2", nil, ""); target.ClassOf(err) != target.InDoubt {
		t.Errorf("it stays closed: %v", err)
	}
}

// TestDeleteWithIfMatch: a server that takes no change without a version deletes.
func TestDeleteWithIfMatch(t *testing.T) {
	s := serve(t, scimd.Options{ETags: true})
	s.Turn(scimd.NeedsIfMatch)
	id := s.Add(scimd.Users, scimd.Resource{"userName": "writer1"})
	if err := s.open(t).Delete(t.Context(), target.Ref{ID: target.NativeID(id), Name: "writer1"}); err != nil {
		t.Fatal(err)
	}
	if s.All(scimd.Users) != nil {
		t.Error("it is there still")
	}
}

// TestAsManyAsThePage: who counts only the page has not listed all, and says so.
func TestLaw1AsManyAsThePage(t *testing.T) {
	s := serve(t, scimd.Options{PageSize: 5})
	for range 12 {
		s.Add(scimd.Users, scimd.Resource{"userName": string(rune('a' + len(s.All(scimd.Users))))})
	}
	w := s.open(t)
	if l, err := target.Collect(t.Context(), w, target.Scope{}); err != nil || len(l.Accounts()) != 12 {
		t.Fatal(err)
	}
	s.Turn(scimd.TotalOfPage)
	if l, err := target.Collect(t.Context(), w, target.Scope{}); err == nil {
		t.Errorf("%d accounts are called all", len(l.Accounts()))
	}
	s.TurnOff(scimd.TotalOfPage)
	s.Turn(scimd.PastEndFirst)
	if _, err := target.Collect(t.Context(), w, target.Scope{}); err != nil {
		t.Error(err)
	}
}
