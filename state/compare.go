package state

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// compared is a known entry beside what was read of it.
type compared struct {
	staged
	old        entry
	refs, diff []string
	renamed    bool
}

// beside reads the entry as the snapshot has it, and compares. Normal says that it
// is thought to be there.
func (g *staging) beside(w *words, e *directory.Entry, k idValue, normal bool) (compared, error) {
	bucket := bPeople
	if e.Kind == directory.Group {
		bucket = bGroups
	}
	v := w.tx.Bucket(bucket).Get(ordKey(k.ordinal))
	if v == nil {
		return compared{}, fmt.Errorf("%w (no value for %s)", ErrCorrupt, k.ordinal)
	}
	old, err := decodeEntry(v)
	if err != nil {
		return compared{}, err
	}
	oldDN, err := identity.ParseDN(old.dn)
	if err != nil {
		return compared{}, fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	c := compared{old: old, refs: refsOf(e), renamed: !oldDN.Equal(e.DN)}
	c.staged = staged{ordinal: k.ordinal, key: rehireHash(e.RehireKey), e: g.read(e, entryDigest(&g.scratch, e, g.covDigest, c.refs), c.refs)}
	was := k.digest
	if e.Kind == directory.Group {
		c.whole = c.renamed || !normal
		had, err := groupRefs(w.tx, k.ordinal)
		if err != nil {
			return compared{}, err
		}
		c.diff = difference(had, c.refs)
		if was == edited {
			if was, err = w.digest(&old, had); err != nil {
				return compared{}, err
			}
		}
	}
	c.differs = c.e.digest != was
	return c, nil
}

// stage puts it with its members, or with what it gained and lost of them.
func (g *staging) stage(c *compared) {
	g.put(c.encode(&g.scratch))
	if c.ordinal.Valid() {
		g.putRefs(stDiff, c.diff)
	} else {
		g.putRefs(stMembers, c.refs)
	}
}

// compare stages a known entry that differs, or that was thought absent.
func (g *Stage) compare(w *words, e *directory.Entry) error {
	k := &g.known[g.byID[e.ID]]
	c, err := g.beside(w, e, k.idValue, k.normal())
	if err != nil {
		return err
	}
	if c.renamed {
		g.moved[k.ordinal] = e.DN
	}
	if k.kind == directory.Group {
		if c.old.members > 0 && len(c.refs) == 0 {
			g.emptied++
		}
	} else if err := g.compareAttributes(w, &c.old, e); err != nil {
		return err
	}
	if c.differs {
		g.changed++
	}
	g.stage(&c)
	return nil
}

// edited is the digest of a group of which some members were changed, and the rest
// was not read.
var edited = digest{}

// digest is that of an entry as it is kept.
func (w *words) digest(e *entry, refs []string) (digest, error) {
	c, err := w.coverage(e.coverage)
	if err != nil {
		return digest{}, err
	}
	p, err := e.person(0, func(uint64) (string, error) { return "", nil }, w.coverage)
	if err != nil {
		return digest{}, err
	}
	return entryDigest(&writer{}, &directory.Entry{Kind: e.kind, ID: e.id, DN: p.DN, Login: e.login, Mail: e.mail, Name: e.name, RehireKey: e.rehireKey,
		Attributes: p.Attributes, Validity: e.validity}, coverageDigest(c), refs), nil
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
func (g *staging) read(e *directory.Entry, d digest, refs []string) entry {
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
