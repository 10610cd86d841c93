package scim

import (
	"slices"
	"strings"
)

// form is a way to write to an account.
type form uint8

const (
	// byPath is a PATCH with a path for each attribute.
	byPath form = iota + 1
	// noPath is a PATCH with one value that has all attributes.
	noPath
	// whole is a PUT of all that was read.
	whole
	// byPathString is a PATCH of active as a text, wholeString a PUT.
	byPathString
	wholeString
)

// rungs are the forms that a server may take, the one that worked last first.
type rungs struct {
	update, active []form
}

func firstRungs(d Profile) rungs {
	var r rungs
	switch d.Update {
	case updatePatch:
		r.update = []form{byPath}
	case updateNoPath:
		r.update = []form{noPath}
	case updatePut:
		r.update = []form{whole}
	default:
		r.update = []form{byPath, noPath, whole}
	}
	put := d.Update == updatePut
	switch {
	case d.Active == activeString && put:
		r.active = []form{wholeString}
	case d.Active == activeString:
		r.active = []form{byPathString, wholeString}
	case put:
		r.active = []form{whole, wholeString}
	case d.Active == activeBoolean:
		r.active = []form{byPath, noPath, whole}
	default:
		r.active = []form{byPath, noPath, byPathString, whole}
	}
	return r
}

// forms are those to try, in order.
func (t *Target) forms(s *server, active bool) []form {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := &t.rungs.update
	if active {
		list = &t.rungs.active
	}
	// Where the server says that it knows no PATCH, PUT goes first.
	if s.patch == no && t.dialect.Update == auto && !slices.Contains([]form{whole, wholeString}, (*list)[0]) {
		*list = lead(*list, whole)
	}
	return slices.Clone(*list)
}

// worked remembers the form that a server took.
func (t *Target) worked(f form, active bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if active {
		t.rungs.active = lead(t.rungs.active, f)
	} else {
		t.rungs.update = lead(t.rungs.update, f)
	}
}

// lead puts one form before the others.
func lead(list []form, f form) []form {
	if !slices.Contains(list, f) || list[0] == f {
		return list
	}
	return append([]form{f}, slices.DeleteFunc(slices.Clone(list), func(x form) bool { return x == f })...)
}

// operation is one of a PATCH. Words are in lower case, which all read.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// patch is the body of a PATCH.
type patch struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

// capital is the same in the words of Entra's default, which some servers know alone.
func (p patch) capital() patch {
	ops := slices.Clone(p.Operations)
	for i := range ops {
		ops[i].Op = strings.ToUpper(ops[i].Op[:1]) + ops[i].Op[1:]
	}
	return patch{p.Schemas, ops}
}

func newPatch(ops ...operation) patch { return patch{[]string{patchOp}, ops} }

const (
	opAdd     = "add"
	opReplace = "replace"
	opRemove  = "remove"
)

// byPaths is what is to be done with a path for each attribute.
func byPaths(after resource, list []edit) []operation {
	var out []operation
	written := map[string]bool{} // lists, which are written once
	for _, e := range list {
		root, now := e.root(), after.at(e.path)
		switch {
		case e.list:
			if written[root] {
				continue
			}
			written[root] = true
			alone := !slices.ContainsFunc(list, func(o edit) bool { return o.root() == root && o.text != e.text })
			switch {
			case empty(now):
				out = append(out, operation{Op: opRemove, Path: root})
			case e.merge && e.stay && alone:
				out = append(out, operation{opAdd, root, e.sent(entries(now))})
			default:
				out = append(out, operation{opReplace, root, now})
			}
		case e.sub != "" && !e.isManager():
			o := object(now)
			if v := o.get(e.sub); v != nil {
				out = append(out, operation{opReplace, root + "." + e.sub, v})
			} else {
				out = append(out, operation{Op: opRemove, Path: root + "." + e.sub})
			}
		case empty(now):
			out = append(out, operation{Op: opRemove, Path: root})
		default:
			out = append(out, operation{opReplace, root, now})
		}
	}
	return out
}

// withoutPaths is the same in one value: complex attributes and extensions stand
// there whole, since some servers put the value in the place of what was there.
func withoutPaths(after resource, list []edit) []operation {
	value := map[string]any{}
	var out []operation
	for _, e := range list {
		if e.urn != "" && !empty(after.get(e.urn)) && !empty(after.at(e.path)) {
			value[e.urn] = after.get(e.urn)
			continue
		}
		switch now := after.at(e.path); {
		case empty(now) || e.sub != "" && !e.list && !e.isManager() && object(now).get(e.sub) == nil:
			where := e.root()
			if e.sub != "" && !e.list && !e.isManager() {
				where += "." + e.sub
			}
			out = append(out, operation{Op: opRemove, Path: where})
		default:
			value[e.attr] = now
		}
	}
	if len(value) > 0 {
		out = append(out, operation{Op: opReplace, Value: value})
	}
	return out
}

// at is the attribute of a path, whole.
func (r resource) at(p path) any {
	if p.urn == "" {
		return r.get(p.attr)
	}
	return object(r.get(p.urn)).get(p.attr)
}

// put is the resource as a PUT has it: all but what the server keeps itself.
func put(after resource) resource {
	out := clone(after).(resource)
	for _, name := range []string{"meta", "groups"} {
		delete(out, out.key(name))
	}
	out[out.key("schemas")] = out.schemas()
	return out
}

// schemas are those that it has, and those of its extensions.
func (r resource) schemas() []any {
	has := []any{}
	for _, x := range entries(r.get("schemas")) {
		if s := scalar(x); s != "" {
			has = append(has, s)
		}
	}
	if len(has) == 0 {
		has = append(has, coreUser)
	}
	var more []string
	for name := range r {
		if strings.HasPrefix(strings.ToLower(name), "urn:") && !slices.ContainsFunc(has, func(x any) bool { return strings.EqualFold(x.(string), name) }) {
			more = append(more, name)
		}
	}
	slices.Sort(more)
	for _, m := range more {
		has = append(has, m)
	}
	return has
}
