package state

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// eraser takes people out of everything but the journal, within one transaction.
type eraser struct {
	tx  *txn
	who map[identity.Ordinal]bool
	// names are theirs and nobody else's, texts also those that others may share.
	names, texts *needles
	// refs are how groups name them.
	refs map[string]bool
}

func (e *eraser) run() error {
	for _, step := range []func() error{e.entries, e.accounts, e.members, e.work, e.holds, e.documents} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := emptyStage(e.tx); err != nil {
		return err
	}
	// A listing that is under way knows them still: it is not to be believed.
	_, err := next(e.tx, kChanges, 1)
	return err
}

// entries erases what was read of them.
func (e *eraser) entries() error {
	people := e.tx.Bucket(bPeople)
	for _, o := range sortedOrdinals(e.who) {
		v := people.Get(ordKey(o))
		if v == nil {
			continue
		}
		p, err := decodeLean(v)
		if err != nil {
			return err
		}
		if err := renamed(e.tx, o, &p, nil); err != nil {
			return err
		}
		if err := e.tx.Bucket(bIDs).Delete(idKey(p.source, directory.Person, p.id)); err != nil {
			return err
		}
		for _, b := range [][]byte{bPeople, bMarks, bDenials} {
			if err := e.tx.Bucket(b).Delete(ordKey(o)); err != nil {
				return err
			}
		}
	}
	return nil
}

// accounts erases which accounts were theirs.
func (e *eraser) accounts() error {
	links, natives := e.tx.Bucket(bLinks), e.tx.Bucket(bNatives)
	for o := range e.who {
		if err := drop(links, under(links, ordKey(o))); err != nil {
			return err
		}
	}
	var keys [][]byte
	if err := natives.ForEach(func(k, v []byte) error {
		if e.who[identity.Ordinal(fromU64(v))] {
			keys = append(keys, bytes.Clone(k))
		}
		return nil
	}); err != nil {
		return err
	}
	return drop(natives, keys)
}

// members takes their names out of the groups in which they are still written.
func (e *eraser) members() error {
	if len(e.refs) == 0 {
		return nil
	}
	type change struct {
		group identity.Ordinal
		lost  []string
	}
	var changes []change
	if err := e.tx.Bucket(bMembers).ForEach(func(k, v []byte) error {
		refs, err := decodeRefs(stMembers, v)
		if err != nil {
			return err
		}
		c := change{group: identity.Ordinal(fromU64(k))}
		for _, r := range refs {
			if e.refs[r] {
				c.lost = append(c.lost, r)
			}
		}
		if len(c.lost) > 0 {
			changes = append(changes, c)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, c := range changes {
		v := e.tx.Bucket(bGroups).Get(ordKey(c.group))
		if v == nil {
			return ErrCorrupt
		}
		source := entrySource(v)
		refs, err := groupRefs(e.tx, c.group)
		if err != nil {
			return err
		}
		refs = slices.DeleteFunc(refs, func(r string) bool { return e.refs[r] })
		var chunks [][]byte
		for part := range slices.Chunk(refs, memberChunk) {
			chunks = append(chunks, encodeRefs(stMembers, part))
		}
		if err := putRefs(e.tx, c.group, chunks); err != nil {
			return err
		}
		if err := putEdges(e.tx, source, c.group, signed('-', c.lost)); err != nil {
			return err
		}
	}
	return nil
}

// work erases what was to be done for them, and their names in what is to be
// done for others.
func (e *eraser) work() error {
	due, parked := e.tx.Bucket(bDue), e.tx.Bucket(bParked)
	var keys [][]byte
	if err := due.ForEach(func(k, _ []byte) error {
		if len(k) >= 16 && e.who[identity.Ordinal(fromU64(k[8:]))] {
			keys = append(keys, bytes.Clone(k))
		}
		return nil
	}); err != nil {
		return err
	}
	if err := drop(due, keys); err != nil {
		return err
	}
	keys = nil
	var others []ledger.Parked
	if err := parked.ForEach(func(k, v []byte) error {
		var p ledger.Parked
		if err := json.Unmarshal(v, &p); err != nil {
			return ErrCorrupt
		}
		doc := e.names.blankJSON(v)
		switch {
		case e.who[p.Person]:
		case doc != nil:
			if err := json.Unmarshal(doc, &p); err != nil {
				return err
			}
			others = append(others, p)
		default:
			return nil
		}
		keys = append(keys, bytes.Clone(k))
		return nil
	}); err != nil {
		return err
	}
	if err := drop(parked, keys); err != nil {
		return err
	}
	for _, p := range others {
		if err := putJSON(parked, parkedKey(p.Target, p.Person, p.Subject), p); err != nil {
			return err
		}
	}
	return nil
}

// holds takes their changes out of the holds. A version that counted them is a
// hash of what may be guessed, and goes.
func (e *eraser) holds() error {
	all, err := allHolds(e.tx)
	if err != nil {
		return err
	}
	for _, h := range all {
		k, err := holdKey(h.ID)
		if err != nil {
			return err
		}
		gone := map[target.Key]bool{}
		h.Keys = slices.DeleteFunc(h.Keys, func(held ledger.Held) bool {
			if e.who[held.Person] {
				gone[held.Key] = true
			}
			return e.who[held.Person]
		})
		if len(gone) > 0 {
			is := func(key target.Key) bool { return gone[key] }
			h.Approved, h.Refused = slices.DeleteFunc(h.Approved, is), slices.DeleteFunc(h.Refused, is)
			now := time.Time{}
			if n := len(h.History); n > 0 {
				now = h.History[n-1].At
			}
			h.History = []ledger.Version{{Version: h.Version(), At: now}}
		}
		if len(gone) > 0 && len(h.Keys) == 0 {
			if err := e.tx.Bucket(bHolds).Delete(k); err != nil {
				return err
			}
			if err := dropUsed(e.tx, k); err != nil {
				return err
			}
			continue
		}
		text, err := json.Marshal(h)
		if err != nil {
			return err
		}
		doc := e.texts.blankJSON(text)
		if doc != nil {
			h = ledger.Hold{}
			if err := json.Unmarshal(doc, &h); err != nil {
				return err
			}
		}
		if len(gone) > 0 || doc != nil {
			if err := putHold(e.tx, k, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// documents takes their names out of texts about others and about the whole: who
// decided, why, and what went wrong.
func (e *eraser) documents() error {
	for _, name := range [][]byte{bDenials, bCycles, bTargets, bMeta} {
		b := e.tx.Bucket(name)
		fresh := map[string][]byte{}
		if err := b.ForEach(func(k, v []byte) error {
			// The policy is what somebody wrote in a file.
			if doc := e.texts.blankJSON(v); doc != nil && !(b.name == string(bMeta) && bytes.Equal(k, kPolicy)) {
				fresh[string(k)] = doc
			}
			return nil
		}); err != nil {
			return err
		}
		for k, doc := range fresh {
			if err := b.Put([]byte(k), doc); err != nil {
				return err
			}
		}
	}
	var p PolicyRecord
	if had, err := getJSON(e.tx.Bucket(bMeta), kPolicy, &p); err != nil || !had || !e.texts.in(p.By) {
		return err
	}
	p.By = e.texts.blank(p.By)
	return putJSON(e.tx.Bucket(bMeta), kPolicy, p)
}
