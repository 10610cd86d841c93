package scimd

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// route finds what answers a request.
func (s *Server) route(c *call) answer {
	k, id := c.kind, c.id
	switch k {
	case "ServiceProviderConfig", "Schemas", "ResourceTypes":
		if c.Method != http.MethodGet {
			return refuse(405, "", "only GET").answer()
		}
		return s.discover(c, string(k), id)
	case Users, Groups:
	default:
		return refuse(404, "", "there is no %s", c.Path).answer()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		switch c.Method {
		case http.MethodGet:
			return s.list(c, k)
		case http.MethodPost:
			return s.create(c, k)
		}
		return refuse(405, "", "only GET and POST").answer()
	}
	r := s.lookup(c, k, id)
	if r == nil && c.has(MissingIsError) {
		return refuse(500, "", "an internal error").answer()
	}
	if r == nil {
		return refuse(404, "", "there is no %s %s", k, id).answer()
	}
	if c.Method == http.MethodGet {
		return s.read(c, k, r)
	}
	if err := s.precondition(c, r); err != nil {
		return err.answer()
	}
	switch c.Method {
	case http.MethodPut:
		return s.put(c, k, r)
	case http.MethodPatch:
		return s.patch(c, k, r)
	case http.MethodDelete:
		return s.remove(c, k, r)
	}
	return refuse(405, "", "there is no %s", c.Method).answer()
}

func (s *Server) lookup(c *call, kind Kind, id string) *stored {
	if c.has(CaselessIDs) {
		id = strings.ToLower(id)
	}
	if c.has(WrongUser) && kind == Users && c.Method == http.MethodGet {
		for _, other := range s.tables[kind].order {
			if other != id {
				return s.tables[kind].find(other)
			}
		}
	}
	return s.tables[kind].find(id)
}

// precondition heeds If-Match (RFC 7644, 3.14).
func (s *Server) precondition(c *call, r *stored) *refusal {
	want := c.r.Header.Get("If-Match")
	if s.options.ETags && !c.has(ETagIsHash) && want != "" && want != "*" && want != r.etag() {
		return refuse(412, "", "the version is %s by now", r.etag())
	}
	return nil
}

func (s *Server) read(c *call, kind Kind, r *stored) answer {
	return s.withResource(200, c, kind, r)
}

// withResource answers with a resource.
func (s *Server) withResource(status int, c *call, kind Kind, r *stored) answer {
	out := s.show(c, kind, r)
	s.project(c, out)
	a := answer{status: status, body: out}
	if s.options.ETags {
		a.set("ETag", r.etag())
	}
	if status == 201 {
		a.set("Location", s.location(c, kind, r.id))
	}
	return a
}

// location is the address of a resource, its ID escaped.
func (s *Server) location(c *call, kind Kind, id string) string {
	path := s.options.Base + "/" + string(kind) + "/" + url.PathEscape(id)
	if c.has(LocationRelative) {
		return path
	}
	return "http://" + c.r.Host + path
}

// project heeds attributes and excludedAttributes (RFC 7644, 3.9).
func (s *Server) project(c *call, r Resource) {
	always := func(name string) bool { return strings.EqualFold(name, "id") || strings.EqualFold(name, "schemas") }
	asked := names(c.Query.Get("attributes"))
	for name := range r {
		if len(asked) > 0 && !always(name) && !slices.ContainsFunc(asked, func(a string) bool {
			return strings.EqualFold(a, name) || strings.HasPrefix(strings.ToLower(a), strings.ToLower(name)+".") || strings.HasPrefix(strings.ToLower(a), strings.ToLower(name)+":")
		}) {
			delete(r, name)
		}
	}
	for _, excluded := range names(c.Query.Get("excludedAttributes")) {
		for name := range r {
			if strings.EqualFold(name, excluded) && !always(name) {
				delete(r, name)
			}
		}
	}
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func (s *Server) create(c *call, kind Kind) answer {
	body, err := s.valid(c, kind, c.body, "")
	if err != nil {
		return err.answer()
	}
	if kind == Users && body["active"] == nil {
		// RFC 7643, 4.1.1 leaves the default to the server.
		body["active"] = true
	}
	if kind == Users && c.has(CreatedInactive) {
		body["active"] = false
	}
	c.store(body)
	s.writes++
	r := &stored{id: s.newID(kind, body), body: body, version: 1, created: s.now(), modified: s.now()}
	s.tables[kind].add(r)
	if kind == Users && s.names != nil {
		s.names[strings.ToLower(body.Text("userName"))] = r.id
	} else {
		s.moved()
	}
	return s.withResource(201, c, kind, r)
}

// valid checks a whole resource.
func (s *Server) valid(c *call, kind Kind, body map[string]any, id string) (Resource, *refusal) {
	of := schemas[kind]
	if list, ok := body["schemas"].([]any); !ok || !slices.ContainsFunc(list, func(u any) bool {
		urn, _ := u.(string)
		return strings.EqualFold(urn, of.core)
	}) {
		return nil, refuse(400, "invalidValue", "schemas must name %s", of.core)
	}
	out, err := of.accept(body)
	if err != nil {
		return nil, err
	}
	delete(out, "schemas")
	return out, s.consistent(c, kind, out, id)
}

// consistent checks what the schema alone does not.
func (s *Server) consistent(c *call, kind Kind, r Resource, id string) *refusal {
	for _, a := range schemas[kind].attributes {
		if a.required && strings.TrimSpace(r.Text(a.name)) == "" {
			return refuse(400, "invalidValue", "%s is required", a.name)
		}
		if list, ok := r[a.name].([]any); ok && primaries(list) > 1 {
			return refuse(400, "invalidValue", "%s: one value can be primary", a.name)
		}
	}
	if kind == Users {
		if err := s.conflict(c, r, id); err != nil {
			return err
		}
	}
	if c.has(MembersUnchecked) {
		return nil
	}
	for _, m := range r.Members() {
		if s.tables[Users].find(m) == nil && s.tables[Groups].find(m) == nil && !s.member(id, m) {
			return refuse(400, "invalidValue", "members: there is no %s", m)
		}
	}
	return nil
}

// member: the group has this member already, though it may have gone since.
func (s *Server) member(group, id string) bool {
	g := s.tables[Groups].find(group)
	return g != nil && slices.Contains(g.body.Members(), id)
}

func (s *Server) put(c *call, kind Kind, r *stored) answer {
	if c.has(PutMerges) {
		whole := map[string]any(clone(r.body))
		maps.Copy(whole, c.body)
		c.body = whole
	}
	body, err := s.valid(c, kind, c.body, r.id)
	if err == nil {
		err = c.guarded(r.body, body)
	}
	if err != nil {
		return err.answer()
	}
	if kind == Users && body["active"] == nil {
		body["active"] = true
	}
	s.keep(c, r, body)
	return s.withResource(200, c, kind, r)
}

func (s *Server) patch(c *call, kind Kind, r *stored) answer {
	operations, err := s.operations(c)
	if err != nil {
		return err.answer()
	}
	operations, instead := s.bend(c, r, operations)
	if instead != nil {
		return *instead
	}
	body := clone(r.body)
	if c.has(ConcurrentLoses) && kind == Groups {
		s.mu.Unlock()
		time.Sleep(overlap)
		s.mu.Lock()
	}
	for _, o := range operations {
		if err := s.apply(c, schemas[kind], body, o); err != nil {
			if c.has(PatchHalf) {
				s.keep(c, r, body)
			}
			return err.answer()
		}
	}
	err = s.consistent(c, kind, body, r.id)
	if err == nil {
		err = c.guarded(r.body, body)
	}
	if err != nil {
		return err.answer()
	}
	if c.has(ActiveBlanks) && wanted(operations, "active") != nil {
		body = Resource{"userName": body["userName"], "active": body["active"]}
	}
	s.keep(c, r, body)
	a := s.withResource(200, c, kind, r)
	if lie := wanted(c.asked, "active"); lie != nil && c.has(ActiveSaysOtherwise) {
		a.body.(Resource)["active"] = lie
	}
	return a
}

// overlap is for how long a change of a group may run into another.
const overlap = 20 * time.Millisecond

// keep stores what a resource has become. What changes nothing gets no version.
func (s *Server) keep(c *call, r *stored, body Resource) {
	c.store(body)
	if reflect.DeepEqual(r.body, body) {
		return
	}
	if c.has(ReadsLag) {
		r.before, r.lag = r.body, 2
	}
	s.writes++
	closed := r.body["active"] != false && body["active"] == false
	r.body, r.modified = body, s.now()
	r.version++
	s.moved()
	if c.kind == Users && c.has(InactiveIsGone) && closed {
		s.tables[Users].drop(r.id)
	}
	if c.kind == Users && c.has(NamesAreIDs) && body.Text("userName") != r.id {
		s.tables[Users].drop(r.id)
		r.id = body.Text("userName")
		s.tables[Users].add(r)
	}
}

// remove deletes, and takes a user out of all groups.
func (s *Server) remove(c *call, kind Kind, r *stored) answer {
	switch {
	case c.has(DeleteIgnored):
		return answer{status: 204}
	case c.has(DeleteIsDisable) && kind == Users:
		body := clone(r.body)
		body["active"] = false
		s.keep(c, r, body)
		return answer{status: 204}
	}
	s.writes++
	s.gone = append(s.gone, r.body.Text("userName"))
	s.tables[kind].drop(r.id)
	s.moved()
	if c.has(MembersDangle) {
		return answer{status: 204}
	}
	for _, g := range s.tables[Groups].byID {
		list, _ := g.body["members"].([]any)
		left := slices.DeleteFunc(list, func(m any) bool {
			object, ok := m.(map[string]any)
			return ok && object["value"] == r.id
		})
		if delete(g.body, "members"); len(left) > 0 {
			g.body["members"] = left
		}
		if len(left) != len(list) {
			g.version++
		}
	}
	return answer{status: 204}
}
