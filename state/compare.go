package state

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// compare stages a known entry that differs, or that was thought absent.
func (g *Stage) compare(w *words, e *directory.Entry) error {
	tx := w.tx
	k := &g.known[g.byID[e.ID]]
	bucket := bPeople
	if k.kind == directory.Group {
		bucket = bGroups
	}
	v := tx.Bucket(bucket).Get(ordKey(k.ordinal))
	if v == nil {
		return fmt.Errorf("%w (no value for %s)", ErrCorrupt, k.ordinal)
	}
	old, err := decodeEntry(v)
	if err != nil {
		return err
	}
	oldDN, err := identity.ParseDN(old.dn)
	if err != nil {
		return fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	refs := refsOf(e)
	st := staged{ordinal: k.ordinal, key: rehireHash(e.RehireKey), e: g.read(e, entryDigest(&g.scratch, e, g.covDigest, refs), refs)}
	st.differs = st.e.digest != k.digest
	renamed := !oldDN.Equal(e.DN)
	if renamed {
		g.moved[k.ordinal] = e.DN
	}
	var diff []string
	if k.kind == directory.Group {
		st.whole = renamed || !k.normal()
		had, err := groupRefs(tx, k.ordinal)
		if err != nil {
			return err
		}
		diff = difference(had, refs)
		if len(had) > 0 && len(refs) == 0 {
			g.emptied++
		}
	} else if err := g.compareAttributes(w, &old, e); err != nil {
		return err
	}
	if st.differs {
		g.changed++
	}
	g.put(st.encode(&g.scratch))
	g.putRefs(stMembers, refs)
	g.putRefs(stDiff, diff)
	return nil
}

// compareAttributes counts the attributes that a person had and that were
// asked for and not there now.
func (g *Stage) compareAttributes(w *words, old *entry, e *directory.Entry) error {
	c, err := w.coverage(old.coverage)
	if err != nil {
		return err
	}
	for _, a := range old.attributes {
		if a.name >= len(c.Names()) {
			return fmt.Errorf("%w (attribute %d)", ErrCorrupt, a.name)
		}
		name := c.Names()[a.name]
		if _, p := e.Attributes.Get(name); p == identity.Absent {
			g.lost[name]++
		}
	}
	return nil
}

// read copies what is kept of an entry.
func (g *Stage) read(e *directory.Entry, d digest, refs []string) entry {
	out := entry{kind: e.Kind, source: g.num, id: e.ID, dn: e.DN.String(), digest: d, login: e.Login, mail: e.Mail, name: e.Name,
		rehireKey: e.RehireKey, validity: e.Validity, members: len(refs), coverage: g.covNum}
	for _, a := range e.Attributes.List() {
		n, _ := slices.BinarySearch(g.coverage.Names(), a.Name)
		out.attributes = append(out.attributes, attribute{n, a.Values})
	}
	return out
}

// refsOf are the members, sorted, each once.
func refsOf(e *directory.Entry) []string {
	if len(e.Members) == 0 {
		return nil
	}
	out := make([]string, len(e.Members))
	for i, m := range e.Members {
		out[i] = refText(m)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// difference lists what was gained, with "+", and lost, with "-". Both lists
// are sorted.
func difference(had, has []string) []string {
	var out []string
	for len(had) > 0 || len(has) > 0 {
		switch {
		case len(had) == 0 || len(has) > 0 && has[0] < had[0]:
			out, has = append(out, "+"+has[0]), has[1:]
		case len(has) == 0 || had[0] < has[0]:
			out, had = append(out, "-"+had[0]), had[1:]
		default:
			had, has = had[1:], has[1:]
		}
	}
	return out
}

func signed(sign byte, refs []string) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = string(sign) + r
	}
	return out
}
