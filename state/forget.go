package state

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// kForgetting says whom to forget is under way; it is a key of the bucket meta.
var kForgetting = []byte("forgetting")

// forgetting is what is left to do of a forgetting that was begun. What it names
// is gone when the file is written anew.
type forgetting struct {
	People []identity.Ordinal
	// Names tell them, Shared may be other people's names too.
	Names, Shared []string
	// Also are personal parts about others, as record and part, that name them.
	Also [][2]uint64
	// Upto is the record that says that it was begun; those after it stay.
	Upto uint64
	// Parts is how many parts were taken out of the journal.
	Parts int
	// Rewrite: only the file is to be written anew.
	Rewrite bool
}

// Forgotten says what came of a forgetting.
type Forgotten struct {
	People []identity.Ordinal
	// Parts is how many personal parts were taken out of the journal.
	Parts int
	// Left is where they are still named, which is not for rosterd to change.
	Left []string
}

// RefusedError says why somebody is not forgotten.
type RefusedError struct {
	Person    identity.Ordinal
	Why, What string
}

func (e *RefusedError) Error() string { return e.Why }

// Hint says what to do.
func (e *RefusedError) Hint() string { return e.What }

// Forget erases people: what was read of them, their accounts' names, and what
// the journal says of them, whose chain still verifies. Those who are in the
// source, or have an account that is not closed, are the error *RefusedError, and
// nobody is forgotten. It is begun in one transaction and ended whatever happens:
// by FinishForget, if this does not come so far. Nothing else may read or write
// the state for its own ends meanwhile.
func (s *Store) Forget(ctx context.Context, who []identity.Ordinal, by, reason string) (Forgotten, error) {
	out, err := s.forget(ctx, who, by, reason)
	if err != nil {
		return out, fmt.Errorf("forget: %w", ours(err))
	}
	return out, nil
}

func (s *Store) forget(ctx context.Context, who []identity.Ordinal, by, reason string) (Forgotten, error) {
	if _, err := s.FinishForget(ctx); err != nil || len(who) == 0 {
		return Forgotten{}, err
	}
	if _, err := s.CloseMonths(ctx); err != nil {
		return Forgotten{}, err
	}
	// What waits to be written may name them too.
	if err := s.putLater(); err != nil {
		return Forgotten{}, err
	}
	called := newCalledBy(who)
	if err := called.inJournal(s); err != nil {
		return Forgotten{}, err
	}
	if err := s.update(func(tx *txn) error { return s.beginForget(tx, called, by, reason) }); err != nil {
		return Forgotten{}, err
	}
	s.step("forgetting begun")
	return s.FinishForget(ctx)
}

// MayForget says whether Forget would refuse the person: nobody is asked for what cannot be.
func (s *Store) MayForget(who identity.Ordinal) error {
	err := s.view(func(tx *txn) error { return mayForget(tx, who, s.now()) })
	if err != nil {
		return fmt.Errorf("forget: %w", ours(err))
	}
	return nil
}

// beginForget checks that they may be forgotten, erases them from all but the
// journal, and remembers what is left to do.
func (s *Store) beginForget(tx *txn, called *calledBy, by, reason string) error {
	who := sortedOrdinals(called.who)
	for _, o := range who {
		if err := mayForget(tx, o, s.now()); err != nil {
			return err
		}
	}
	if err := called.inState(tx); err != nil {
		return err
	}
	refs := called.refs()
	called.sharedWithWords(tx)
	f := forgetting{People: who, Names: slices.Sorted(maps.Keys(called.names)), Shared: slices.Sorted(maps.Keys(called.shared))}
	e := eraser{tx: tx, now: s.now(), who: called.who, names: newNeedles(f.Names, false), texts: newNeedles(slices.Concat(f.Names, f.Shared), false), refs: refs}
	if err := e.run(); err != nil {
		return err
	}
	if err := s.noteDecision(tx, recordOf("forget"), map[string]any{"people": who}, by, reason); err != nil {
		return err
	}
	f.Upto = tx.Bucket(bJournal).Sequence()
	return putJSON(tx.Bucket(bMeta), kForgetting, f)
}

// mayForget refuses whoever is not gone, or has access left.
func mayForget(tx *txn, o identity.Ordinal, now time.Time) error {
	if sealed(tx) {
		return ErrUndrained
	}
	v := tx.Bucket(bPeople).Get(ordKey(o))
	if v == nil {
		return fmt.Errorf("%s: %w", o, ErrNoPerson)
	}
	p, err := decodeLean(v)
	if err != nil {
		return err
	}
	if p.standing != identity.Gone && p.standing != identity.PresumedGone {
		return &RefusedError{Person: o, Why: fmt.Sprintf("%s is not gone from the source: %s", o, p.standing),
			What: "delete the entry in the directory first; what is read there would be known again"}
	}
	if until, is, err := retained(tx, o, now); err != nil {
		return err
	} else if is {
		end := "without an end"
		if !until.IsZero() {
			end = "until " + until.Format(time.RFC3339)
		}
		return &RefusedError{Person: o, Why: fmt.Sprintf("an exception keeps %s, %s", o, end),
			What: "see: rosterd status; take the [retain] out of the file, or: rosterd unretain"}
	}
	links := tx.Bucket(bLinks)
	for _, k := range under(links, ordKey(o)) {
		l, err := decodeLink(o, string(k[8:]), links.Get(k))
		if err != nil {
			return err
		}
		if l.Phase != ledger.Closed && l.Phase != ledger.Deleted {
			return &RefusedError{Person: o, Why: fmt.Sprintf("an account of %s in %s is %s", o, l.Target, l.Phase),
				What: "it must be closed first, or nobody would close it: rosterd sync, rosterd status"}
		}
	}
	return tx.Bucket(bIntents).ForEach(func(k, v []byte) error {
		i, err := decodeIntent(fromU64(k), v)
		if err == nil && i.order.Change.Person == o {
			err = &RefusedError{Person: o, Why: fmt.Sprintf("nobody knows yet whether a change of %s in %s was made", o, i.order.Change.Target),
				What: "the next cycle looks: rosterd sync"}
		}
		return err
	})
}

// FinishForget ends what was begun and not ended, for instance because the
// process was killed. It does nothing where nothing was.
func (s *Store) FinishForget(ctx context.Context) (Forgotten, error) {
	var f forgetting
	there := false
	if err := s.view(func(tx *txn) (err error) {
		there, err = getJSON(tx.Bucket(bMeta), kForgetting, &f)
		return err
	}); err != nil || !there {
		return Forgotten{}, err
	}
	out := Forgotten{People: f.People}
	if !f.Rewrite {
		if err := s.sweepMonths(); err != nil {
			return out, err
		}
		// Records that a file has already would be overlooked in the state.
		if err := s.leaveOpenMonth(ctx); err != nil {
			return out, err
		}
		j := newForgetter(s, f)
		if err := j.run(ctx); err != nil {
			return out, err
		}
		out.Parts = j.f.Parts
		var err error
		if out.Left, err = s.leftOf(j.f); err != nil {
			return out, err
		}
		// From here on the state does not say whom.
		if err := s.update(func(tx *txn) error {
			if err := s.note(tx, recordOf("forgot"), map[string]any{"people": j.f.People, "parts": j.f.Parts, "also": j.f.Also}); err != nil {
				return err
			}
			return putJSON(tx.Bucket(bMeta), kForgetting, forgetting{People: j.f.People, Parts: j.f.Parts, Rewrite: true})
		}); err != nil {
			return out, err
		}
		s.step("journal forgotten")
	}
	if err := s.Compact(ctx); err != nil {
		return out, err
	}
	s.step("written anew")
	return out, s.update(func(tx *txn) error { return tx.Bucket(bMeta).Delete(kForgetting) })
}

// Forgetting says whether a forgetting was begun and not ended.
func (s *Store) Forgetting() (bool, error) {
	there := false
	err := s.view(func(tx *txn) error {
		there = tx.Bucket(bMeta).Get(kForgetting) != nil
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read whether somebody is being forgotten: %w", err)
	}
	return there, nil
}
