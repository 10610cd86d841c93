package scimd

import (
	"fmt"
	"regexp"
	"strconv"
)

// list answers a query of a kind (RFC 7644, 3.4.2).
func (s *Server) list(c *call, kind Kind) answer {
	found, err := s.matching(c, kind)
	if err != nil {
		return err.answer()
	}
	page, err := s.page(c, kind, found)
	if err != nil {
		return err.answer()
	}
	return answer{status: 200, body: page}
}

// computed finds filters over what is not in the store as it stands.
var computed = regexp.MustCompile(`(?i)\b(id|meta|groups|schemas)\b`)

// matching are the resources that pass the filter of a query.
func (s *Server) matching(c *call, kind Kind) ([]*stored, *refusal) {
	pass := filter(func(map[string]any) bool { return true })
	if text := c.Query.Get("filter"); text != "" {
		var err *refusal
		if pass, err = parseFilter(text, scope{attributes: schemas[kind].attributes, schema: schemas[kind]}); err != nil {
			return nil, err
		}
	}
	var found []*stored
	for _, id := range s.tables[kind].order {
		r := s.tables[kind].byID[id]
		object := map[string]any(r.body)
		if computed.MatchString(c.Query.Get("filter")) {
			object = s.show(kind, r)
		}
		if pass(object) {
			found = append(found, r)
		}
	}
	return found, nil
}

// number reads a number of a query.
func number(c *call, name string, missing int) (int, *refusal) {
	text := c.Query.Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, refuse(400, "invalidValue", "%s is a number, not %q", name, text)
	}
	return n, nil
}

// page cuts one page out of what was found.
func (s *Server) page(c *call, kind Kind, found []*stored) (map[string]any, *refusal) {
	count, err := number(c, "count", s.options.PageSize)
	if err != nil {
		return nil, err
	}
	count = min(max(count, 0), s.options.PageSize)
	_, asked := c.Query["cursor"]
	switch {
	case asked && s.options.Paging != "" && s.options.Paging != "index", s.options.Paging == "cursor":
		return s.cursorPage(c, kind, found, count)
	}
	// A server that does not know cursors ignores the parameter.
	start, err := number(c, "startIndex", 1)
	if err != nil {
		return nil, err
	}
	start = max(start, 1)
	from := min(start-1, len(found))
	part := found[from:min(from+count, len(found))]
	return s.listing(c, kind, part, map[string]any{"totalResults": len(found), "startIndex": start, "itemsPerPage": len(part)}), nil
}

func (s *Server) listing(c *call, kind Kind, part []*stored, out map[string]any) map[string]any {
	resources := []any{}
	for _, r := range part {
		shown := s.show(kind, r)
		s.project(c, shown)
		resources = append(resources, shown)
	}
	out["schemas"] = []any{listResponse}
	out["Resources"] = resources
	return out
}

// cursor is where a listing by cursor stands (RFC 9865).
type cursor struct {
	filter string
	after  int
	// total is what was found when the listing began.
	total int
}

func (s *Server) cursorPage(c *call, kind Kind, found []*stored, count int) (map[string]any, *refusal) {
	at := cursor{filter: string(kind) + " " + c.Query.Get("filter"), total: len(found)}
	if given := c.Query.Get("cursor"); given != "" {
		known, ok := s.cursors[given]
		if !ok {
			return nil, refuse(400, "invalidCursor", "the cursor is not known")
		}
		if known.filter != at.filter {
			return nil, refuse(400, "invalidCursor", "the cursor is of another query")
		}
		at = known
	}
	from := min(at.after, len(found))
	part := found[from:min(from+count, len(found))]
	fields := map[string]any{"totalResults": len(found), "itemsPerPage": len(part)}
	if next := from + len(part); next < len(found) && len(part) > 0 {
		at.after = next
		name := fmt.Sprintf("c%d", len(s.cursors)+1)
		s.cursors[name] = at
		fields["nextCursor"] = name
	}
	return s.listing(c, kind, part, fields), nil
}
