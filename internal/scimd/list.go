package scimd

import (
	"fmt"
	"regexp"
	"slices"
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
	text := c.Query.Get("filter")
	if text != "" {
		if c.has(FilterRefused) {
			return nil, refuse(400, "invalidFilter", "filters are not known")
		}
		var err *refusal
		if pass, err = parseFilter(text, scope{attributes: schemas[kind].attributes, schema: schemas[kind], caseful: c.has(FilterCaseful)}); err != nil {
			return nil, err
		}
	}
	var found []*stored
	for _, id := range s.tables[kind].order {
		r := s.tables[kind].byID[id]
		object := map[string]any(r.body)
		if computed.MatchString(text) {
			object = s.show(c, kind, r)
			if members := r.body["members"]; members != nil {
				object["members"] = members // what it does not write it knows all the same
			}
		}
		if pass(object) && !(c.has(FilterBlind) && text != "") && !(c.has(InactiveHidden) && r.body["active"] == false) || c.has(FilterIgnored) {
			found = append(found, r)
		}
	}
	if c.has(TwinGroups) && kind == Groups {
		for _, r := range slices.Clone(found) {
			found = append(found, &stored{id: r.id + "-twin", body: Resource{"displayName": r.body["displayName"]}})
		}
	}
	if c.has(SearchIsMissing) && text != "" && len(found) == 0 {
		return nil, refuse(404, "", "nothing was found")
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
	wanted := count
	count = min(max(count, 0), s.options.PageSize)
	if c.has(PageCap) || c.has(PageCapQuiet) {
		count = min(count, 50)
	}
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
	if c.has(Express5Paging) {
		start, count = 1, 20
	}
	if c.has(UnstableOrder) {
		found = slices.Concat(found[c.Number*7%max(len(found), 1):], found[:c.Number*7%max(len(found), 1)])
	}
	from := min(start-1, len(found))
	if c.has(FirstPageOnly) || c.has(PastEndFirst) && start > len(found) {
		from = 0
	}
	if c.has(OverlappingPages) && from > 0 {
		from--
	}
	part := found[from:min(from+count, len(found))]
	fields := map[string]any{"totalResults": len(found), "startIndex": start, "itemsPerPage": len(part)}
	if c.has(PageCapQuiet) {
		fields["itemsPerPage"] = wanted
	}
	if c.has(SparsePages) && from > 0 && len(part) > 0 {
		part = part[1:]
	}
	return s.listing(c, kind, part, c.count(fields, len(part))), nil
}

// count spoils what a page says of itself.
func (c *call) count(fields map[string]any, shown int) map[string]any {
	total := fields["totalResults"].(int)
	switch {
	case c.has(TotalMore):
		fields["totalResults"] = total + 1
	case c.has(TotalLess):
		fields["totalResults"] = max(total-1, 0)
	case c.has(TotalOfPage):
		fields["totalResults"] = shown
	case c.has(TotalMoving):
		fields["totalResults"] = total + c.Number
	case c.has(TotalMissing):
		delete(fields, "totalResults")
	case c.has(TotalText):
		for name, n := range fields {
			fields[name] = fmt.Sprint(n)
		}
	}
	return fields
}

func (s *Server) listing(c *call, kind Kind, part []*stored, out map[string]any) map[string]any {
	resources := []any{}
	for _, r := range part {
		shown := s.show(c, kind, r)
		s.project(c, shown)
		resources = append(resources, shown)
	}
	out["schemas"] = []any{listResponse}
	out["Resources"] = resources
	if c.has(NullResources) && len(part) == 0 {
		out["Resources"] = nil
		delete(out, "startIndex")
		delete(out, "itemsPerPage")
	}
	if c.has(WrongTypes) {
		out["Resources"] = map[string]any{"0": resources}
	}
	return out
}

// cursor is where a listing by cursor stands (RFC 9865).
type cursor struct {
	filter string
	after  int
	// total is what was found when the listing began.
	total int
}

// circle is a cursor that leads to itself.
const circle = "circle"

func (s *Server) cursorPage(c *call, kind Kind, found []*stored, count int) (map[string]any, *refusal) {
	at := cursor{filter: string(kind) + " " + c.Query.Get("filter"), total: len(found)}
	if given := c.Query.Get("cursor"); given != "" && given != circle {
		known, ok := s.cursors[given]
		switch {
		case c.has(CursorLost):
			return nil, refuse(400, "expiredCursor", "the cursor has expired")
		case !ok:
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
	if c.has(CursorCircle) {
		fields["nextCursor"] = circle
	}
	return s.listing(c, kind, part, fields), nil
}
