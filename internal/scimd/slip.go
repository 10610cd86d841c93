package scimd

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// bend turns operations of a PATCH into what the modes make of them, or answers
// instead.
func (s *Server) bend(c *call, r *stored, list []operation) ([]operation, *answer) {
	c.asked = list
	done := func(status int) *answer { return &answer{status: status} }
	if c.has(PatchDoesNothing) && c.kind == Users || len(list) == 0 {
		return nil, done(http.StatusNoContent)
	}
	if c.has(PatchOneOp) {
		list = list[:1]
	}
	if c.has(ActiveIgnored) || c.has(ActiveByPutOnly) || c.has(ActiveSaysOtherwise) {
		list = dropped(list, "active")
	}
	if c.kind == Groups {
		return s.bendMembers(c, r, list)
	}
	return list, nil
}

// isMembers says whether the path of an operation is members, and has a filter.
func isMembers(o operation) (members, filtered bool) {
	name, _, filtered := strings.Cut(o.path, "[")
	return strings.EqualFold(name, "members"), filtered
}

func (s *Server) bendMembers(c *call, r *stored, list []operation) ([]operation, *answer) {
	if changes := countChanges(list); changes > 100 && c.has(ChangesCap) {
		a := refuse(400, "invalidValue", "%d changes of members; at most 100", changes).answer()
		return nil, &a
	}
	if c.has(ChangesCapQuiet) {
		list = firstChanges(list, 100)
	}
	if c.has(MultiRemoveShift) {
		list = s.shifted(r, list)
	}
	var out []operation
	for _, o := range list {
		members, filtered := isMembers(o)
		value, _ := o.value.(map[string]any)
		switch {
		case members && filtered && o.op == "remove" && c.has(FilteredRemoveRefused):
			a := refuse(400, "invalidPath", "path %q is not known", o.path).answer()
			return nil, &a
		case members && filtered && o.op == "remove" && c.has(FilteredRemoveNothing):
		case members && filtered && o.op == "remove" && c.has(FilteredRemoveWipes):
			out = append(out, operation{op: "remove", path: "members"})
		case members && !filtered && (o.op == "replace" || o.op == "remove" && o.value == nil) && c.has(ReplaceRefused):
			a := refuse(400, "invalidValue", "%s of all members is not supported", o.op).answer()
			return nil, &a
		case o.op == "add" && c.has(MembersIgnored) && (members || value["members"] != nil):
		case o.path == "" && o.op == "replace" && value["members"] == nil && c.has(NoPathEmpties):
			out = append(out, o, operation{op: "remove", path: "members"})
		default:
			out = append(out, o)
		}
	}
	return out, nil
}

// countChanges counts the members that operations name.
func countChanges(list []operation) int {
	n := 0
	for _, o := range list {
		if members, _ := isMembers(o); members {
			values, _ := o.value.([]any)
			n += max(len(values), 1)
		}
	}
	return n
}

func firstChanges(list []operation, limit int) []operation {
	var out []operation
	for _, o := range list {
		if values, ok := o.value.([]any); ok {
			o.value = values[:min(len(values), limit)]
			limit -= min(len(values), limit)
		} else {
			limit--
		}
		if limit >= 0 {
			out = append(out, o)
		}
	}
	return out
}

// shifted makes the removals of a PATCH what they are to a server that finds all
// their places before it removes the first.
func (s *Server) shifted(r *stored, list []operation) []operation {
	before := r.body.Members()
	left := slices.Clone(before)
	var out []operation
	for _, o := range list {
		members, filtered := isMembers(o)
		if !members || !filtered || o.op != "remove" {
			out = append(out, o)
			continue
		}
		at := slices.IndexFunc(before, func(id string) bool { return strings.Contains(o.path, strconv.Quote(id)) })
		if at < 0 || at >= len(left) {
			continue
		}
		out = append(out, operation{op: "remove", path: fmt.Sprintf("members[value eq %q]", left[at])})
		left = slices.Delete(left, at, at+1)
	}
	return out
}

// listed is what a remove of all members leaves: none, but where the server
// heeds the values of the operation.
func (c *call) listed(have []any, o operation) []any {
	values, ok := o.value.([]any)
	if !ok || !c.has(FilteredRemoveNothing) && !c.has(FilteredRemoveRefused) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(have), func(m any) bool {
		return slices.ContainsFunc(values, func(v any) bool { return same(m, v) })
	})
}

// conflict says whether a user may have the name and the other unique things.
func (s *Server) conflict(c *call, r Resource, id string) *refusal {
	name := r.Text("userName")
	taken := s.taken(name, id) && !c.has(CreateTwice)
	if c.has(NameKeptForEver) && slices.ContainsFunc(s.gone, func(g string) bool { return strings.EqualFold(g, name) }) {
		taken = true
	}
	if taken || id == "" && c.has(ConflictInvisible) {
		return refuse(409, "uniqueness", "there is a user %s", name)
	}
	if c.has(ExternalIDUnique) {
		for other, u := range s.tables[Users].byID {
			if e := r.Text("externalId"); other != id && e != "" && u.body.Text("externalId") == e {
				return refuse(409, "uniqueness", "there is a user with the externalId %s", e)
			}
		}
	}
	if c.has(EmailRequired) && r["emails"] == nil {
		return refuse(400, "invalidValue", "emails is required")
	}
	return nil
}

// guarded refuses changes that the server does not let anybody make, and undoes
// those that it ignores.
func (c *call) guarded(before, after Resource) *refusal {
	if c.kind != Users {
		return nil
	}
	switch {
	case c.has(RenameRefused) && before.Text("userName") != after.Text("userName"):
		return refuse(400, "mutability", "userName cannot be changed")
	case c.has(AttributeReadOnly) && before.Text("title") != after.Text("title"):
		return refuse(400, "mutability", "title cannot be changed")
	case c.has(EnableNeedsNewUser) && before["active"] == false && after["active"] == true:
		return refuse(403, "", "there is no seat left")
	case c.has(RenameIgnored):
		after["userName"] = before["userName"]
	}
	return nil
}

// store changes a body on its way into the store.
func (c *call) store(r Resource) {
	extension, _ := r[EnterpriseUser].(map[string]any)
	upper := func(in map[string]any, name string) {
		if v, ok := in[name].(string); ok {
			in[name] = strings.ToUpper(v)
		}
	}
	if c.has(ValueNormalised) && c.kind == Users {
		upper(r, "displayName")
		upper(extension, "department")
	}
	if c.has(NotStored) {
		delete(r, "title")
		delete(extension, "department")
	}
	if c.has(ExternalIDLost) {
		delete(r, "externalId")
	}
	if name, ok := r["userName"].(string); ok && c.has(NameLowered) {
		r["userName"] = strings.ToLower(name)
	}
}

// disguise changes a resource on its way out of the store.
func (c *call) disguise(kind Kind, r Resource) Resource {
	active := r["active"]
	switch {
	case active == nil:
	case c.has(ActiveAsText):
		r["active"] = map[bool]string{true: "True", false: "False"}[active == true]
	case c.has(ActiveMissing), c.has(ActiveMissingIfOff) && active == false:
		delete(r, "active")
	}
	if id, err := strconv.Atoi(fmt.Sprint(r["id"])); err == nil && c.has(NumbersAreIDs) {
		r["id"] = id
	}
	if members, ok := r["members"].([]any); ok {
		c.disguiseMembers(r, members)
	}
	if !c.has(AttributesInAnyCap) {
		return r
	}
	out := Resource{}
	for name, v := range r {
		if !strings.Contains(name, ":") {
			name = strings.ToUpper(name[:1]) + name[1:]
		}
		out[name] = v
	}
	return out
}

func (c *call) disguiseMembers(r Resource, members []any) {
	if c.has(MembersCut) {
		members = members[:min(20, len(members))]
	}
	for i, m := range members {
		object, ok := m.(map[string]any)
		if !ok {
			continue
		}
		id := fmt.Sprint(object["value"])
		if c.has(CaselessIDs) {
			object["value"] = strings.ToUpper(id)
		}
		if n, err := strconv.Atoi(id); err == nil && c.has(NumbersAreIDs) {
			object["value"] = n
		}
		if c.has(MembersAsTexts) {
			members[i] = id
		}
	}
	if r["members"] = members; c.has(MembersOmitted) {
		delete(r, "members")
	}
}
