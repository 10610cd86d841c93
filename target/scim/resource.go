package scim

import (
	"encoding/json"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// resource is a user or group as JSON has it. Names of attributes are compared
// without regard to case (RFC 7643, 2.1).
type resource map[string]any

// key is the name under which the resource has an attribute; the name itself if
// it has none.
func (r resource) key(name string) string {
	if _, has := r[name]; has {
		return name
	}
	for k := range r {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

func (r resource) get(name string) any { return r[r.key(name)] }

// text is an attribute that is one text; "" where it is none.
func (r resource) text(name string) string { return scalar(r.get(name)) }

// scalar is a single value as text. What has no value is "".
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// object is a complex value; nil where it is none.
func object(v any) resource {
	switch v := v.(type) {
	case map[string]any:
		return v
	case resource:
		return v
	}
	return nil
}

// entries are the values of a list, complex or not; a value that stands alone is
// a list of one.
func entries(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case nil:
		return nil
	}
	return []any{v}
}

// id is the identifier; "" where it is none.
func (r resource) id() string { return r.text("id") }

// enabled: an account is closed only if it is plainly said. What cannot be
// understood is open, so that it is never believed to be closed.
func (r resource) enabled() bool {
	switch v := r.get("active").(type) {
	case bool:
		return v
	case string:
		return !strings.EqualFold(strings.TrimSpace(v), "false")
	case json.Number:
		return v.String() != "0"
	}
	return true
}

// values are what the resource has for the path, as texts.
func (r resource) values(p path) []string {
	in := r
	if p.urn != "" {
		if in = object(r.get(p.urn)); in == nil {
			return nil
		}
	}
	v := in.get(p.attr)
	var out []string
	add := func(v any) {
		if s := scalar(v); s != "" {
			out = append(out, s)
		}
	}
	for _, e := range entries(v) {
		o := object(e)
		switch {
		case o == nil && (p.entry == "" && (p.sub == "" || p.sub == subValue)):
			add(e) // a list of texts, or a reference that is a text
		case o == nil:
		case p.entry != "" && !strings.EqualFold(o.text(subType), p.entry):
		case p.sub == "":
			add(o.get(subValue))
		default:
			add(o.get(p.sub))
		}
	}
	return out
}

// account is the resource as a target shows it.
func (t *Target) account(r resource, scope target.Scope) target.Account {
	a := target.Account{ID: target.NativeID(r.id()), Name: r.text(userName), Enabled: r.enabled(), Attributes: map[string][]string{}}
	for _, name := range scope.Attributes {
		if p, err := parsePath(name); err == nil {
			if values := r.values(p); len(values) > 0 {
				a.Attributes[name] = values
			}
		}
	}
	if t.marks() {
		a.Mark = r.text(externalID)
	}
	return a
}

// clone copies all that can be changed.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = clone(x)
		}
		return out
	case resource:
		return resource(clone(map[string]any(v)).(map[string]any))
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = clone(x)
		}
		return out
	}
	return v
}
