package scim

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rosterd/rosterd/target"
)

// edit is one attribute with what it is to be.
type edit struct {
	path
	// values it is to have; none clears it.
	values []string
	// added are the only new ones, where others' are to stay.
	added []string
	// stay: nothing is taken.
	stay bool
	// merge: entries of others are kept as they are.
	merge bool
}

// edits are what is left to do for the values to be as they should on a resource.
func edits(r resource, set []target.Value) ([]edit, error) {
	var out []edit
	for _, v := range set {
		p, err := parsePath(v.Name)
		if err != nil {
			return nil, err
		}
		if !valid(v.Values) {
			return nil, fmt.Errorf("a value of %s is not text", v.Name)
		}
		actual := r.values(p)
		want := unique(v.Name, v.On(actual, rules))
		if same(v.Name, actual, want) {
			continue
		}
		e := edit{path: p, values: want}
		if v.How == target.Merge {
			add, take := v.Steps(actual, rules)
			e.added, e.merge, e.stay = unique(v.Name, add), true, len(take) == 0
		}
		out = append(out, e)
	}
	return out, nil
}

func valid(values []string) bool {
	return !slices.ContainsFunc(values, func(s string) bool { return !utf8.ValidString(s) })
}

// apply puts the edit into a resource that is the caller's own.
func (s *server) apply(r resource, e edit, dialect Profile) error {
	in := r
	if e.urn != "" {
		key := r.key(e.urn)
		if in = object(r[key]); in == nil {
			in = resource{}
		}
		defer func() {
			if r[key] = map[string]any(in); len(in) == 0 {
				delete(r, key)
			}
		}()
	}
	key := in.key(e.attr)
	put := func(v any) {
		if empty(v) {
			delete(in, key)
			return
		}
		in[key] = v
	}
	typed := make([]any, len(e.values))
	for i, text := range e.values {
		v, err := s.typed(e.path, text)
		if err != nil {
			return err
		}
		typed[i] = v
	}
	switch {
	case e.list:
		list, err := e.whole(entries(in.get(e.attr)), typed)
		if err != nil {
			return err
		}
		put(list)
	case e.isManager() && dialect.Manager == managerString:
		if len(typed) > 1 {
			return fmt.Errorf("%s has one value, not %d", e.text, len(typed))
		}
		put(first(typed))
	case e.sub != "":
		if len(typed) > 1 {
			return fmt.Errorf("%s has one value, not %d", e.text, len(typed))
		}
		o := object(clone(in.get(e.attr)))
		if o == nil || e.isManager() {
			o = resource{} // what else is said of a manager is of the one before
		}
		if sub := o.key(e.sub); len(typed) == 0 {
			delete(o, sub)
		} else {
			o[sub] = typed[0]
		}
		put(map[string]any(o))
	case len(typed) > 1 || s.many(e.path) || isList(in.get(e.attr)):
		put(typed)
	default:
		put(first(typed))
	}
	return nil
}

func isList(v any) bool { _, is := v.([]any); return is }

func first(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// empty: SCIM has no empty value (RFC 7643, 2.5).
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// whole is a list of complex values as it is to be. An entry whose value stays is
// kept with all that it says.
func (e edit) whole(have []any, want []any) ([]any, error) {
	if e.entry != "" {
		return e.labelled(have, want)
	}
	left := slices.Clone(have)
	var out []any
	find := func(value string) resource {
		for i, x := range left {
			text := scalar(x)
			if o := object(x); o != nil {
				text = o.text(e.sub)
			}
			if x != nil && text != "" && canon(e.text, text) == canon(e.text, value) {
				left[i] = nil
				if o := object(clone(x)); o != nil {
					return o
				}
				return resource{}
			}
		}
		return nil
	}
	for _, w := range want {
		o := find(scalar(w))
		if o == nil {
			o = resource{}
			if contains(worded, e.attr) && len(out) == 0 && !e.merge {
				o[subType] = typeWork
			}
		}
		o[o.key(e.sub)] = w
		out = append(out, map[string]any(o))
	}
	e.prime(out)
	return out, nil
}

// labelled changes the value of the entries of one label.
func (e edit) labelled(have []any, want []any) ([]any, error) {
	if len(want) > 1 {
		return nil, fmt.Errorf("%s has one value, not %d", e.text, len(want))
	}
	var out []any
	done := len(want) == 0
	for _, x := range have {
		o := object(clone(x))
		if o == nil || !strings.EqualFold(o.text(subType), e.entry) {
			out = append(out, clone(x))
			continue
		}
		if !done {
			o[o.key(e.sub)] = want[0]
			out = append(out, map[string]any(o))
			done = true
			continue
		}
		// Of an address only the part goes.
		if e.attr == addresses {
			delete(o, o.key(e.sub))
			if len(o) > 1 {
				out = append(out, map[string]any(o))
			}
		}
	}
	if !done {
		o := map[string]any{e.sub: want[0], subType: e.entry}
		if contains(worded, e.attr) && !slices.ContainsFunc(out, isPrimary) {
			o[subPrimary] = true
		}
		out = append(out, o)
	}
	return out, nil
}

func isPrimary(v any) bool { return object(v).text(subPrimary) == "true" }

// prime makes the first entry the primary one, and no other; beside others' only
// where none is.
func (e edit) prime(list []any) {
	if !contains(worded, e.attr) || len(list) == 0 || e.merge && slices.ContainsFunc(list, isPrimary) {
		return
	}
	for i, x := range list {
		o := object(x)
		if key := o.key(subPrimary); i == 0 {
			o[key] = true
		} else {
			delete(o, key)
		}
	}
}

// sent is the entries that an addition names.
func (e edit) sent(after []any) []any {
	var out []any
	for _, x := range after {
		if slices.ContainsFunc(e.added, func(v string) bool { return canon(e.text, v) == canon(e.text, object(x).text(e.sub)) }) {
			out = append(out, x)
		}
	}
	return out
}
