package scimd

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// operation is one of a PATCH, with what the modes may turn it into.
type operation struct {
	op, path string
	value    any
}

// operations reads the body of a PATCH.
func (s *Server) operations(c *call) ([]operation, *refusal) {
	body := c.body
	if list, ok := body["schemas"].([]any); !ok || !slices.Contains(list, any(patchOp)) {
		return nil, refuse(400, "invalidSyntax", "schemas must name %s", patchOp)
	}
	list, ok := body["Operations"].([]any)
	if !ok || len(list) == 0 {
		return nil, refuse(400, "invalidSyntax", "Operations is missing")
	}
	var out []operation
	for _, e := range list {
		o, ok := e.(map[string]any)
		if !ok {
			return nil, refuse(400, "invalidSyntax", "an operation is an object")
		}
		var one operation
		name, _ := o["op"].(string)
		// "op" is one of three words in any case: Entra writes them with a capital.
		one.op = strings.ToLower(name)
		one.path, _ = o["path"].(string)
		one.value = o["value"]
		if c.has(UnknownOpOK) && one.op == "remove" {
			one.op = "none"
		}
		switch one.op {
		case "add", "replace":
			if one.value == nil {
				return nil, refuse(400, "invalidValue", "%s needs a value", one.op)
			}
		case "remove":
			if one.path == "" {
				return nil, refuse(400, "noTarget", "remove needs a path")
			}
		default:
			if c.has(UnknownOpOK) {
				continue
			}
			return nil, refuse(400, "invalidSyntax", "there is no operation %q", name)
		}
		out = append(out, one)
	}
	return out, nil
}

// apply does one operation on a resource.
func (s *Server) apply(c *call, of schema, r Resource, o operation) *refusal {
	if o.path == "" {
		return s.merge(c, of, r, o)
	}
	if c.has(PatchNoURN) && strings.Contains(o.path, ":") {
		name, rest, _ := strings.Cut(o.path, ".")
		r[name] = map[string]any{rest: o.value}
		return nil
	}
	p, err := parsePath(o.path, of)
	if err != nil {
		return err
	}
	in := map[string]any(r)
	if p.whole {
		return applyExtension(of, r, p.urn, o)
	}
	if p.urn != "" {
		inner, ok := r[p.urn].(map[string]any)
		if !ok {
			inner = map[string]any{}
		}
		in = inner
		defer func() {
			if delete(r, p.urn); len(inner) > 0 {
				r[p.urn] = inner
			}
		}()
	}
	return s.at(c, in, p, o)
}

func applyExtension(of schema, r Resource, urn string, o operation) *refusal {
	if o.op == "remove" {
		delete(r, urn)
		return nil
	}
	value, ok := o.value.(map[string]any)
	if !ok {
		return refuse(400, "invalidValue", "%s is not an object", urn)
	}
	object, err := complexValue(of.extensions[urn], urn, value)
	if err != nil {
		return err
	}
	if old, ok := r[urn].(map[string]any); ok {
		maps.Copy(old, object)
	} else {
		r[urn] = object
	}
	return nil
}

// merge does an operation without a path: its value is a part of the resource.
func (s *Server) merge(c *call, of schema, r Resource, o operation) *refusal {
	value, ok := o.value.(map[string]any)
	if !ok {
		return refuse(400, "invalidValue", "without a path the value is an object")
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		if strings.EqualFold(name, "schemas") || strings.EqualFold(name, "id") {
			continue
		}
		if value[name] == nil {
			continue
		}
		if err := s.apply(c, of, r, operation{o.op, name, value[name]}); err != nil {
			return err
		}
	}
	return nil
}

// at does an operation on one attribute of in.
func (s *Server) at(c *call, in map[string]any, p path, o operation) *refusal {
	if !p.attr.multi {
		return s.single(in, p, o)
	}
	have, _ := in[p.attr.name].([]any)
	put := func(list []any) {
		if delete(in, p.attr.name); len(list) > 0 {
			in[p.attr.name] = list
		}
	}
	if p.where == nil && p.sub.name == "" {
		if o.op == "remove" {
			// A remove takes every value, even where the operation has values of its
			// own as Entra sends them: RFC 7644, 3.5.2.2 knows no value in a remove.
			put(c.listed(have, o))
			return nil
		}
		added, err := p.attr.accept(o.value)
		if err != nil {
			return err
		}
		list, _ := added.([]any)
		if primaries(list) > 1 {
			return refuse(400, "invalidValue", "%s: one value can be primary", p.attr.name)
		}
		if o.op == "add" {
			list = c.join(p, have, list)
		}
		put(list)
		return nil
	}
	var left []any
	found := false
	for _, e := range have {
		object, ok := e.(map[string]any)
		if !ok || p.where != nil && !p.where(object) {
			left = append(left, e)
			continue
		}
		found = true
		if o.op == "remove" && p.sub.name == "" {
			continue
		}
		if err := change(object, p, o); err != nil {
			return err
		}
		if len(object) > 0 {
			left = append(left, object)
		}
	}
	if !found && o.op != "remove" {
		// RFC 7644, 3.5.2.3 for replace; of add it says nothing.
		return refuse(400, "noTarget", "path %q: no value matches", o.path)
	}
	put(left)
	return nil
}

// join adds values to a list; what is there already is not added again.
func (c *call) join(p path, have, added []any) []any {
	if p.attr.name == "members" {
		switch {
		case c.has(AddReplaces):
			return added
		case c.has(AddTwice):
			return slices.Concat(have, added)
		}
	}
	out := slices.Clone(have)
	for _, v := range added {
		if slices.ContainsFunc(out, func(e any) bool { return same(e, v) }) {
			continue
		}
		if object, ok := v.(map[string]any); ok && object["primary"] == true {
			for _, e := range out {
				if old, ok := e.(map[string]any); ok && old["primary"] == true {
					old["primary"] = false
				}
			}
		}
		out = append(out, v)
	}
	return out
}

// same compares two values of a list: by value and, where both have one, type;
// what has no value by all that it has.
func same(a, b any) bool {
	x, ok := a.(map[string]any)
	y, also := b.(map[string]any)
	if ok && also && x["value"] != nil {
		return x["value"] == y["value"] && (x["type"] == y["type"] || x["type"] == nil || y["type"] == nil)
	}
	return reflect.DeepEqual(a, b)
}

func primaries(list []any) int {
	n := 0
	for _, e := range list {
		if object, ok := e.(map[string]any); ok && object["primary"] == true {
			n++
		}
	}
	return n
}

// single does an operation on an attribute with one value.
func (s *Server) single(in map[string]any, p path, o operation) *refusal {
	if p.sub.name != "" {
		object, ok := in[p.attr.name].(map[string]any)
		if !ok {
			object = map[string]any{}
		}
		if err := change(object, p, o); err != nil {
			return err
		}
		if delete(in, p.attr.name); len(object) > 0 {
			in[p.attr.name] = object
		}
		return nil
	}
	if o.op == "remove" {
		if p.attr.required {
			return refuse(400, "invalidValue", "%s cannot be removed", p.attr.name)
		}
		delete(in, p.attr.name)
		return nil
	}
	v, err := p.attr.accept(o.value)
	if err != nil {
		return err
	}
	object, ok := v.(map[string]any)
	old, also := in[p.attr.name].(map[string]any)
	if ok && also {
		// Sub-attributes that are not named stay (RFC 7644, 3.5.2.3).
		maps.Copy(old, object)
		return nil
	}
	in[p.attr.name] = v
	return nil
}

// change does an operation inside of one complex value.
func change(object map[string]any, p path, o operation) *refusal {
	if p.sub.name != "" {
		if o.op == "remove" {
			delete(object, p.sub.name)
			return nil
		}
		v, err := p.sub.accept(o.value)
		if err != nil {
			return err
		}
		object[p.sub.name] = v
		return nil
	}
	value, ok := o.value.(map[string]any)
	if !ok {
		return refuse(400, "invalidValue", "the value of %s is an object", p.attr.name)
	}
	accepted, err := complexValue(p.attr.attributes, p.attr.name, value)
	if err != nil {
		return err
	}
	maps.Copy(object, accepted)
	return nil
}
