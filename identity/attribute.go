package identity

import (
	"slices"
	"strings"
)

// Presence says what is known of an attribute. The zero value is NotRead: an
// attribute that was not read is never taken for an empty one.
type Presence uint8

const (
	// NotRead: the attribute was not among those asked for.
	NotRead Presence = iota
	// Absent: asked for, and the entry has no value.
	Absent
	// Present: asked for, and the entry has at least one value.
	Present
)

// Coverage is the set of attribute names that a read asked for, in lower case,
// sorted. It is immutable once made.
type Coverage struct{ names []string }

// NewCoverage makes a coverage of the names, in any case and order.
func NewCoverage(names ...string) Coverage {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if n != "" {
			out = append(out, strings.ToLower(n))
		}
	}
	slices.Sort(out)
	return Coverage{names: slices.Compact(out)}
}

// Has says whether the attribute was asked for. The name is compared in lower
// case.
func (c Coverage) Has(name string) bool {
	_, ok := slices.BinarySearch(c.names, strings.ToLower(name))
	return ok
}

// Names returns the sorted names. The caller must not change the slice.
func (c Coverage) Names() []string { return c.names }

// Covers says whether everything in other was asked for here too.
func (c Coverage) Covers(other Coverage) bool {
	for _, n := range other.names {
		if !c.Has(n) {
			return false
		}
	}
	return true
}

// Equal says whether both cover the same names.
func (c Coverage) Equal(other Coverage) bool { return slices.Equal(c.names, other.names) }

// Attribute is one attribute of an entry: its name in lower case without
// options, and its values in the order in which the server sent them.
type Attribute struct {
	Name   string
	Values []string
}

// Attributes is what was read of an entry, with the coverage that tells absent
// from not read. The zero value has read nothing.
type Attributes struct {
	coverage Coverage
	list     []Attribute // sorted by Name
}

// NewAttributes makes the attributes of an entry that was read with the
// coverage. The list is sorted in place; a name that occurs twice has its
// values joined. Attributes outside the coverage are dropped.
func NewAttributes(coverage Coverage, list []Attribute) Attributes {
	slices.SortStableFunc(list, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	out := list[:0]
	for _, a := range list {
		if !coverage.Has(a.Name) || len(a.Values) == 0 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Name == a.Name {
			out[n-1].Values = append(slices.Clip(out[n-1].Values), a.Values...)
			continue
		}
		out = append(out, a)
	}
	return Attributes{coverage: coverage, list: out}
}

// Get returns the values of the attribute, whose name is compared in lower
// case, and what is known of it.
func (a Attributes) Get(name string) ([]string, Presence) {
	name = strings.ToLower(name)
	i, ok := slices.BinarySearchFunc(a.list, name, func(x Attribute, n string) int { return strings.Compare(x.Name, n) })
	if ok {
		return a.list[i].Values, Present
	}
	if a.coverage.Has(name) {
		return nil, Absent
	}
	return nil, NotRead
}

// First returns the first value, or "" when there is none or it was not read.
func (a Attributes) First(name string) string {
	if v, p := a.Get(name); p == Present {
		return v[0]
	}
	return ""
}

// List returns the attributes that are present, sorted by name. The caller
// must not change it.
func (a Attributes) List() []Attribute { return a.list }

// Coverage returns the names that were asked for.
func (a Attributes) Coverage() Coverage { return a.coverage }
