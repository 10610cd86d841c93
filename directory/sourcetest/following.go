package sourcetest

import (
	"context"
	"errors"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// heard is a place for changes that knows what a listing showed, and keeps what it is
// told.
type heard struct {
	*Stage
	now  map[identity.ID]directory.Entry
	away map[identity.ID]bool
	fail error
}

func (h *heard) Put(entries []directory.Entry) error {
	for _, e := range entries {
		h.now[e.ID] = e
		delete(h.away, e.ID)
	}
	return h.fail
}

func (h *heard) Edit(edits []directory.Edit) error {
	for _, e := range edits {
		g := h.now[e.Group]
		var members []directory.Member
		for _, m := range g.Members {
			if !has(e.Lost, m) && !has(e.Gained, m) {
				members = append(members, m)
			}
		}
		g.Members = append(members, e.Gained...)
		h.now[e.Group] = g
	}
	return h.fail
}

func has(list []directory.Member, m directory.Member) bool {
	for _, x := range list {
		if x.DN.Key() == m.DN.Key() && x.Login == m.Login {
			return true
		}
	}
	return false
}

func (h *heard) Left(found []directory.Finding) error {
	for _, f := range found {
		h.away[f.ID] = true
	}
	return h.fail
}

func (h *heard) Gone(gone []directory.Gone) error {
	for _, g := range gone {
		h.away[g.ID] = true
	}
	return h.fail
}

func (h *heard) Lookup(ids []identity.ID) (out []directory.Known, _ error) {
	for _, id := range ids {
		if e, is := h.now[id]; is {
			out = append(out, directory.Known{Kind: e.Kind, ID: id, DN: e.DN})
		}
	}
	return out, nil
}

func (h *heard) that(fit func(directory.Entry) bool) (out []directory.Known, _ error) {
	for id, e := range h.now {
		if !h.away[id] && fit(e) {
			out = append(out, directory.Known{Kind: e.Kind, ID: id, DN: e.DN})
		}
	}
	return out, nil
}

func (h *heard) Below(container identity.DN) ([]directory.Known, error) {
	return h.that(func(e directory.Entry) bool { return e.DN.Within(container) && !e.DN.Equal(container) })
}

func (h *heard) Named(container identity.DN) (out []identity.DN, _ error) {
	seen := map[string]bool{}
	for id, e := range h.now {
		if !h.away[id] && e.DN.Within(container) && !e.DN.Equal(container) {
			seen[e.DN.Key()] = true
		}
	}
	for id, e := range h.now {
		for _, m := range e.Members {
			if key := m.DN.Key(); !h.away[id] && !seen[key] && m.DN.Within(container) && !m.DN.Equal(container) {
				seen[key] = true
				out = append(out, m.DN)
			}
		}
	}
	return out, nil
}

func (h *heard) Holding(members []identity.DN) ([]directory.Known, error) {
	return h.that(func(e directory.Entry) bool {
		for _, m := range members {
			if has(e.Members, directory.Member{DN: m}) {
				return true
			}
		}
		return false
	})
}

func (h *heard) Referring([]identity.DN) ([]directory.Known, error) { return nil, nil }

// following reads a source, and says from where it can be followed; false if it
// cannot.
func following(t *testing.T, w World, o Options) (directory.Follower, *heard, directory.Cursor, bool) {
	t.Helper()
	source := open(t, w, o)
	f, can := source.(directory.Follower)
	stage, p := Read(t, source)
	if !can || p.Cursor().IsZero() {
		return nil, nil, directory.Cursor{}, false
	}
	h := &heard{Stage: stage, now: map[identity.ID]directory.Entry{}, away: map[identity.ID]bool{}}
	for _, e := range stage.Entries() {
		h.now[e.ID] = e
	}
	return f, h, p.Cursor(), true
}

// never is for a follow that must not tell anything.
func never(t *testing.T) func() (directory.Changes, error) {
	return func() (directory.Changes, error) {
		t.Error("a place for changes was opened, and there is nothing to tell")
		return nil, errors.New("nothing to tell")
	}
}

func followsNothing(t *testing.T, w World) {
	addPerson(t, w, "writer1", People)
	f, _, since, can := following(t, w, Options{})
	if !can {
		return
	}
	for range 2 {
		p, err := f.Follow(t.Context(), since, nil, never(t))
		if err != nil || !p.Valid() || !p.Facts().Nothing || p.Facts().Cursor.IsZero() || p.Facts().Source != "corp" {
			t.Fatalf("nothing changed: %+v, %v", p.Facts(), err)
		}
		since = p.Facts().Cursor
	}
}

// followsWhatChanged tells who is there now, as a listing would, and does so again
// when it is asked again from the same place.
func followsWhatChanged(t *testing.T, w World) {
	one, two := addPerson(t, w, "writer1", People), addPerson(t, w, "writer2", People)
	addPerson(t, w, "writer3", People)
	g := addGroup(t, w, "writers", one, two)
	f, h, since, can := following(t, w, Options{Attributes: []string{"sn"}})
	if !can {
		return
	}
	must(t, w.Set(one, "sn", "changed"))
	must(t, w.Move(two, "uid=writer2,"+Elsewhere))
	addPerson(t, w, "writer4", People)
	must(t, w.Set(g, "member", one, "uid=writer4,"+People))
	var first directory.Followed
	for range 2 {
		p, err := f.Follow(t.Context(), since, nil, func() (directory.Changes, error) { return h, nil })
		must(t, err)
		if !p.Valid() || p.Facts().Nothing {
			t.Fatalf("something changed: %+v", p.Facts())
		}
		first = p
	}
	if _, err := f.Follow(t.Context(), first.Facts().Cursor, nil, func() (directory.Changes, error) { return h, nil }); err != nil {
		t.Errorf("from the new cursor: %v", err)
	}
	stage, _ := Read(t, open(t, w, Options{Attributes: []string{"sn"}}))
	there := 0
	for _, e := range h.now {
		if !h.away[e.ID] {
			there++
		}
	}
	for _, e := range stage.Entries() {
		is, known := h.now[e.ID]
		same := known && !h.away[e.ID] && is.DN.Equal(e.DN) && is.Attributes.First("sn") == e.Attributes.First("sn") && len(is.Members) == len(e.Members)
		for _, m := range e.Members {
			same = same && has(is.Members, m)
		}
		if !same {
			t.Errorf("followed is %+v, listed %+v", is, e)
		}
	}
	if n := len(stage.Entries()); there != n {
		t.Errorf("%d are there by what was told, and %d are listed", there, n)
	}
}

// followsNoForeignCursor: one that does not hold is lost, and tells nothing.
func followsNoForeignCursor(t *testing.T, w World) {
	addPerson(t, w, "writer1", People)
	f, _, since, can := following(t, w, Options{})
	if !can {
		return
	}
	for name, spoil := range map[string]func(*directory.Cursor){
		"another engine": func(c *directory.Cursor) { c.Engine = "none" },
		"another place":  func(c *directory.Cursor) { c.Like += "x" },
		"no token":       func(c *directory.Cursor) { c.Token = nil },
		"garbage":        func(c *directory.Cursor) { c.Token = []byte("\x00\xff{") },
	} {
		c := since
		spoil(&c)
		var lost *directory.LostError
		if p, err := f.Follow(t.Context(), c, nil, never(t)); !errors.As(err, &lost) || lost.Why == "" || p.Valid() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// followsOrFails: who gave up, who is not heard, and who does not see the canary,
// proves nothing.
func followsOrFails(t *testing.T, w World) {
	canary := addPerson(t, w, "canary", People)
	f, h, since, can := following(t, w, Options{Canaries: []string{canary}})
	if !can {
		return
	}
	addPerson(t, w, "writer1", People)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	tell := func() (directory.Changes, error) { return h, nil }
	if p, err := f.Follow(over, since, nil, tell); err == nil || p.Valid() {
		t.Errorf("cancelled: %v", err)
	}
	h.fail = errors.New("no space left")
	if p, err := f.Follow(t.Context(), since, nil, tell); !errors.Is(err, h.fail) || p.Valid() {
		t.Errorf("not heard: %v", err)
	}
	h.fail = nil
	must(t, w.Move(canary, "uid=canary,"+Elsewhere))
	if p, err := f.Follow(t.Context(), since, nil, tell); err == nil || p.Valid() {
		t.Errorf("without the canary: %v", err)
	}
}
