package state

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// SourceFacts is what is known of a source as a whole.
type SourceFacts struct {
	// LastRead is when the last listing that was sealed began; LastComplete
	// when it was sealed.
	LastRead, LastComplete time.Time
	// LastSweep is when the last listing of IDs alone was sealed.
	LastSweep time.Time
	// LastFollow is as of when all changes were last told, Engine how changes are
	// followed; empty where they cannot be. Deletes: it tells who was deleted.
	LastFollow time.Time
	Engine     string
	Deletes    bool
	// Why says why everything was read last time, where changes could have been
	// followed.
	Why string
	// Server answered it.
	Server string
	// People is how many it showed; Peak the largest listing since the last
	// drop that was within the limit or accepted.
	People, Groups, Peak int
	// MinPeople: the last listing is too small a share of the peak. All
	// removals from this source wait until it recovers or AcceptDrop.
	MinPeople bool
	// Blackouts are the containers that showed nobody whom they held.
	Blackouts []string
	// SecondLookAt is when another listing can confirm absences; zero if none
	// waits.
	SecondLookAt time.Time
	// Owed says why a listing must come: changes were told, of which some do not say
	// who is gone. It stands until one was sealed: of IDs in the same cycle, of
	// everything in a later one.
	Owed string
	// Rekeyed is how many entries came back under other IDs, if those are too
	// many to be believed.
	Rekeyed int
	// Dangling is how many members of groups are nobody known.
	Dangling int `json:"-"`
}

// Deletions is as of when it is known who was deleted.
func (f SourceFacts) Deletions() time.Time {
	known := f.LastComplete
	if f.LastSweep.After(known) {
		known = f.LastSweep
	}
	if f.Deletes && f.Owed == "" && f.LastFollow.After(known) {
		known = f.LastFollow
	}
	return known
}

type sourceRecord struct {
	Num       uint64
	Coverage  uint64
	Knowledge directory.Knowledge
	// Cursor is how far changes were followed. Bind and Scope are as whom and where
	// the last listing was read.
	Cursor      directory.Cursor
	Bind, Scope string
	SourceFacts
}

func sourceOf(tx *txn, name string) (sourceRecord, bool, error) {
	var r sourceRecord
	ok, err := getJSON(tx.Bucket(bSources), []byte(name), &r)
	return r, ok, err
}

// makeSource gives a source its number when it is first staged.
func makeSource(tx *txn, name string) (sourceRecord, error) {
	r, ok, err := sourceOf(tx, name)
	if ok || err != nil {
		return r, err
	}
	b := tx.Bucket(bSources)
	if r.Num, err = b.NextSequence(); err != nil {
		return r, err
	}
	return r, putJSON(b, []byte(name), r)
}

// makeCoverage gives a coverage its number, the same for the same names.
func makeCoverage(tx *txn, c identity.Coverage) (uint64, error) {
	b := tx.Bucket(bCoverages)
	text, err := json.Marshal(c.Names())
	if err != nil {
		return 0, err
	}
	cur := b.Cursor()
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		if string(v) == string(text) {
			return fromU64(k), nil
		}
	}
	n, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	return n, b.Put(u64(n), text)
}

// words resolves the numbers of sources and coverages within one transaction.
type words struct {
	tx        *txn
	sources   map[uint64]string
	coverages map[uint64]identity.Coverage
}

func (w *words) source(n uint64) (string, error) {
	if w.sources == nil {
		w.sources = map[uint64]string{}
		b := w.tx.Bucket(bSources)
		if err := b.ForEach(func(k, _ []byte) error {
			var r sourceRecord
			if _, err := getJSON(b, k, &r); err != nil {
				return err
			}
			w.sources[r.Num] = string(k)
			return nil
		}); err != nil {
			return "", err
		}
	}
	if s, ok := w.sources[n]; ok {
		return s, nil
	}
	return "", fmt.Errorf("%w (source %d)", ErrCorrupt, n)
}

func (w *words) coverage(n uint64) (identity.Coverage, error) {
	if c, ok := w.coverages[n]; ok {
		return c, nil
	}
	var names []string
	if ok, err := getJSON(w.tx.Bucket(bCoverages), u64(n), &names); err != nil || !ok {
		return identity.Coverage{}, fmt.Errorf("%w (coverage %d)", ErrCorrupt, n)
	}
	if w.coverages == nil {
		w.coverages = map[uint64]identity.Coverage{}
	}
	c := identity.NewCoverage(names...)
	w.coverages[n] = c
	return c, nil
}

// Coverage returns what the snapshot of the source was read with, and false
// where there is no snapshot.
func (s *Store) Coverage(source string) (identity.Coverage, bool) {
	var c identity.Coverage
	ok := false
	_ = s.view(func(tx *txn) error {
		r, there, err := sourceOf(tx, source)
		if err != nil || !there || r.Coverage == 0 {
			return err
		}
		w := words{tx: tx}
		c, err = w.coverage(r.Coverage)
		ok = err == nil
		return err
	})
	return c, ok
}

// Sources are the names of the sources that were read.
func (s *Store) Sources() ([]string, error) {
	var out []string
	err := s.view(func(tx *txn) error {
		return tx.Bucket(bSources).ForEach(func(k, _ []byte) error {
			out = append(out, string(k))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	return out, nil
}

// SourceFacts returns what is known of the source; of one never read, zero.
func (s *Store) SourceFacts(source string) (SourceFacts, error) {
	var r sourceRecord
	err := s.view(func(tx *txn) (err error) {
		r, _, err = sourceOf(tx, source)
		r.Dangling = dangling(tx, r.Num)
		return err
	})
	if err != nil {
		return SourceFacts{}, fmt.Errorf("read facts of source %s: %w", source, err)
	}
	at, err := s.LastRun(followRun(source))
	if at.After(r.LastFollow) {
		r.LastFollow = at
	}
	return r.SourceFacts, err
}

// AcceptDrop takes the size of the last listing as the right one, and marks
// everybody of the source.
func (s *Store) AcceptDrop(source, by string) error {
	err := s.update(func(tx *txn) error {
		r, ok, err := sourceOf(tx, source)
		if err != nil || !ok {
			return err
		}
		was := r.Peak
		r.Peak, r.MinPeople = r.People, false
		if err := s.noteDecision(tx, recordOf("accept-drop"), map[string]any{"source": source, "from": was, "to": r.People}, by, ""); err != nil {
			return err
		}
		return putJSON(tx.Bucket(bSources), []byte(source), r)
	})
	if err == nil {
		_, err = s.MarkEveryone(source, "drop accepted")
	}
	if err != nil {
		return fmt.Errorf("accept drop of source %s: %w", source, err)
	}
	return nil
}
