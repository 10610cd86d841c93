package state

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Drained says what came of a listing that was moved into the snapshot.
type Drained struct {
	// Source is empty where nothing was sealed.
	Source string
	Sealed
	// Relinked came back under a new ID and keep their ordinal.
	Relinked int
	// Marked is how many people became dirty, since the drain was begun or
	// taken up again.
	Marked int
	// Blackout are the containers that showed nobody whom they held.
	Blackout []string
	// SecondLookAt is when another listing can confirm absences.
	SecondLookAt time.Time
	// Rekeyed is how many entries came back under another ID, if too many.
	Rekeyed int
	// Peak is the size against which a drop is measured; Drop says that this
	// listing is too small a share of it.
	Peak int
	Drop bool
	// Dangling is how many members of groups are nobody known.
	Dangling int
	// Follow: changes were told; People and Groups are how many more there are.
	Follow bool
}

// progress is how far a drain came. It moves in the transaction that does the
// work, so that no step is done twice or left out.
type progress struct {
	Step int
	Done int
}

// The steps of a drain.
const (
	stepBefore = iota // mark who loses by a change of groups
	stepMove          // entries, edges and marks
	stepIndex         // of a first load: the indexes, sorted
	stepAfter         // mark who gains by a change of groups; facts; end
)

// drain is one run of Drain.
type drain struct {
	s   *Store
	rec sealRecord
	at  progress
	ops []operation
	// overrides of entries that are in the stage, by ID.
	overrides map[identity.ID]ruling
	marked    map[identity.Ordinal]struct{}
}

// operation is a place in the stage.
type operation struct {
	seq  uint64
	kind directory.Kind // 0: a ruling
	id   identity.ID
	// whole is of groups, and edit: its members alone changed.
	whole, edit bool
	// rule is of rulings.
	rule *ruling
	ord  identity.Ordinal
}

// Drain moves a sealed listing into the snapshot, in chunks, and takes up where
// one that was interrupted stopped. It does nothing where nothing is sealed.
// Call it at the start and after each Seal. What it says is kept: SourceFacts
// has it later.
func (s *Store) Drain(ctx context.Context) (Drained, error) {
	d := &drain{s: s, marked: map[identity.Ordinal]struct{}{}}
	there := false
	err := s.view(func(tx *txn) (err error) {
		if there, err = getJSON(tx.Bucket(bStageMeta), kSealed, &d.rec); err != nil || !there {
			return err
		}
		if _, err = getJSON(tx.Bucket(bStageMeta), kProgress, &d.at); err != nil {
			return err
		}
		return d.plan(tx)
	})
	if err == nil && there {
		err = d.run(ctx)
	}
	if err != nil {
		return Drained{}, fmt.Errorf("drain listing: %w", err)
	}
	if !there {
		return Drained{}, nil
	}
	facts, err := s.SourceFacts(d.rec.Source)
	return Drained{Source: d.rec.Source, Sealed: d.rec.Sealed, Relinked: d.rec.Relinked, Marked: len(d.marked), Blackout: d.rec.Blackouts,
		SecondLookAt: d.rec.SecondLookAt, Rekeyed: d.rec.Rekeyed, Peak: d.rec.Peak, Drop: d.rec.Drop, Dangling: facts.Dangling, Follow: d.rec.Follow}, err
}

// Undrained says whether a sealed listing waits to be drained.
func (s *Store) Undrained() (bool, error) {
	var there bool
	err := s.view(func(tx *txn) error {
		there = sealed(tx)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read stage: %w", err)
	}
	return there, nil
}

// plan lists the operations in an order that is the same each time: containers,
// groups and people by ID, then what is ruled on entries that the stage does not hold.
func (d *drain) plan(tx *txn) error {
	d.overrides = map[identity.ID]ruling{}
	staged := map[identity.ID]bool{}
	var rulings []operation
	err := tx.Bucket(bStage).ForEach(func(k, v []byte) error {
		switch {
		case len(v) == 0:
			return fmt.Errorf("%w (empty stage record)", ErrCorrupt)
		case v[0] == stEntry:
			kind, id, ordinal, whole, err := stagedHead(v)
			if err != nil {
				return err
			}
			d.ops = append(d.ops, operation{seq: fromU64(k), kind: kind, id: id, whole: whole, ord: ordinal})
		case v[0] == stEdit:
			id, ordinal, err := decodeEdit(v)
			if err != nil {
				return err
			}
			d.ops = append(d.ops, operation{seq: fromU64(k), kind: directory.Group, id: id, edit: true, ord: ordinal})
		case v[0] == stContainer:
			id, _, err := decodeContainer(v)
			if err != nil {
				return err
			}
			d.ops = append(d.ops, operation{seq: fromU64(k), kind: directory.Container, id: id})
		case v[0] == stAbsent || v[0] == stOverride:
			u, err := decodeRuling(v)
			if err != nil {
				return err
			}
			if !u.absent {
				d.overrides[u.id] = u
			}
			rulings = append(rulings, operation{seq: fromU64(k), rule: &u})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(d.overrides) > 0 {
		for _, o := range d.ops {
			if _, ok := d.overrides[o.id]; ok {
				staged[o.id] = true
			}
		}
	}
	slices.SortFunc(d.ops, func(a, b operation) int {
		if a.kind != b.kind {
			return int(b.kind) - int(a.kind)
		}
		// A group may have been read whole, and edited after that.
		return cmp.Or(strings.Compare(string(a.id), string(b.id)), cmp.Compare(a.seq, b.seq))
	})
	for _, r := range rulings {
		if r.rule.absent || !staged[r.rule.id] {
			d.ops = append(d.ops, r)
		}
	}
	return nil
}

func (d *drain) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		switch d.at.Step {
		case stepBefore:
			err = d.markGroups('-', stepMove)
		case stepMove:
			err = d.move()
		case stepIndex:
			err = d.index()
		case stepAfter:
			if err = d.markGroups('+', stepAfter); err == nil {
				return d.end()
			}
		default:
			return fmt.Errorf("%w (drain step %d)", ErrCorrupt, d.at.Step)
		}
		if err != nil {
			return err
		}
	}
}

// step remembers how far it came.
func (d *drain) step(tx *txn, p progress) error {
	return putJSON(tx.Bucket(bStageMeta), kProgress, p)
}

func (d *drain) mark(tx *txn, o identity.Ordinal, reasons ...string) error {
	d.marked[o] = struct{}{}
	return mark(tx, o, reasons...)
}

// How much one transaction of a drain moves.
const (
	moveEntries = 10_000
	moveBytes   = 8 << 20
)

// move applies the next operations.
func (d *drain) move() error {
	at := d.at
	err := d.s.update(func(tx *txn) error {
		m := mover{drain: d, tx: tx, w: words{tx: tx}}
		for _, name := range [][]byte{bPeople, bGroups, bIDs, bMarks} {
			tx.Bucket(name).fill(0.9)
		}
		for n := 0; n < moveEntries && m.bytes < moveBytes && at.Done < len(d.ops); n++ {
			if err := m.apply(d.ops[at.Done]); err != nil {
				return err
			}
			at.Done++
		}
		if at.Done == len(d.ops) {
			at = progress{Step: stepAfter}
			if d.rec.Load {
				at.Step = stepIndex
			}
		}
		return d.step(tx, at)
	})
	if err == nil {
		d.at = at
	}
	return err
}

// facts are what the source is known by from now on.
func (r *sealRecord) facts(src *sourceRecord) {
	src.Server, src.Knowledge, src.Coverage = r.Server, r.Knowledge, r.Coverage
	if r.Follow {
		src.follows(r.Cursor, r.At)
		src.owes(r.Owed)
		// The rest is of listings.
		src.People, src.Groups = max(0, src.People+r.People), max(0, src.Groups+r.Groups)
		return
	}
	if r.Sweep {
		src.LastSweep = r.Now
	} else {
		src.LastRead, src.LastComplete = r.At, r.Now
		src.follows(r.Cursor, r.At)
		src.Bind, src.Scope, src.Why = r.Bind, r.Scope, r.Why
	}
	src.People, src.Groups, src.Peak, src.MinPeople = r.People, r.Groups, r.Peak, r.Drop
	src.Blackouts, src.SecondLookAt, src.Rekeyed, src.Owed = r.Blackouts, r.SecondLookAt, r.Rekeyed, ""
}

// owes keeps why a listing of IDs must come next, with the cursor: it is told once.
func (src *sourceRecord) owes(why string) {
	if why != "" {
		src.Owed = why
	}
}

// follows moves the cursor. One that is none says that changes cannot be followed.
func (src *sourceRecord) follows(c directory.Cursor, at time.Time) {
	src.Cursor, src.Engine, src.Deletes = c, c.Engine, c.Deletes
	if !c.IsZero() {
		src.LastFollow = at
	}
}

// end keeps the facts and takes the stage away.
func (d *drain) end() error {
	return d.s.update(func(tx *txn) error {
		src, _, err := sourceOf(tx, d.rec.Source)
		if err != nil {
			return err
		}
		d.rec.facts(&src)
		if err := putJSON(tx.Bucket(bSources), []byte(d.rec.Source), src); err != nil {
			return err
		}
		if err := tx.Bucket(bStageMeta).Delete(kSealed); err != nil {
			return err
		}
		if err := tx.Bucket(bStageMeta).Delete(kProgress); err != nil {
			return err
		}
		return emptyStage(tx)
	})
}
