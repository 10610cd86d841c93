package state

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// The members of a group are kept in chunks, in the order of their hashes: a chunk
// has those from its own key up to that of the next one, and the first begins at
// zero. So one member more or less of fifty thousand is one chunk that is written
// anew, and a chunk that grows too long is parted in two.

const (
	// memberChunk is how many members one value holds at most.
	memberChunk = 512
	// memberFill is how many a value gets at first: the next one finds room.
	memberFill = memberChunk * 3 / 4
)

// placed is a member with its place in the order.
type placed struct {
	at  uint64
	ref string
}

func place(ref string) placed {
	d := digestOf(ref)
	return placed{binary.BigEndian.Uint64(d[:]), ref}
}

func byPlace(a, b placed) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.ref, b.ref))
}

func memberKey(group identity.Ordinal, from uint64) []byte {
	return append(ordKey(group), u64(from)...)
}

// eachChunk calls f for the members of a group, chunk by chunk, in no order that
// means anything.
func eachChunk(tx *txn, group identity.Ordinal, f func(refs []string) error) error {
	prefix := ordKey(group)
	c := tx.Bucket(bMembers).Cursor()
	for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		refs, err := decodeRefs(stMembers, v)
		if err != nil {
			return err
		}
		if err := f(refs); err != nil {
			return err
		}
	}
	return nil
}

// groupRefs returns the members of a group, sorted.
func groupRefs(tx *txn, group identity.Ordinal) ([]string, error) {
	var out []string
	err := eachChunk(tx, group, func(refs []string) error {
		out = append(out, refs...)
		return nil
	})
	slices.Sort(out)
	return out, err
}

// putRefs gives a group that has none its members, each once.
func putRefs(tx *txn, group identity.Ordinal, refs []string) error {
	b := tx.Bucket(bMembers)
	b.fill(0.9)
	list := make([]placed, len(refs))
	for i, r := range refs {
		list[i] = place(r)
	}
	slices.SortFunc(list, byPlace)
	from := uint64(0)
	for len(list) > 0 {
		n := parting(list, min(memberFill, len(list)))
		if err := putChunk(b, memberKey(group, from), list[:n]); err != nil {
			return err
		}
		if list = list[n:]; len(list) > 0 {
			from = list[0].at
		}
	}
	return nil
}

// parting is where a list is parted near n: those at one place stay together.
func parting(list []placed, n int) int {
	for n < len(list) && n > 0 && list[n].at == list[n-1].at {
		n++
	}
	return n
}

func putChunk(b *bucket, key []byte, list []placed) error {
	refs := make([]string, len(list))
	for i, p := range list {
		refs[i] = p.ref
	}
	return b.Put(key, encodeRefs(stMembers, refs))
}

// dropRefs takes all members of a group away.
func dropRefs(tx *txn, group identity.Ordinal) error {
	b := tx.Bucket(bMembers)
	return drop(b, under(b, ordKey(group)))
}

// edit is a member that comes or goes.
type edit struct {
	placed
	gains bool
}

// editRefs takes what a group gained, with "+", and lost, with "-", and returns what
// of that it did not have, or had: at the cost of the chunks that change.
func editRefs(tx *txn, group identity.Ordinal, diff []string) (changed []string, err error) {
	edits := make([]edit, len(diff))
	for i, d := range diff {
		edits[i] = edit{place(d[1:]), d[0] == '+'}
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return byPlace(a.placed, b.placed) })
	// Of one that is told twice the later word counts.
	n := 0
	for i, e := range edits {
		if i+1 == len(edits) || edits[i+1].placed != e.placed {
			edits[n] = e
			n++
		}
	}
	edits = edits[:n]
	b := tx.Bucket(bMembers)
	for len(edits) > 0 {
		key, list, end, err := chunkOf(b, group, edits[0].at)
		if err != nil {
			return changed, err
		}
		n := len(edits)
		if end > 0 {
			n, _ = slices.BinarySearchFunc(edits, end, func(e edit, end uint64) int { return cmp.Compare(e.at, end) })
		}
		list, these := mergeEdits(list, edits[:n])
		edits = edits[n:]
		if len(these) == 0 {
			continue
		}
		changed = append(changed, these...)
		if err := rewriteChunk(b, group, key, list); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// mergeEdits merges edits into a list, and says which of them changed it.
func mergeEdits(list []placed, edits []edit) (out []placed, changed []string) {
	out = make([]placed, 0, len(list)+len(edits))
	for _, e := range edits {
		for len(list) > 0 && byPlace(list[0], e.placed) < 0 {
			out, list = append(out, list[0]), list[1:]
		}
		has := len(list) > 0 && list[0] == e.placed
		if has {
			list = list[1:]
		}
		if e.gains {
			out = append(out, e.placed)
		}
		switch {
		case e.gains && !has:
			changed = append(changed, "+"+e.ref)
		case !e.gains && has:
			changed = append(changed, "-"+e.ref)
		}
	}
	return append(out, list...), changed
}

// chunkOf returns the chunk in which a place is or would be, with its key, and where
// the next one begins; 0 if there is none.
func chunkOf(b *bucket, group identity.Ordinal, at uint64) (key []byte, list []placed, end uint64, err error) {
	prefix := ordKey(group)
	c := b.Cursor()
	k, v := c.Seek(memberKey(group, at))
	if k == nil || !hasPrefix(k, prefix) || fromU64(k[8:]) > at {
		if k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
	}
	if k == nil || !hasPrefix(k, prefix) {
		return memberKey(group, 0), nil, 0, nil // it has no members
	}
	refs, err := decodeRefs(stMembers, v)
	if err != nil {
		return nil, nil, 0, err
	}
	key, list = slices.Clone(k), make([]placed, len(refs))
	for i, r := range refs {
		list[i] = place(r)
	}
	if k, _ := c.Next(); k != nil && hasPrefix(k, prefix) {
		end = fromU64(k[8:])
	}
	return key, list, end, nil
}

// rewriteChunk writes a chunk that was changed: in parts where it is too long. One
// that is empty goes, unless it is the first of several.
func rewriteChunk(b *bucket, group identity.Ordinal, key []byte, list []placed) error {
	first := fromU64(key[8:]) == 0
	if len(list) == 0 && (!first || !followed(b, key)) {
		return b.Delete(key)
	}
	if len(list) <= memberChunk {
		return putChunk(b, key, list)
	}
	for parts := (len(list) + memberFill - 1) / memberFill; len(list) > 0; parts-- {
		n := parting(list, (len(list)+parts-1)/parts)
		if err := putChunk(b, key, list[:n]); err != nil {
			return err
		}
		if list = list[n:]; len(list) > 0 {
			key = memberKey(group, list[0].at)
		}
	}
	return nil
}

// followed says whether another chunk of the group comes after the key.
func followed(b *bucket, key []byte) bool {
	c := b.Cursor()
	c.Seek(key)
	k, _ := c.Next()
	return k != nil && hasPrefix(k, key[:8])
}
