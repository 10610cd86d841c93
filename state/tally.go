package state

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/ledger"
)

// Limits are shares of how many accounts a target has, and how many of them hold
// each role. Every cycle asks, so those are counted when a link is written and
// not when they are asked for.

// Kinds of tallies of a target, after its name and a zero.
const (
	tallyOpen = 'o' // links whose account is open
	tallyAll  = 'a' // all but the deleted ones
	tallyRole = 'r' // followed by a role: open accounts that hold it
)

func tallyKey(name string, kind byte, role string) []byte {
	k := append(append([]byte(name), 0), kind)
	return append(k, role...)
}

// tallyWords says what a tally counts.
func tallyWords(key []byte) string {
	name, what, _ := strings.Cut(string(key), "\x00")
	switch {
	case what == "":
	case what[0] == tallyDangling:
		return "members that are nobody known"
	case what[0] == tallyAll:
		return "links of " + name
	case what[0] == tallyOpen:
		return "open links of " + name
	case what[0] == tallyRole:
		return "links of " + name + " with the role " + what[1:]
	}
	return fmt.Sprintf("%q", key)
}

// tallies are those that a link counts in.
func tallies(l ledger.Link) map[string]int64 {
	out := map[string]int64{}
	if l.Phase == ledger.Deleted {
		return out
	}
	out[string(tallyKey(l.Target, tallyAll, ""))] = 1
	if l.Phase != ledger.Open {
		return out
	}
	out[string(tallyKey(l.Target, tallyOpen, ""))] = 1
	for _, g := range l.Granted {
		for _, r := range g.Roles {
			out[string(tallyKey(l.Target, tallyRole, r))] = 1
		}
	}
	return out
}

// tally counts a link anew that was another; each may be nil.
func tally(tx *txn, was, now *ledger.Link) error {
	diff := map[string]int64{}
	if now != nil {
		diff = tallies(*now)
	}
	if was != nil {
		for k, n := range tallies(*was) {
			diff[k] -= n
		}
	}
	b := tx.Bucket(bTally)
	for k, n := range diff {
		if n == 0 {
			continue
		}
		key := []byte(k)
		switch n += int64(fromU64(b.Get(key))); {
		case n < 0:
			return fmt.Errorf("%w (fewer than no links counted as %q)", ErrCorrupt, k)
		case n == 0:
			if err := b.Delete(key); err != nil {
				return err
			}
		default:
			if err := b.Put(key, u64(uint64(n))); err != nil {
				return err
			}
		}
	}
	return nil
}

// LinkCount counts the links of a target: those whose account is open, and all
// but the deleted ones.
func (s *Store) LinkCount(name string) (open, all int, err error) {
	err = s.view(func(tx *txn) error {
		b := tx.Bucket(bTally)
		open = int(fromU64(b.Get(tallyKey(name, tallyOpen, ""))))
		all = int(fromU64(b.Get(tallyKey(name, tallyAll, ""))))
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count links of %s: %w", name, err)
	}
	return open, all, nil
}

// Holders counts whose open account in the target holds each role.
func (s *Store) Holders(name string) (map[string]int, error) {
	out := map[string]int{}
	err := s.view(func(tx *txn) error {
		prefix := tallyKey(name, tallyRole, "")
		c := tx.Bucket(bTally).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			out[string(k[len(prefix):])] = int(fromU64(v))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count who holds the roles of %s: %w", name, err)
	}
	return out, nil
}
