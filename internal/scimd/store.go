package scimd

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stored is a resource with what the server knows of it.
type stored struct {
	id                string
	body              Resource
	version           int
	created, modified time.Time
	// before is what reads show that lag, and lag for how many of them.
	before Resource
	lag    int
}

// table is the resources of one kind, in the order of their making.
type table struct {
	byID  map[string]*stored
	order []string
}

func (t *table) find(id string) *stored { return t.byID[id] }

func (t *table) add(r *stored) {
	t.byID[r.id] = r
	t.order = append(t.order, r.id)
}

func (t *table) drop(id string) {
	delete(t.byID, id)
	t.order = slices.DeleteFunc(t.order, func(o string) bool { return o == id })
}

// Add puts a resource into the store past the protocol and returns its ID: the
// one that it names, or a new one.
func (s *Server) Add(kind Kind, r Resource) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := r["id"].(string)
	if id == "" {
		id = s.newID(kind, r)
	}
	s.tables[kind].add(&stored{id: id, body: clone(r), version: 1, created: s.now(), modified: s.now()})
	s.moved()
	return id
}

// Get is a resource as it is stored, and whether there is one.
func (s *Server) Get(kind Kind, id string) (Resource, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.tables[kind].find(id)
	if r == nil {
		return nil, false
	}
	return r.copy(), true
}

// All are the resources of a kind as they are stored, in the order of their
// making.
func (s *Server) All(kind Kind) []Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Resource
	for _, id := range s.tables[kind].order {
		out = append(out, s.tables[kind].byID[id].copy())
	}
	return out
}

// User finds a user by the name, in any case.
func (s *Server) User(name string) (Resource, bool) {
	for _, r := range s.All(Users) {
		if strings.EqualFold(r.Text("userName"), name) {
			return r, true
		}
	}
	return nil, false
}

// Group finds the first group of a name.
func (s *Server) Group(name string) (Resource, bool) {
	for _, r := range s.All(Groups) {
		if r.Text("displayName") == name {
			return r, true
		}
	}
	return nil, false
}

// Change lets a test change a resource past the protocol.
func (s *Server) Change(kind Kind, id string, change func(Resource)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.tables[kind].find(id)
	if r == nil {
		return false
	}
	change(r.body)
	s.moved()
	r.version++
	r.modified = s.now()
	return true
}

// Drop removes a resource past the protocol; members that name it stay, as they
// do where somebody deletes in a database.
func (s *Server) Drop(kind Kind, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[kind].drop(id)
	s.moved()
}

func (r *stored) copy() Resource {
	out := clone(r.body)
	out["id"] = r.id
	return out
}

// newID makes the next ID. Numbers make tests readable, and a prefix keeps a
// user's from being a group's.
func (s *Server) newID(kind Kind, r Resource) string {
	s.serial++
	switch {
	case s.modes[OddIDs] != nil:
		return fmt.Sprintf(`%c/"%d" ?é#%%2F\`, kind[0], s.serial)
	case s.modes[NamesAreIDs] != nil && kind == Users:
		return r.Text("userName")
	case s.modes[NumbersAreIDs] != nil:
		return strconv.Itoa(s.serial)
	}
	return strings.ToLower(string(kind[:1])) + "-" + strconv.Itoa(s.serial)
}

// moved forgets what was counted from the store.
func (s *Server) moved() { s.names, s.memberships = nil, nil }

// taken says whether another user has the name.
func (s *Server) taken(name, except string) bool {
	if s.names == nil {
		s.names = map[string]string{}
		for id, u := range s.tables[Users].byID {
			s.names[strings.ToLower(u.body.Text("userName"))] = id
		}
	}
	id, found := s.names[strings.ToLower(name)]
	return found && id != except
}

// show is a resource as an answer has it.
func (s *Server) show(c *call, kind Kind, r *stored) Resource {
	out := r.copy()
	if r.lag > 0 && c.Method == http.MethodGet {
		r.lag--
		out = clone(r.before)
		out["id"] = r.id
	}
	of := schemas[kind]
	urns := []any{of.core}
	for urn := range of.extensions {
		if out[urn] != nil {
			urns = append(urns, urn)
		}
	}
	out["schemas"] = urns
	for _, a := range of.attributes {
		if a.writeOnly {
			delete(out, a.name)
		}
	}
	meta := map[string]any{
		"resourceType": of.resource, "location": s.location(c, kind, r.id),
		"created": r.created.UTC().Format(time.RFC3339), "lastModified": r.modified.UTC().Format(time.RFC3339),
	}
	if s.options.ETags {
		meta["version"] = r.etag()
	}
	out["meta"] = meta
	if kind == Users {
		if groups := s.groupsOf(r.id); len(groups) > 0 {
			out["groups"] = groups
		}
	}
	return c.disguise(kind, out)
}

func (r *stored) etag() string { return fmt.Sprintf(`W/"%d"`, r.version) }

// groupsOf are the groups of a user, which the server keeps counted.
func (s *Server) groupsOf(id string) []any {
	if s.memberships == nil {
		s.memberships = map[string][]any{}
		for _, g := range s.tables[Groups].order {
			group := s.tables[Groups].byID[g]
			for _, m := range group.body.Members() {
				s.memberships[m] = append(s.memberships[m], map[string]any{"value": g, "display": group.body.Text("displayName"), "type": "direct"})
			}
		}
	}
	return s.memberships[id]
}
