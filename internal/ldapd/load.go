package ldapd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
)

// Load adds the entries of an LDIF, parents before children, operational
// attributes as they stand there. It stops at the first that cannot be added;
// those before it stay.
func (d *Directory) Load(in io.Reader) error {
	r := ldif.NewReader(in)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		dn, err := identity.ParseDN(e.DN)
		if err != nil {
			return fmt.Errorf("load %s: %w", e.DN, err)
		}
		var attrs []Change
		for _, a := range e.Attrs {
			attrs = append(attrs, Change{Attr: a.Name, Values: a.Values})
		}
		d.mu.Lock()
		refused := d.add(dn, attrs, "", true)
		d.mu.Unlock()
		if refused != nil {
			return fmt.Errorf("load %s: %w", e.DN, refused)
		}
	}
}

// Dump writes every entry with its operational attributes, parents before
// children, so that Load makes the same directory of it.
func (d *Directory) Dump(w io.Writer) error {
	d.mu.RLock()
	var roots []*node
	for _, n := range d.byKey {
		if n.parent == nil {
			roots = append(roots, n)
		}
	}
	var entries []ldif.Entry
	var walk func([]*node)
	walk = func(level []*node) {
		slices.SortFunc(level, func(a, b *node) int { return cmp.Compare(a.seq, b.seq) })
		for _, n := range level {
			entries = append(entries, n.rec.entry(true))
			kids := make([]*node, 0, len(n.kids))
			for k := range n.kids {
				kids = append(kids, k)
			}
			walk(kids)
		}
	}
	walk(roots)
	d.mu.RUnlock()
	return ldif.Write(w, entries...)
}
