package state

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
)

// said is a personal part of a record that is to be written.
type said struct {
	person uint64
	data   any
}

// Note writes a record of something that is no write: a server that was
// believed, a policy that was taken. Public must not name a person; personal
// may, and may be nil.
func (s *Store) Note(kind string, public, personal any) error {
	return s.update(func(tx *txn) error {
		var parts []said
		if personal != nil {
			parts = append(parts, said{data: personal})
		}
		return s.note(tx, recordOf(kind), public, parts...)
	})
}

// note appends a record; Seq and Time are set here. Public must not name a
// person.
func (s *Store) note(tx *txn, r journal.Record, public any, parts ...said) error {
	var err error
	if public != nil {
		if r.Public, err = journal.Plain(public); err != nil {
			return err
		}
	}
	for _, p := range parts {
		part := journal.Part{Person: p.person}
		if part.Data, err = journal.Salted(p.data); err != nil {
			return err
		}
		r.Parts = append(r.Parts, part)
	}
	b, meta := tx.Bucket(bJournal), tx.Bucket(bMeta)
	b.fill(0.9)
	if r.Seq, err = b.NextSequence(); err != nil {
		return err
	}
	r.Time = s.now()
	var last journal.Hash
	copy(last[:], meta.Get(kHead))
	text, head, err := journal.Seal(last, r)
	if err != nil {
		return err
	}
	if err := b.Put(u64(r.Seq), text); err != nil {
		return err
	}
	return meta.Put(kHead, head[:])
}

func recordOf(kind string) journal.Record { return journal.Record{Kind: kind} }

// who names a person in a personal part of a record.
type who struct {
	ID    identity.ID `json:"id,omitempty"`
	DN    string      `json:"dn,omitempty"`
	Login string      `json:"login,omitempty"`
	Data  any         `json:"event,omitempty"`
}

// notePerson appends a record about a person, who is named in its first personal
// part.
func (s *Store) notePerson(tx *txn, r journal.Record, o identity.Ordinal, public, personal any, parts ...said) error {
	r.Person = uint64(o)
	w := who{Data: personal}
	if v := tx.Bucket(bPeople).Get(ordKey(o)); v != nil {
		p, err := decodeLean(v)
		if err != nil {
			return err
		}
		w.ID, w.DN, w.Login = p.id, p.dn, p.login
	}
	return s.note(tx, r, public, append([]said{{uint64(o), w}}, parts...)...)
}

// deciders finds out who decided, once each.
type deciders map[string]uint64

// part says who decided, under their own number where they are somebody that was
// read: it is forgotten with them.
func (d deciders) part(tx *txn, by string) ([]said, error) {
	if by == "" {
		return nil, nil
	}
	n, known := d[by]
	if !known {
		found, err := findOrdinals(tx, by)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(o identity.Ordinal) bool { return tx.Bucket(bPeople).Get(ordKey(o)) == nil })
		if len(found) == 1 {
			n = uint64(found[0])
		}
		d[by] = n
	}
	return []said{{n, decidedBy{by}}}, nil
}

type decidedBy struct {
	By string `json:"by"`
}

// because is why somebody decided so.
type because struct {
	Reason string `json:"reason,omitempty"`
}

// noteDecision appends a record of what somebody decided about no person.
func (s *Store) noteDecision(tx *txn, r journal.Record, public any, by, reason string) error {
	var parts []said
	if reason != "" {
		parts = append(parts, said{data: because{reason}})
	}
	decider, err := deciders{}.part(tx, by)
	if err != nil {
		return err
	}
	return s.note(tx, r, public, append(parts, decider...)...)
}

// noteCycle appends a record of what a cycle did in all.
func (s *Store) noteCycle(tx *txn, c CycleRecord) error {
	var parts []said
	if c.Error != "" {
		parts = append(parts, said{data: map[string]string{"error": c.Error}})
	}
	by, err := deciders{}.part(tx, c.By)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for what, n := range c.Counts {
		if n > 0 {
			counts[what] = n
		}
	}
	public := struct {
		Verb   string         `json:"verb"`
		Exit   int            `json:"exit"`
		TookMS int64          `json:"took_ms"`
		Counts map[string]int `json:"counts,omitempty"`
	}{c.Verb, c.Exit, c.Ended.Sub(c.Began).Milliseconds(), counts}
	return s.note(tx, journal.Record{Kind: "cycle", Cycle: c.ID}, public, append(parts, by...)...)
}

// Unverified keeps links and parked work of changes that the target was said to
// have made and does not show, and writes the journal.
func (s *Store) Unverified(cycle, name string, links []ledger.Link, parked []ledger.Parked) error {
	if len(links)+len(parked) == 0 {
		return nil
	}
	err := s.update(func(tx *txn) error {
		for _, l := range links {
			if err := putLink(tx, l, s.now()); err != nil {
				return err
			}
		}
		var parts []said
		for _, p := range parked {
			if err := putJSON(tx.Bucket(bParked), parkedKey(p.Target, p.Person, p.Subject), p); err != nil {
				return err
			}
			parts = append(parts, said{uint64(p.Person), map[string]string{"subject": p.Subject, "error": p.Error}})
		}
		return s.note(tx, journal.Record{Kind: "unverified", Cycle: cycle, Target: name}, map[string]any{"changes": len(parked)}, parts...)
	})
	if err != nil {
		return fmt.Errorf("keep what %s does not show: %w", name, err)
	}
	return nil
}

// concerns says whether a record is about a person, alone or among others.
func concerns(r journal.Record, person uint64) bool {
	if r.Person == person || slices.ContainsFunc(r.Parts, func(p journal.Part) bool { return p.Person == person }) {
		return true
	}
	var list struct {
		People []uint64 `json:"people"`
	}
	return json.Unmarshal(r.Public, &list) == nil && slices.Contains(list.People, person)
}
