package state

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state/journal"
)

// accounting holds the personal parts that are gone against the records that say
// who was forgotten: nobody takes a part away and says that somebody was.
type accounting struct {
	blanks []blank
	who    map[uint64]bool
	also   map[[2]uint64]bool
}

// blank is a personal part that is gone. The one of everybody goes with any of
// the others.
type blank struct {
	seq, part, person uint64
	follows           bool
}

// forgetWord is in each record that may say who was forgotten.
var forgetWord = []byte(`"kind":"forg`)

func (a *accounting) record(seq uint64, raw []byte) error {
	if bytes.Contains(raw, forgetWord) {
		if err := a.forget(raw); err != nil {
			return err
		}
	}
	gone, err := journal.Gone(raw)
	if err != nil || len(gone) == 0 {
		return err
	}
	named := false
	for _, g := range gone {
		named = named || g.Person != journal.Everybody && g.Person != 0
	}
	for _, g := range gone {
		a.blanks = append(a.blanks, blank{seq, uint64(g.Part), g.Person, g.Person == journal.Everybody && named})
	}
	return nil
}

// forget reads who was forgotten.
func (a *accounting) forget(raw []byte) error {
	r, err := journal.Decode(raw)
	if err != nil || r.Kind != "forget" && r.Kind != "forgot" {
		return err
	}
	var f struct {
		People []identity.Ordinal
		Also   [][2]uint64
	}
	if err := json.Unmarshal(r.Public, &f); err != nil {
		return fmt.Errorf("%w at record %d: %v", journal.ErrChain, r.Seq, err)
	}
	a.take(f.People, f.Also)
	return nil
}

func (a *accounting) take(people []identity.Ordinal, also [][2]uint64) {
	if a.who == nil {
		a.who, a.also = map[uint64]bool{}, map[[2]uint64]bool{}
	}
	for _, o := range people {
		a.who[uint64(o)] = true
	}
	for _, at := range also {
		a.also[at] = true
	}
}

// settle says which part is gone that nobody was forgotten for. Size is the last
// record that was looked at.
func (a *accounting) settle(s *Store, size uint64) error {
	if _, lost := a.unaccounted(); !lost {
		return nil
	}
	// Somebody may be forgotten just now, or was since the journal began to be
	// read: the record that says so comes after what is gone.
	var f forgetting
	if err := s.view(func(tx *txn) error {
		_, err := getJSON(tx.Bucket(bMeta), kForgetting, &f)
		return err
	}); err != nil {
		return err
	}
	a.take(f.People, f.Also)
	if err := s.walkJournal(func(m Month) bool { return m.To <= size }, func(seq uint64, raw []byte) error {
		if seq <= size || !bytes.Contains(raw, forgetWord) {
			return nil
		}
		return a.forget(raw)
	}); err != nil {
		return err
	}
	if b, lost := a.unaccounted(); lost {
		return fmt.Errorf("%w at record %d: a personal part was taken away, and no record says that somebody was forgotten", journal.ErrChain, b.seq)
	}
	return nil
}

func (a *accounting) unaccounted() (blank, bool) {
	for _, b := range a.blanks {
		if !b.follows && !a.who[b.person] && !a.also[[2]uint64{b.seq, b.part}] {
			return b, true
		}
	}
	return blank{}, false
}
