package state

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// kMeant is whom the exceptions of the file mean; it is a key of the bucket meta.
var kMeant = []byte("meant")

// meantRecord is whom a text of the file means since it was first read. It is kept
// under a hash of the text, so that nobody is named.
type meantRecord struct {
	Person identity.Ordinal `json:",omitempty"`
	// Forgotten: whoever it meant was forgotten. It means nobody else.
	Forgotten bool `json:",omitempty"`
	// Among: it means more than one, and so nobody yet, but that an exception keeps
	// all of them. Once one of them is forgotten it means nobody: who is left was not
	// chosen.
	Among []identity.Ordinal `json:",omitempty"`
	// Retained: by an exception that keeps their accounts, until when; zero: for
	// ever.
	Retained bool      `json:",omitempty"`
	Until    time.Time `json:",omitzero"`
}

// Meaning is whom a text of the file means.
type Meaning struct {
	Text string
	// People are those whom it may mean: with one it means that one, with none or
	// several nobody.
	People []identity.Ordinal
	// Others are called so too, since after it was tied to the one.
	Others []identity.Ordinal
	// Forgotten: it meant somebody who was forgotten.
	Forgotten bool
}

// tied says whether it means one person, or nobody for ever.
func (r meantRecord) tied() bool { return r.Person.Valid() || r.Forgotten }

func meantKey(text string) string {
	d := digestOf("meant", foldLogin(text))
	return hex.EncodeToString(d[:])
}

// Meant says whom texts mean: logins, mail addresses, DNs, rehire keys or IDs. A
// text that PinMeant tied to somebody means that person for as long as it stands in
// the file, whoever is called so by then. Those who left are meant too. The result
// is in the order of the texts.
func (s *Store) Meant(texts []string) ([]Meaning, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	out := make([]Meaning, 0, len(texts))
	err := s.view(func(tx *txn) error {
		pinned, err := meantRecords(tx)
		if err != nil {
			return err
		}
		for _, text := range texts {
			m, err := meaningOf(tx, pinned, text)
			if err != nil {
				return err
			}
			out = append(out, m)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find whom exceptions mean: %w", err)
	}
	return out, nil
}

func meantRecords(tx *txn) (map[string]meantRecord, error) {
	pinned := map[string]meantRecord{}
	_, err := getJSON(tx.Bucket(bMeta), kMeant, &pinned)
	return pinned, err
}

func meaningOf(tx *txn, pinned map[string]meantRecord, text string) (Meaning, error) {
	m := Meaning{Text: text}
	called, err := calledSo(tx, text)
	if err != nil {
		return m, err
	}
	r := pinned[meantKey(text)]
	switch {
	case !r.tied():
		m.People = called
	case r.Forgotten:
		m.Forgotten, m.Others = true, called
	default:
		m.People = []identity.Ordinal{r.Person}
		m.Others = slices.DeleteFunc(called, func(o identity.Ordinal) bool { return o == r.Person })
	}
	return m, nil
}

// calledSo are the people whom a text finds, by their rehire key too.
func calledSo(tx *txn, text string) ([]identity.Ordinal, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	found, err := findOrdinals(tx, text)
	if err != nil {
		return nil, err
	}
	b := tx.Bucket(bSources)
	if err := b.ForEach(func(k, _ []byte) error {
		var r sourceRecord
		if _, err := getJSON(b, k, &r); err != nil {
			return err
		}
		found = append(found, named(tx, nameHash(byKey, r.Num, text))...)
		return nil
	}); err != nil {
		return nil, err
	}
	slices.Sort(found)
	found = slices.Compact(found)
	people := tx.Bucket(bPeople)
	return slices.DeleteFunc(found, func(o identity.Ordinal) bool { return people.Get(ordKey(o)) == nil }), nil
}

// PinMeant ties the texts by which exceptions name people to whom they mean now,
// where that is one person; one that is tied stays so. A text that no exception
// names any more is let go.
func (s *Store) PinMeant(list []ledger.Exception) error {
	err := s.update(func(tx *txn) error {
		was, err := meantRecords(tx)
		if err != nil {
			return err
		}
		now := make(map[string]meantRecord, len(list))
		for _, e := range list {
			key := meantKey(e.Written)
			r := was[key]
			if !r.tied() {
				called, err := calledSo(tx, e.Written)
				if err != nil {
					return err
				}
				switch {
				case len(called) == 1:
					r = meantRecord{Person: called[0]}
				case len(called) > 1:
					r = meantRecord{Among: called}
				default:
					continue
				}
			}
			here, again := now[key]
			if !again {
				r.Retained, r.Until = false, time.Time{}
				here = r
			}
			if e.Kind == ledger.Retain {
				switch {
				case here.Retained && here.Until.IsZero():
				case !e.Until.Set():
					here.Until = time.Time{}
				case e.Until.At.After(here.Until):
					here.Until = e.Until.At.UTC()
				}
				here.Retained = true
			}
			now[key] = here
		}
		if len(was) == 0 && len(now) == 0 {
			return nil
		}
		return putJSON(tx.Bucket(bMeta), kMeant, now)
	})
	if err != nil {
		return fmt.Errorf("keep whom exceptions mean: %w", err)
	}
	return nil
}

// meantNow changes whom texts mean when people are forgotten or become one.
func meantNow(tx *txn, change func(meantRecord) meantRecord) error {
	pinned, err := meantRecords(tx)
	if err != nil || len(pinned) == 0 {
		return err
	}
	for k, r := range pinned {
		pinned[k] = change(r)
	}
	return putJSON(tx.Bucket(bMeta), kMeant, pinned)
}

// retained says whether an exception keeps what is known of the person, and until
// when; zero: for ever.
func retained(tx *txn, o identity.Ordinal, now time.Time) (until time.Time, is bool, err error) {
	pinned, err := meantRecords(tx)
	if err != nil {
		return until, false, err
	}
	longest := func(t time.Time) {
		switch {
		case !t.IsZero() && !now.Before(t):
		case is && until.IsZero():
		case !is, t.IsZero(), t.After(until):
			until, is = t, true
		}
	}
	for _, r := range pinned {
		if r.Retained && (r.Person == o || slices.Contains(r.Among, o)) {
			longest(r.Until)
		}
	}
	list, err := exceptionsOf(tx, o)
	for _, e := range list {
		if e.Kind == ledger.Retain {
			longest(e.Until.At)
		}
	}
	return until, is, err
}
