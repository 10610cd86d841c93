package state

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Seal ends what was told: that was all since the cursor, and Drain will move it
// into the snapshot, the cursor last. An *UndecidedError says that everything must be
// read instead; what was proved of deletions is in Evidence. After an error nothing
// is sealed.
//
// Max_remove and the other limits judge what follows from it. Min_people does not:
// it is of listings, and everybody who is less here is so by evidence. The size that
// the next listing is measured against stays as it is.
func (c *Changes) Seal(f directory.Followed, r SealRules) (Sealed, error) {
	out, err := c.seal(f, r)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal changes of %s: %w", c.source, err)
	}
	c.over = true
	return out, nil
}

func (c *Changes) seal(proof directory.Followed, r SealRules) (Sealed, error) {
	f := proof.Facts()
	switch {
	case c.over:
		return Sealed{}, errOver
	case !proof.Valid():
		return Sealed{}, errors.New("there is no proof that all was told")
	case f.Source != c.source:
		return Sealed{}, fmt.Errorf("the proof is for source %s", f.Source)
	case !f.Coverage.Equal(c.coverage):
		return Sealed{}, errors.New("the proof is for another coverage")
	case r.Now.IsZero() || f.At.IsZero():
		return Sealed{}, errors.New("no instant was given")
	case f.Cursor.IsZero():
		return Sealed{}, errors.New("the proof has no cursor")
	case f.Nothing && len(c.told) > 0:
		return Sealed{}, errors.New("the proof says that nothing changed, and something was told")
	}
	if err := c.current(f.Server, f.Knowledge, r); err != nil {
		return Sealed{}, err
	}
	if r.MaxRekey <= 0 {
		r.MaxRekey = usualRekey
	}
	var src sourceRecord
	if err := c.s.view(func(tx *txn) (err error) {
		if src, _, err = sourceOf(tx, c.source); err != nil {
			return err
		}
		if err := c.sameAs(src, f); err != nil {
			return err
		}
		return c.decided(tx, src, r)
	}); err != nil {
		return Sealed{}, err
	}
	if c.undecided != nil {
		return Sealed{}, c.undecided
	}
	if err := c.flush(); err != nil {
		return Sealed{}, err
	}
	last, err := c.bury()
	if err != nil {
		return Sealed{}, err
	}
	rec := sealRecord{Source: c.source, Num: c.num, Coverage: c.covNum, Server: f.Server, Knowledge: f.Shown, At: f.At.UTC().Round(0), Now: r.Now.UTC().Round(0),
		Follow: true, Cursor: f.Cursor, Owed: f.Sweep, Sealed: c.count()}
	return rec.Sealed, c.s.update(func(tx *txn) error { return c.close(tx, rec, last) })
}

// sameAs refuses to mix what was read in two ways.
func (c *Changes) sameAs(src sourceRecord, f directory.FollowedFacts) error {
	switch {
	case src.Cursor.IsZero():
		return c.leave("there is no cursor any more")
	case src.Scope != f.Scope:
		return c.leave("the snapshot was taken with other bases or filters")
	case src.Bind != f.Bind:
		return c.leave("the snapshot was taken as %s", src.Bind)
	}
	return nil
}

// count is what was told, in entries.
func (c *Changes) count() Sealed {
	var out Sealed
	for k, t := range c.told {
		if k.container {
			continue
		}
		was, is := t.known && t.shown(), t.what == toldPut || t.what == toldEdit
		n := &out.People
		if t.kind == directory.Group {
			n = &out.Groups
		}
		switch {
		case is && !was:
			*n++
		case was && !is:
			*n--
		}
		switch {
		case is && !t.known:
			out.New++
		case is && len(t.at) > 0:
			out.Changed++
		case !is && t.known && !t.settled():
			out.Missing++
		}
	}
	return out
}

// shown says whether the last listing, or what was told since, showed it.
func (v *idValue) shown() bool {
	return v.standing == identity.Active || v.standing == identity.Disabled || v.doubt == identity.SharedKey || v.doubt == identity.Rekeyed
}

// bury takes the dead records away, and says which is then the last one.
func (c *Changes) bury() (last uint64, err error) {
	for _, t := range c.told {
		for _, at := range t.at {
			last = max(last, at.from+at.n-1)
		}
	}
	for chunk := range slices.Chunk(c.dead, writeChunk) {
		if err := c.s.update(func(tx *txn) error {
			if sealed(tx) {
				return ErrUndrained
			}
			b := tx.Bucket(bStage)
			for _, at := range chunk {
				for i := range at.n {
					if err := b.Delete(u64(at.from + i)); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			return 0, err
		}
	}
	c.dead = nil
	return last, nil
}

// Evidence are those of which it was proved that they were deleted, by ID. A listing
// that is made because the changes could not decide everything has it from here.
func (c *Changes) Evidence() []directory.Gone {
	var out []directory.Gone
	for k, t := range c.told {
		if t.what == toldGone && t.known && !k.container {
			out = append(out, directory.Gone{ID: k.id, By: t.by})
		}
	}
	slices.SortFunc(out, func(a, b directory.Gone) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// sorted are those told of, in an order that is the same each time.
func (c *Changes) sorted() []toldKey {
	return slices.SortedFunc(maps.Keys(c.told), func(a, b toldKey) int { return strings.Compare(string(a.id), string(b.id)) })
}
