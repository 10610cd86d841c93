package tomltext

import (
	"fmt"
	"slices"
)

// Graft takes what another document says at a path for a part of this one: what is
// wrong with it is told at its own place. It returns false where this document, or
// one that was grafted before, says it already.
func (d *Document) Graft(from *Document, path ...string) bool {
	value, ok := from.lookup(path)
	if !ok || d.Has(path...) {
		return false
	}
	if !slices.Contains(d.parts, from) {
		d.parts = append(d.parts, from)
	}
	if d.owners == nil {
		d.owners = map[string]*Document{}
	}
	table := d.tree
	for i, name := range path[:len(path)-1] {
		next, isTable := table[name].(map[string]any)
		if !isTable {
			if table[name] != nil {
				return false
			}
			next = map[string]any{}
			table[name] = next
			if i > 0 {
				d.owners[pathKey(path[:i+1])] = from // what is missing there is missing in its file
			}
		}
		table = next
	}
	table[path[len(path)-1]] = value
	d.owners[pathKey(path)] = from
	return true
}

// Beside keeps the problems of another document with those of this one, though
// nothing of it is grafted.
func (d *Document) Beside(from *Document) {
	if !slices.Contains(d.parts, from) {
		d.parts = append(d.parts, from)
	}
}

// of is the document in which a path stands.
func (d *Document) of(path []string) *Document {
	for n := len(path); n > 0; n-- {
		if o := d.owners[pathKey(path[:n])]; o != nil {
			return o
		}
	}
	return d
}

// IsTable says whether there is a table at a path.
func (d *Document) IsTable(path ...string) bool {
	value, _ := d.lookup(path)
	_, is := value.(map[string]any)
	return is
}

// Text is the text at a path, if one is there.
func (d *Document) Text(path ...string) (string, bool) {
	value, _ := d.lookup(path)
	text, is := value.(string)
	return text, is
}

// Broken reports that a file which this one names cannot be used.
func (d *Document) Broken(path []string, hint, format string, args ...any) {
	d.complain(path, fmt.Sprintf(format, args...), hint)
}

// has says whether the place of a path is known.
func (d *Document) has(path []string) bool { _, ok := d.place(path); return ok }
