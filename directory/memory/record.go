package memory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Record is one entry as the source holds it: with everything, of which a read
// shows what the configuration asks for.
type Record struct {
	Kind directory.Kind
	// ID is made up when it is empty.
	ID identity.ID
	DN string
	// Attributes by name, in any case.
	Attributes map[string][]string
	// Members are of groups, by DN, and Logins by login name.
	Members, Logins []string
	// Disabled says that the server itself says so; Validity is what else it
	// says of when the account may be used.
	Disabled bool
	Validity identity.Validity
}

func (r Record) clone() Record {
	attributes := make(map[string][]string, len(r.Attributes))
	for name, values := range r.Attributes {
		attributes[strings.ToLower(name)] = slices.Clone(values)
	}
	r.Attributes = attributes
	r.Members, r.Logins = slices.Clone(r.Members), slices.Clone(r.Logins)
	return r
}

// Put takes a record; one with the same ID is replaced and keeps its place. It
// returns the ID. It panics if the DN is none, or the Kind is left out, since
// the caller wrote it.
func (s *Source) Put(r Record) identity.ID {
	identity.MustDN(r.DN)
	if r.Kind != directory.Person && r.Kind != directory.Group && r.Kind != directory.Container {
		panic("memory: a record without a kind: " + r.DN)
	}
	r = r.clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == "" {
		s.last++
		r.ID = identity.ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", s.last))
	}
	if i := s.index(r.ID); i >= 0 {
		s.records[i] = r
	} else {
		s.places[r.ID] = len(s.records)
		s.records = append(s.records, r)
	}
	s.happened(operation{id: r.ID})
	return r.ID
}

// Change lets the function edit a copy of a record, and puts that. It says
// whether there is one with the ID.
func (s *Source) Change(id identity.ID, edit func(*Record)) bool {
	r, ok := s.Get(id)
	if ok {
		edit(&r)
		r.ID = id
		s.Put(r)
	}
	return ok
}

// Get returns a copy of a record.
func (s *Source) Get(id identity.ID) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(id); i >= 0 {
		return s.records[i].clone(), true
	}
	return Record{}, false
}

// At returns the ID of the record at a DN, or "".
func (s *Source) At(dn string) identity.ID {
	want := identity.MustDN(dn)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		if identity.MustDN(r.DN).Equal(want) {
			return r.ID
		}
	}
	return ""
}

// Remove takes records away, as a deletion does. IDs that are not there are
// passed over.
func (s *Source) Remove(ids ...identity.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places = nil
	s.records = slices.DeleteFunc(s.records, func(r Record) bool {
		if !slices.Contains(ids, r.ID) {
			return false
		}
		s.happened(operation{id: r.ID, removed: true})
		return true
	})
}

// Edit changes the members of a group that are named by DN. Who follows is told of
// these and of nothing else.
func (s *Source) Edit(id identity.ID, gained, lost []string) {
	members := func(dns []string) (out []directory.Member) {
		for _, dn := range dns {
			out = append(out, directory.Member{DN: identity.MustDN(dn)})
		}
		return out
	}
	edit := &directory.Edit{Group: id, Gained: members(gained), Lost: members(lost)}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return
	}
	is := func(dn string, list []directory.Member) bool {
		return slices.ContainsFunc(list, func(m directory.Member) bool { return m.DN.Equal(identity.MustDN(dn)) })
	}
	r := s.records[i].clone()
	r.Members = slices.DeleteFunc(r.Members, func(dn string) bool { return is(dn, edit.Lost) || is(dn, edit.Gained) })
	r.Members = append(r.Members, gained...)
	s.records[i] = r
	s.happened(operation{id: id, edit: edit})
}

// Rename gives a record another DN, and with it everything below and every member
// that is named by a DN that changed, as servers do. Only of the record itself is it
// told to who follows. A member who is not there any more keeps its name: a server that
// changed that too would change the group.
func (s *Source) Rename(id identity.ID, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return
	}
	old, now := identity.MustDN(s.records[i].DN), identity.MustDN(to)
	renamed := func(text string) string {
		dn := identity.MustDN(text)
		switch {
		case dn.Equal(old):
			return to
		case dn.Within(old):
			return text[:len(text)-len(old.String())] + now.String()
		}
		return text
	}
	there := map[string]bool{}
	for _, r := range s.records {
		there[identity.MustDN(r.DN).Key()] = true
	}
	for i := range s.records {
		r := s.records[i].clone()
		r.DN = renamed(r.DN)
		for n, m := range r.Members {
			if there[identity.MustDN(m).Key()] {
				r.Members[n] = renamed(m)
			}
		}
		s.records[i] = r
	}
	s.happened(operation{id: id})
}

func (s *Source) index(id identity.ID) int {
	if s.places == nil {
		s.places = make(map[identity.ID]int, len(s.records))
		for i, r := range s.records {
			s.places[r.ID] = i
		}
	}
	if i, there := s.places[id]; there {
		return i
	}
	return -1
}

// entry shows a record as a read does, without the attributes that are lost.
func (s *Source) entry(r Record, lost []string) directory.Entry {
	gone := func(name string) bool {
		return slices.ContainsFunc(lost, func(l string) bool { return strings.EqualFold(l, name) })
	}
	if r.Kind == directory.Container {
		return directory.Entry{Kind: r.Kind, ID: r.ID, DN: identity.MustDN(r.DN)}
	}
	e := directory.Entry{Kind: r.Kind, ID: r.ID, DN: identity.MustDN(r.DN), Validity: r.Validity}
	if r.Disabled {
		e.Validity.ClosedBy = "disabled"
	}
	var list []identity.Attribute
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		if !gone(name) {
			list = append(list, identity.Attribute{Name: name, Values: slices.Clone(r.Attributes[name])})
		}
	}
	e.Attributes = identity.NewAttributes(s.coverage, list)
	e.Name = e.Attributes.First(s.cfg.Name)
	if r.Kind == directory.Person {
		e.Login, e.Mail = e.Attributes.First(s.cfg.Login), e.Attributes.First(s.cfg.Mail)
		if s.cfg.Key != "" {
			e.RehireKey = e.Attributes.First(s.cfg.Key)
		}
		return e
	}
	if !gone("member") {
		for _, m := range r.Members {
			e.Members = append(e.Members, directory.Member{DN: identity.MustDN(m)})
		}
	}
	if !gone("memberUid") {
		for _, l := range r.Logins {
			e.Members = append(e.Members, directory.Member{Login: l})
		}
	}
	return e
}

// Records are all there are, in the order in which they came.
func (s *Source) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Record, 0, len(s.records))
	for _, r := range s.records {
		out = append(out, r.clone())
	}
	return out
}
