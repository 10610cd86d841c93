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
	now time.Time
	who map[identity.Ordinal]bool
	// names are theirs and nobody else's, texts also those that others may share.
	names, texts *needles
	// refs are how groups name them.
	refs map[string]bool
}

func (e *eraser) run() error {
	for _, step := range []func() error{e.entries, e.containers, e.accounts, e.members, e.work, e.holds, e.documents} {
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
		if err := forgetReferred(e.tx, o, &p); err != nil {
			return err
		}
		if err := e.tx.Bucket(bIDs).Delete(idKey(p.source, directory.Person, p.id)); err != nil {
			return err
		}
		for _, b := range [][]byte{bPeople, bMarks, bFlips, bDenials} {
			if err := e.tx.Bucket(b).Delete(ordKey(o)); err != nil {
				return err
			}
		}
		if err := e.tx.Bucket(bMeta).Delete(exceptKey(o)); err != nil {
			return err
		}
	}
	return nil
}

// containers erases what lay below their entries.
func (e *eraser) containers() error {
	b := e.tx.Bucket(bContainers)
	var keys [][]byte
	if err := b.ForEach(func(k, v []byte) error {
		dn, err := keptDN(string(v))
		for ; err == nil && !dn.IsZero(); dn = dn.Parent() {
			if e.refs[byDN+dn.Key()] {
				keys = append(keys, bytes.Clone(k))
				break
			}
		}
		return err
	}); err != nil {
		return err
	}
	return drop(b, keys)
}

// accounts erases which accounts were theirs.
func (e *eraser) accounts() error {
	links, natives := e.tx.Bucket(bLinks), e.tx.Bucket(bNatives)
	for o := range e.who {
		if err := dropLinks(e.tx, under(links, ordKey(o))); err != nil {
			return err
		}
	}
	if err := forgetNames(e.tx, e.who, e.now); err != nil {
		return err
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
		lost, err := editRefs(e.tx, c.group, signed('-', c.lost))
		if err != nil {
			return err
		}
		if err := putEdges(e.tx, source, c.group, lost); err != nil {
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
		switch {
		case e.who[p.Person]:
		case e.names.blankAll(&p.Subject, &p.Error, &p.Hint):
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
		changed := e.texts.blankAll(&h.Text, &h.ApprovedBy)
		for i := range h.Keys {
			changed = e.texts.blankAll(&h.Keys[i].Text) || changed
		}
		if changed || len(gone) > 0 {
			if err := putHold(e.tx, k, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// documents takes their names out of what people wrote, or were told, about others
// and about the whole: who decided, why, and what went wrong. Whatever else stands
// there is nobody's name, also where somebody is called so.
func (e *eraser) documents() error {
	for _, k := range under(e.tx.Bucket(bDenials), nil) {
		if err := cleared(e, bDenials, k, func(d *ledger.Denial) []*string { return []*string{&d.Reason, &d.By} }); err != nil {
			return err
		}
	}
	for _, k := range under(e.tx.Bucket(bMeta), exceptPrefix) {
		if err := cleared(e, bMeta, k, func(all *[]ledger.Exception) (texts []*string) {
			for i := range *all {
				texts = append(texts, &(*all)[i].Reason, &(*all)[i].Ticket, &(*all)[i].By)
			}
			return texts
		}); err != nil {
			return err
		}
	}
	if err := apart(e.tx, func(o identity.Ordinal) bool { return e.who[o] }); err != nil {
		return err
	}
	if err := meantNow(e.tx, func(r meantRecord) meantRecord {
		if e.who[r.Person] || slices.ContainsFunc(r.Among, func(o identity.Ordinal) bool { return e.who[o] }) {
			return meantRecord{Forgotten: true}
		}
		return r
	}); err != nil {
		return err
	}
	for _, k := range under(e.tx.Bucket(bCycles), nil) {
		if err := cleared(e, bCycles, k, func(c *CycleRecord) []*string { return []*string{&c.Error, &c.By} }); err != nil {
			return err
		}
	}
	for _, k := range under(e.tx.Bucket(bMeta), outagePrefix) {
		if err := cleared(e, bMeta, k, func(o *ledger.Outage) []*string { return []*string{&o.Error, &o.Hint} }); err != nil {
			return err
		}
	}
	if err := cleared(e, bMeta, kPauses, func(all *[]ledger.Pause) (texts []*string) {
		for i := range *all {
			texts = append(texts, &(*all)[i].Reason, &(*all)[i].By)
		}
		return texts
	}); err != nil {
		return err
	}
	if err := cleared(e, bMeta, kRestored, func(r *Restored) []*string { return []*string{&r.Why} }); err != nil {
		return err
	}
	// The text of the policy is what somebody wrote in a file.
	return cleared(e, bMeta, kPolicy, func(p *PolicyRecord) []*string { return []*string{&p.By} })
}

// cleared takes the names out of some texts of a record.
func cleared[T any](e *eraser, bucket, k []byte, texts func(*T) []*string) error {
	var v T
	had, err := getJSON(e.tx.Bucket(bucket), k, &v)
	if err != nil || !had || !e.texts.blankAll(texts(&v)...) {
		return err
	}
	return putJSON(e.tx.Bucket(bucket), k, v)
}
