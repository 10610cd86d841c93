package scimd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is a kind of resource, by the path of its endpoint.
type Kind string

// The two kinds that the server has.
const (
	Users  Kind = "Users"
	Groups Kind = "Groups"
)

// Resource is one, as JSON decodes it.
type Resource map[string]any

// Text is a value below the resource by a path with dots, as a text; "" if there
// is none. An extension is its URN, a colon and the path.
func (r Resource) Text(path string) string {
	at := map[string]any(r)
	if urn, rest, ok := cutURN(path); ok {
		at, _ = at[urn].(map[string]any)
		path = rest
	}
	parts := strings.Split(path, ".")
	for _, part := range parts[:len(parts)-1] {
		at, _ = at[part].(map[string]any)
	}
	if v := at[parts[len(parts)-1]]; v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// cutURN cuts the URN of an extension off a path.
func cutURN(path string) (urn, rest string, found bool) {
	if len(path) > len(EnterpriseUser) && strings.EqualFold(path[:len(EnterpriseUser)], EnterpriseUser) && path[len(EnterpriseUser)] == ':' {
		return EnterpriseUser, path[len(EnterpriseUser)+1:], true
	}
	return "", path, false
}

// Members are the IDs that a group holds, in its order.
func (r Resource) Members() []string {
	var out []string
	list, _ := r["members"].([]any)
	for _, m := range list {
		if m, ok := m.(map[string]any); ok {
			out = append(out, fmt.Sprint(m["value"]))
		}
	}
	return out
}

// deep copies what JSON decodes to.
func deep(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = deep(e)
		}
		return out
	case Resource:
		return Resource(deep(map[string]any(v)).(map[string]any))
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = deep(e)
		}
		return out
	default:
		return v
	}
}

func clone(r Resource) Resource { return deep(r).(Resource) }

// accept makes of a body what may be stored: names as the schema spells them,
// nothing read-only, null and empty lists left out (RFC 7643, 2.5). What the
// schema does not know is ignored; the RFC leaves that open.
func (s schema) accept(body map[string]any) (Resource, *refusal) {
	out := Resource{}
	for _, key := range slices.Sorted(maps.Keys(body)) {
		if urn := s.extension(key); urn != "" {
			inner, ok := body[key].(map[string]any)
			if !ok {
				return nil, refuse(400, "invalidValue", "%s is not an object", key)
			}
			object, err := complexValue(s.extensions[urn], urn, inner)
			if err != nil {
				return nil, err
			}
			if len(object) > 0 {
				out[urn] = object
			}
			continue
		}
		a, ok := named(s.attributes, key)
		if !ok || a.readOnly {
			continue
		}
		v, err := a.accept(body[key])
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[a.name] = v
		}
	}
	return out, nil
}

// accept checks the type of a value; nil is no value.
func (a attribute) accept(v any) (any, *refusal) {
	if v == nil {
		return nil, nil
	}
	if !a.multi {
		return a.single(v)
	}
	list, ok := v.([]any)
	if !ok {
		// One value for a list of one is taken by so many servers that the RFC's
		// examples do it as well.
		list = []any{v}
	}
	var out []any
	for _, e := range list {
		one, err := a.single(e)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

func (a attribute) single(v any) (any, *refusal) {
	switch a.kind {
	case "boolean":
		if _, ok := v.(bool); !ok {
			return nil, refuse(400, "invalidValue", "%s must be true or false, not %T", a.name, v)
		}
	case "complex":
		object, ok := v.(map[string]any)
		if !ok {
			return nil, refuse(400, "invalidValue", "%s must be an object, not %T", a.name, v)
		}
		return complexValue(a.attributes, a.name, object)
	default:
		if _, ok := v.(string); !ok {
			return nil, refuse(400, "invalidValue", "%s must be a text, not %T", a.name, v)
		}
	}
	return v, nil
}

func complexValue(of []attribute, name string, object map[string]any) (map[string]any, *refusal) {
	out := map[string]any{}
	for key, v := range object {
		a, ok := named(of, key)
		if !ok || a.readOnly {
			continue
		}
		accepted, err := a.accept(v)
		if err != nil {
			err.detail = name + ": " + err.detail
			return nil, err
		}
		if accepted != nil {
			out[a.name] = accepted
		}
	}
	return out, nil
}
