package state

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

var errKilled = errors.New("killed")

// killer fails one commit, the n-th from now.
type killer struct{ left int }

func (k *killer) before() error {
	if k.left == 0 {
		return nil
	}
	k.left--
	if k.left == 0 {
		return errKilled
	}
	return nil
}

// world is the model: what the directory was when it was last read, and what
// that must mean, worked out in the simplest way.
type world struct {
	*kit
	killer killer

	// seen is the last listing that counts.
	seen map[identity.ID]shown
	// ordinals never change.
	ordinals map[identity.ID]identity.Ordinal
	// gone has the first listing that did not show somebody; presumed those
	// whom a second one did not show.
	gone     map[identity.ID]time.Time
	presumed map[identity.ID]bool
	// removed are those who were removed after what was last taken in, as the log has
	// it; deleted are those of whom that was told.
	removed, deleted map[identity.ID]bool
	// settled is what each person was when their mark was last settled.
	settled map[identity.Ordinal]view
}

type shown struct {
	dn, title string
	kind      directory.Kind
	members   []string
}

// view is what a plan would see of a person.
type view struct {
	Person identity.Person
	Groups []string
}

func (w *world) listing() map[identity.ID]shown {
	out := map[identity.ID]shown{}
	for _, kind := range []directory.Kind{directory.Person, directory.Group} {
		for i := range 40 {
			id := identity.ID(fmt.Sprintf("%s%d", kind, i))
			if r, ok := w.src.Get(id); ok {
				s := shown{dn: identity.MustDN(r.DN).Key(), kind: r.Kind}
				if t := r.Attributes["title"]; len(t) > 0 {
					s.title = t[0]
				}
				for _, m := range r.Members {
					s.members = append(s.members, identity.MustDN(m).Key())
				}
				out[id] = s
			}
		}
	}
	return out
}

// counted takes the listing of this instant into the model.
func (w *world) counted(at time.Time, now map[identity.ID]shown) {
	for id, was := range w.seen {
		if _, ok := now[id]; !ok && was.kind == directory.Person && !w.deleted[id] {
			if w.gone[id].IsZero() {
				w.gone[id] = at
			}
		}
	}
	for id, first := range w.gone {
		if _, ok := now[id]; ok {
			delete(w.gone, id)
			delete(w.presumed, id)
		} else if !at.Before(first.Add(time.Minute)) && at.After(first) {
			w.presumed[id] = true
		}
	}
	for id := range now { // also who was told to be deleted, and whom no listing missed
		delete(w.deleted, id)
	}
	w.taken(now)
}

// taken: from here on the log is told.
func (w *world) taken(now map[identity.ID]shown) {
	w.seen = now
	clear(w.removed)
}

// naive says in which named groups a DN is.
func (w *world) naive(dn string) []string {
	var out []string
	for id, g := range w.seen {
		if g.kind == directory.Group && w.reaches(g, dn, map[string]bool{}) {
			out = append(out, string(id))
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) reaches(g shown, dn string, been map[string]bool) bool {
	if been[g.dn] {
		return false
	}
	been[g.dn] = true
	for _, m := range g.members {
		if m == dn {
			return true
		}
		for _, sub := range w.seen {
			if sub.kind == directory.Group && sub.dn == m && w.reaches(sub, dn, been) {
				return true
			}
		}
	}
	return false
}

// views are what a plan would see of everybody, in all groups.
func (w *world) views() map[identity.Ordinal]view {
	w.Helper()
	var named []identity.Ordinal
	ids := map[identity.Ordinal]string{}
	for id, g := range w.seen {
		if g.kind != directory.Group {
			continue
		}
		pins, err := w.s.Pins("corp", []string{g.dn})
		ok(w, err)
		if pins[0].Group.Valid() && pins[0].ID == id {
			named, ids[pins[0].Group] = append(named, pins[0].Group), string(id)
		}
	}
	members, err := w.s.Memberships(nil, named)
	ok(w, err)
	out := map[identity.Ordinal]view{}
	ok(w, w.s.EachPerson("corp", func(p identity.Person) error {
		v := view{Person: p}
		for _, m := range members[p.Ordinal] {
			v.Groups = append(v.Groups, ids[m.Group])
			if last := m.Path[len(m.Path)-1]; last.Group != m.Group {
				w.Fatalf("path %v does not end in %s", m.Path, m.Group)
			}
		}
		slices.Sort(v.Groups)
		if alone, err := w.s.Memberships([]identity.Ordinal{p.Ordinal}, named); err != nil || !reflect.DeepEqual(alone[p.Ordinal], members[p.Ordinal]) {
			w.Fatalf("%s alone: %v %v, among all %v", p.Ordinal, alone, err, members[p.Ordinal])
		}
		out[p.Ordinal] = v
		return nil
	}))
	return out
}

// agree holds after every step.
func (w *world) agree() {
	w.Helper()
	got := w.views()
	byID := map[identity.ID]view{}
	for o, v := range got {
		id := v.Person.Key.ID
		if was, known := w.ordinals[id]; known && was != o {
			w.Fatalf("%s was %s and is %s", id, was, o)
		}
		w.ordinals[id] = o
		byID[id] = v
	}
	for id, s := range w.seen {
		if s.kind != directory.Person {
			continue
		}
		v, ok := byID[id]
		switch {
		case !ok:
			w.Fatalf("%s was read and is not there", id)
		case v.Person.Standing != identity.Active || v.Person.DN.Key() != s.dn || v.Person.Attributes.First("title") != s.title:
			w.Fatalf("%s is %+v, was read as %+v", id, v.Person, s)
		}
		if want := w.naive(s.dn); !slices.Equal(v.Groups, want) {
			w.Fatalf("%s is in %v, must be in %v", id, v.Groups, want)
		}
	}
	for id, v := range byID {
		if _, here := w.seen[id]; here {
			continue
		}
		want := identity.Unknown
		switch {
		case w.deleted[id]:
			want = identity.Gone
		case w.presumed[id]:
			want = identity.PresumedGone
		}
		if v.Person.Standing != want {
			w.Fatalf("%s is %s (%s), must be %s", id, v.Person.Standing, v.Person.Why, want)
		}
	}
	// Law 7: whoever differs from when they were settled is dirty.
	for o, v := range got {
		if !reflect.DeepEqual(plain(v), plain(w.settled[o])) {
			if n, err := w.s.Sequence(o); err != nil || n == 0 {
				w.Fatalf("%s changed and is not dirty:\n was %+v\n now %+v (%v)", o, w.settled[o], v, err)
			}
		}
	}
}

// plain is what of a view matters, comparable.
func plain(v view) string {
	return fmt.Sprint(v.Person.Key, v.Person.DN, v.Person.Attributes.List(), v.Person.Standing, v.Person.Doubt, v.Groups)
}
