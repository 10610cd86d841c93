package state

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Names of accounts are remembered beyond the accounts, so that mail and rights of
// whoever had one do not come to somebody else by it. They are kept as salted
// hashes: whether a name was given can be asked, which ones were cannot. Names that
// differ in case or blanks alone count as one, whatever the target says.

const givenForm = 1

// givenNames is the bucket of names. Made where the first is written, and then
// filled from the links of a state that knew of none.
func givenNames(tx *txn) (*bucket, error) {
	if b := tx.Bucket(bGiven); b != nil {
		return b, nil
	}
	salt := make([]byte, 32)
	if _, err := rand.Read(salt); err != nil {
		return nil, err
	}
	if err := tx.Bucket(bMeta).Put(kSalt, salt); err != nil {
		return nil, err
	}
	b, err := tx.CreateBucketIfNotExists(bGiven)
	if err != nil {
		return nil, err
	}
	return b, tx.Bucket(bLinks).ForEach(func(k, v []byte) error {
		l, err := decodeLink(identity.Ordinal(fromU64(k)), string(k[8:]), v)
		if err != nil || l.Name == "" {
			return err
		}
		g := ledger.Given{Person: l.Person}
		if l.Phase == ledger.Deleted {
			g.Released = l.PhaseSince
		}
		return b.Put(givenKey(tx, l.Target, l.Name), encodeGiven(g))
	})
}

func givenKey(tx *txn, name, account string) []byte {
	h := hmac.New(sha256.New, tx.Bucket(bMeta).Get(kSalt))
	h.Write([]byte(identity.Fold(account)))
	return append(append([]byte(name), 0), h.Sum(nil)[:16]...)
}

func encodeGiven(g ledger.Given) []byte {
	w := writer{}
	w.byte(givenForm)
	w.uint(uint64(g.Person))
	w.time(g.Released)
	return w.b
}

func decodeGiven(b []byte) (ledger.Given, error) {
	r := reader{b: b}
	r.form(givenForm)
	g := ledger.Given{Person: identity.Ordinal(r.uint()), Released: r.time()}
	return g, r.end()
}

// giveName notes that the person has the name, or is about to.
func giveName(tx *txn, name, account string, who identity.Ordinal) error {
	if account == "" {
		return nil
	}
	b, err := givenNames(tx)
	if err != nil {
		return err
	}
	return b.Keep(givenKey(tx, name, account), encodeGiven(ledger.Given{Person: who}))
}

// releaseName notes that the person does not have the name any more. Whoever was
// given it since keeps it. A name that turned out to be of nobody we know is
// nobody's from now on.
func releaseName(tx *txn, name, account string, who identity.Ordinal, now time.Time, nobody bool) error {
	b := tx.Bucket(bGiven)
	if b == nil || account == "" {
		return nil
	}
	key := givenKey(tx, name, account)
	v := b.Get(key)
	if v == nil {
		return nil
	}
	g, err := decodeGiven(v)
	if err != nil || g.Person != who || !g.Released.IsZero() {
		return err
	}
	if g.Released = now; nobody {
		g.Person = 0
	}
	return b.Put(key, encodeGiven(g))
}

// nameMoves follows a link that changes.
func nameMoves(tx *txn, was, is *ledger.Link, now time.Time) error {
	lives := func(l *ledger.Link) bool { return l != nil && l.Phase != ledger.Deleted }
	if lives(was) && (!lives(is) || identity.Fold(was.Name) != identity.Fold(is.Name)) {
		if err := releaseName(tx, was.Target, was.Name, was.Person, now, false); err != nil {
			return err
		}
	}
	if !lives(is) {
		return nil
	}
	return giveName(tx, is.Target, is.Name, is.Person)
}

// nameIntended notes the name that a write will give, before it leaves.
func nameIntended(tx *txn, o ledger.Order) error {
	if c := o.Change; c.Verb == target.Create || c.Verb == target.Rename {
		return giveName(tx, c.Target, c.Name, c.Person)
	}
	return nil
}

// nameRefused takes that back where the write was not made. A name of which the
// target says that it exists is that of an account that we cannot see.
func nameRefused(tx *txn, r Result, now time.Time) error {
	c := r.Intent.order.Change
	if c.Verb != target.Create && c.Verb != target.Rename {
		return nil
	}
	if v := tx.Bucket(bLinks).Get(linkKey(c.Person, c.Target)); v != nil {
		l, err := decodeLink(c.Person, c.Target, v)
		if err != nil || l.Phase != ledger.Deleted && identity.Fold(l.Name) == identity.Fold(c.Name) {
			return err
		}
	}
	return releaseName(tx, c.Target, c.Name, c.Person, now, r.Outcome.Class == target.Exists)
}

// forgetNames leaves of people who are forgotten that somebody had the names.
func forgetNames(tx *txn, who map[identity.Ordinal]bool, now time.Time) error {
	b := tx.Bucket(bGiven)
	if b == nil {
		return nil
	}
	changed := map[string][]byte{}
	if err := b.ForEach(func(k, v []byte) error {
		g, err := decodeGiven(v)
		if err != nil || !who[g.Person] {
			return err
		}
		if g.Person = 0; g.Released.IsZero() {
			g.Released = now
		}
		changed[string(k)] = encodeGiven(g)
		return nil
	}); err != nil {
		return err
	}
	for k, v := range changed {
		if err := b.Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}

// Given says of names in a target who has them or had them, by the same index.
func (s *Store) Given(name string, accounts ...string) ([]ledger.Given, error) {
	out := make([]ledger.Given, len(accounts))
	err := s.view(func(tx *txn) error {
		b := tx.Bucket(bGiven)
		if b == nil {
			return s.givenByLinks(tx, name, accounts, out)
		}
		for i, a := range accounts {
			v := b.Get(givenKey(tx, name, a))
			if v == nil {
				continue
			}
			var err error
			if out[i], err = decodeGiven(v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read given names: %w", err)
	}
	return out, nil
}

// givenByLinks answers where no name was written down yet.
func (s *Store) givenByLinks(tx *txn, name string, accounts []string, out []ledger.Given) error {
	at := map[string][]int{}
	for i, a := range accounts {
		at[identity.Fold(a)] = append(at[identity.Fold(a)], i)
	}
	return tx.Bucket(bLinks).ForEach(func(k, v []byte) error {
		if string(k[8:]) != name {
			return nil
		}
		l, err := decodeLink(identity.Ordinal(fromU64(k)), name, v)
		for _, i := range at[identity.Fold(l.Name)] {
			if out[i].Person == 0 || l.Phase != ledger.Deleted {
				out[i] = ledger.Given{Person: l.Person}
			}
			if l.Phase == ledger.Deleted && out[i].Person == l.Person {
				out[i].Released = l.PhaseSince
			}
		}
		return err
	})
}

// DropGiven lets go of names in a target that nobody has had since then.
func (s *Store) DropGiven(name string, before time.Time) error {
	err := s.update(func(tx *txn) error {
		b := tx.Bucket(bGiven)
		if b == nil {
			return nil
		}
		prefix := append([]byte(name), 0)
		var keys [][]byte
		c := b.Cursor()
		for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
			g, err := decodeGiven(v)
			if err != nil {
				return err
			}
			if !g.Released.IsZero() && g.Released.Before(before) {
				keys = append(keys, bytes.Clone(k))
			}
		}
		return drop(b, keys)
	})
	if err != nil {
		return fmt.Errorf("drop given names: %w", err)
	}
	return nil
}
