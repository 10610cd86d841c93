package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Changes is a stage of what changed since a cursor. It costs what changed: IDs are
// looked up one by one, and never all of them. Until Seal nothing of it counts. It
// is used by one goroutine.
type Changes struct {
	staging
	told map[toldKey]*told
	// dead are records in whose place a later word stands.
	dead []span
	// witnesses are those chosen, by what was lost; nil before anybody asked.
	witnesses map[string][]directory.Known
	// below are the containers that were asked for.
	below []inside
	// undecided is the first reason why only a whole listing can tell.
	undecided *UndecidedError
}

// toldKey: a container may be somebody too, and is told of apart.
type toldKey struct {
	id        identity.ID
	container bool
}

// told is the last word on an entry.
type told struct {
	what  byte
	kind  directory.Kind
	known bool
	// idValue and dn are as the snapshot has it, where it is known.
	idValue
	wasDN identity.DN
	// dn is where it is now, and key what it carries.
	dn  identity.DN
	key string
	// had and lack are the attributes that a person had, and that they lack now.
	had, lack []string
	// members is whether a group had some, emptied whether it has none now.
	members, emptied bool
	by               string // the evidence
	at               []span // its records
}

// What is told of an entry.
const (
	toldPut  = 'p'
	toldEdit = 'e'
	toldLeft = 'l'
	toldGone = 'g'
)

// span is a run of records.
type span struct{ from, n uint64 }

// UndecidedError: what changed can only be judged beside everything else, so
// everything must be read.
type UndecidedError struct {
	Source string
	// Why, for people: "an entry carries the rehire key of somebody known". It names
	// nobody.
	Why string
}

func (e *UndecidedError) Error() string {
	return fmt.Sprintf("what changed in %s can only be judged beside everything else: %s", e.Source, e.Why)
}

// Changes begins a stage of what changed in the source since its cursor. A stage
// that was not sealed is discarded; one that was sealed and not drained is the error
// ErrUndrained. If the snapshot was taken with another coverage, it is an
// *UndecidedError.
func (s *Store) Changes(source string, coverage identity.Coverage) (*Changes, error) {
	c := &Changes{staging: newStaging(s, source, coverage), told: map[toldKey]*told{}}
	if err := s.update(c.begin); err != nil {
		return nil, fmt.Errorf("stage changes of %s: %w", source, err)
	}
	if c.shownIn != c.covNum {
		return nil, &UndecidedError{source, "the snapshot was taken with other attributes"}
	}
	return c, nil
}

// leave notes that only a whole listing can decide, and says so.
func (c *Changes) leave(format string, args ...any) error {
	if c.undecided == nil {
		c.undecided = &UndecidedError{c.source, fmt.Sprintf(format, args...)}
	}
	return c.undecided
}

// Put takes entries that are in scope now, whole.
func (c *Changes) Put(entries []directory.Entry) error {
	if c.over {
		return errOver
	}
	if err := c.s.view(func(tx *txn) error {
		w := &words{tx: tx}
		for i := range entries {
			if err := c.putOne(w, &entries[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("stage changes of %s: %w", c.source, err)
	}
	return c.flushFull()
}

func (c *Changes) putOne(w *words, e *directory.Entry) error {
	if err := wellFormed(e); err != nil {
		return err
	}
	if e.Kind == directory.Container {
		return c.container(w.tx, e.ID, e.DN.String())
	}
	if e.Kind == directory.Person && !e.Attributes.Coverage().Equal(c.coverage) {
		return fmt.Errorf("%s %s was read with another coverage than the snapshot", e.Kind, e.DN)
	}
	t, err := c.tell(w.tx, e.ID, e.Kind)
	if err != nil {
		return err
	}
	t.what, t.dn, t.key = toldPut, e.DN, e.RehireKey
	from := c.at()
	if !t.known {
		refs := refsOf(e)
		c.stage(&compared{staged: staged{differs: true, whole: e.Kind == directory.Group, key: rehireHash(e.RehireKey),
			e: c.read(e, entryDigest(&c.scratch, e, c.covDigest, refs), refs)}, refs: refs})
		t.at = []span{{from, c.at() - from}}
		return nil
	}
	normal := t.normal()
	if normal && t.digest != edited && entryDigest(&c.scratch, e, c.covDigest, refsOf(e)) == t.digest {
		return nil // it is as it was
	}
	x, err := c.beside(w, e, t.idValue, normal)
	if err != nil {
		return err
	}
	if e.Kind == directory.Person {
		if t.had, t.lack, err = lackOf(w, &x.old, e); err != nil {
			return err
		}
	} else {
		t.members, t.emptied = x.old.members > 0, x.old.members > 0 && len(x.refs) == 0
	}
	c.stage(&x)
	t.at = []span{{from, c.at() - from}}
	return nil
}

// lackOf are the attributes that a person had, and those of them that were asked for
// and are not there now.
func lackOf(w *words, old *entry, e *directory.Entry) (had, lack []string, err error) {
	cov, err := w.coverage(old.coverage)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range old.attributes {
		if a.name >= len(cov.Names()) {
			return nil, nil, fmt.Errorf("%w (attribute %d)", ErrCorrupt, a.name)
		}
		name := cov.Names()[a.name]
		had = append(had, name)
		if _, p := e.Attributes.Get(name); p == identity.Absent {
			lack = append(lack, name)
		}
	}
	return had, lack, nil
}

// tell begins a word on a person or a group: what was said before of it is void.
func (c *Changes) tell(tx *txn, id identity.ID, kind directory.Kind) (*told, error) {
	k := toldKey{id: id}
	if old := c.told[k]; old != nil {
		c.void(old)
	}
	t := &told{kind: kind}
	for _, as := range []directory.Kind{directory.Person, directory.Group} {
		v := tx.Bucket(bIDs).Get(idKey(c.num, as, id))
		if v == nil {
			continue
		}
		if kind != 0 && as != kind {
			return nil, c.leave("an entry is a %s now and was a %s", kind, as)
		}
		var err error
		if t.idValue, err = decodeIDValue(v); err != nil {
			return nil, err
		}
		t.known, t.kind = true, as
		if t.wasDN, err = dnOf(tx, &known{idValue: t.idValue, kind: as}); err != nil {
			return nil, err
		}
	}
	c.told[k] = t
	return t, nil
}

// void takes the records of a word back.
func (c *Changes) void(t *told) {
	c.dead = append(c.dead, t.at...)
}

func (c *Changes) container(tx *txn, id identity.ID, dn string) error {
	k := toldKey{id: id, container: true}
	if old := c.told[k]; old != nil {
		c.void(old)
	}
	t := &told{what: toldPut, kind: directory.Container}
	c.told[k] = t
	if is := string(tx.Bucket(bContainers).Get(containerKey(c.num, id))); is == dn {
		return nil
	}
	t.at = []span{{c.at(), 1}}
	c.put(encodeContainer(&c.scratch, id, dn))
	return nil
}

// Left takes entries that are still in the source, outside base or filter.
func (c *Changes) Left(found []directory.Finding) error {
	if c.over {
		return errOver
	}
	if err := c.s.view(func(tx *txn) error {
		for _, f := range found {
			if !f.Found || f.DN.IsZero() {
				return fmt.Errorf("the %s %s was found nowhere", f.Kind, f.ID)
			}
			if f.Kind == directory.Container {
				if err := c.container(tx, f.ID, ""); err != nil {
					return err
				}
				continue
			}
			t, err := c.tell(tx, f.ID, 0)
			if err != nil {
				return err
			}
			t.what, t.dn = toldLeft, f.DN
			if !t.known || t.standing == identity.OutOfScope && t.wasDN.Equal(f.DN) {
				continue
			}
			c.rule(t, away(f.DN), f.ID)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("stage changes of %s: %w", c.source, err)
	}
	return c.flushFull()
}

// Gone takes entries of which there is positive evidence that they were deleted.
func (c *Changes) Gone(gone []directory.Gone) error {
	if c.over {
		return errOver
	}
	if err := c.s.view(func(tx *txn) error {
		for _, g := range gone {
			if g.By == "" {
				return fmt.Errorf("nothing proves that %s was deleted", g.ID)
			}
			if err := c.container(tx, g.ID, ""); err != nil {
				return err
			}
			t, err := c.tell(tx, g.ID, 0)
			if err != nil {
				return err
			}
			t.what, t.by = toldGone, g.By
			if !t.known || t.standing == identity.Gone {
				continue
			}
			c.rule(t, ruling{standing: identity.Gone, why: deleted(g.By)}, g.ID)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("stage changes of %s: %w", c.source, err)
	}
	return c.flushFull()
}

func deleted(by string) string { return "deleted: " + by }

func (c *Changes) rule(t *told, u ruling, id identity.ID) {
	u.absent, u.kind, u.ordinal, u.id = true, t.kind, t.ordinal, id
	t.at = []span{{c.at(), 1}}
	c.put(u.encode())
}
