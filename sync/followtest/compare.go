package followtest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// same compares what is known with a fresh listing into an empty state: the same
// people and groups, with the same names, attributes, account state and members, and
// everybody in the same groups. The containers that there are must be known, and some
// may be that are empty now.
func (s *story) same() {
	s.t.Helper()
	source, err := s.world.Listing()
	s.must(err)
	store, err := state.Open(filepath.Join(s.t.TempDir(), "fresh.db"), state.Options{Now: s.traits.Now})
	s.must(err)
	defer store.Close()
	fresh := s.cycles(store, rostersync.Source{Source: source, VanishAfter: vanishAfter, MaxRekey: 5})
	r, err := fresh.Cycle(context.Background(), rostersync.Request{Verb: "sync", Full: true})
	s.must(err)
	if err := r.Reads[0].Err; err != nil {
		s.t.Fatalf("a fresh listing: %v", err)
	}
	known, is := s.entries(s.engine.Store), s.entries(store)
	if len(is) == 0 {
		s.t.Fatal("the directory is empty")
	}
	wrong := 0
	for _, id := range slices.Sorted(maps.Keys(union(known, is))) {
		if known[id] == is[id] || is[id] == "" && strings.HasPrefix(id, directory.Container.String()) {
			continue
		}
		if wrong++; wrong <= 5 {
			a, b := apart(is[id], known[id])
			s.t.Errorf("%s\nis    %s\nknown %s\nread by %s", id, a, b, s.went())
		}
	}
	if wrong > 5 {
		s.t.Errorf("and %d more entries differ", wrong-5)
	}
}

// apart leaves what two texts have in common out, but for the name in front.
func apart(a, b string) (string, string) {
	if a == "" || b == "" {
		return cmp.Or(a, "not there"), cmp.Or(b, "not there")
	}
	from := 0
	for from < min(len(a), len(b)) && a[from] == b[from] {
		from++
	}
	if from = strings.LastIndexByte(a[:from], '=') + 1; from > 0 {
		from = strings.LastIndexByte(a[:from], ' ') + 1
	}
	cut := func(text string) string {
		name, _, _ := strings.Cut(text, " ")
		return name + " … " + text[from:]
	}
	return cut(a), cut(b)
}

func union(a, b map[string]string) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// entries is everything of a snapshot, by kind and ID, in one text each.
func (s *story) entries(store *state.Store) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	ids := map[identity.Ordinal]string{}
	var people, groups []identity.Ordinal
	s.must(store.EachPresent("corp", func(p state.Present) error {
		e := p.Entry
		key := e.Kind.String() + " " + string(e.ID)
		if _, twice := out[key]; twice {
			return fmt.Errorf("%s is there twice", key)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s login=%q mail=%q name=%q key=%q %+v", e.DN, e.Login, e.Mail, e.Name, e.RehireKey, e.Validity)
		for _, name := range e.Attributes.Coverage().Names() {
			values, presence := e.Attributes.Get(name)
			fmt.Fprintf(&b, " %s(%d)=%q", name, presence, slices.Sorted(slices.Values(values)))
		}
		fmt.Fprintf(&b, " members=%q", p.Members)
		out[key] = b.String()
		ids[p.Ordinal] = string(e.ID)
		switch e.Kind {
		case directory.Person:
			people = append(people, p.Ordinal)
		case directory.Group:
			groups = append(groups, p.Ordinal)
		}
		return nil
	}))
	in, err := store.Memberships(people, groups)
	s.must(err)
	for who, list := range in {
		var paths []string
		for _, m := range list {
			path := ids[m.Group] + ":"
			// Of equally short ways one is taken, by ordinals, which differ between
			// two states: their length is what can be compared.
			paths = append(paths, fmt.Sprintf("%s%d", path, len(m.Path)))
		}
		slices.Sort(paths)
		out[directory.Person.String()+" "+ids[who]] += " in " + strings.Join(paths, " ")
	}
	return out
}
