package state

import (
	"github.com/rosterd/rosterd/identity"
)

// Members are kept as the group writes them, by name: who that is, is looked
// up when it is asked. So a member that comes later, or is renamed, needs no
// second look at the group.

// refHash is the key under which a member is found.
func refHash(source uint64, ref string) digest {
	if ref[:1] == byDN {
		return nameHash(byDN, source, ref[1:])
	}
	return nameHash(byLogin, source, foldLogin(ref[1:]))
}

// putEdges keeps what a group gained and lost in the index of memberships. The
// group stands there as it is from now on.
func putEdges(tx *txn, source uint64, group identity.Ordinal, diff []string) error {
	b := tx.Bucket(bMemberOf)
	e, err := decodeLean(tx.Bucket(bGroups).Get(ordKey(group)))
	if err != nil {
		return err
	}
	loose := 0
	for _, d := range diff {
		k, v := edge(source, group, d[1:])
		sign := 1
		if d[0] == '+' {
			err = b.Put(k, v)
		} else {
			sign, err = -1, b.Delete(k)
		}
		if err != nil {
			return err
		}
		if effective(&e) && !someone(tx, k[:len(digest{})]) {
			loose += sign
		}
	}
	return addDangling(tx, source, loose)
}

// edge is the key and value of one edge: logins that differ in case alone
// share a hash, so they are told apart and kept.
func edge(source uint64, group identity.Ordinal, ref string) (key, value []byte) {
	h := refHash(source, ref)
	if ref[:1] == byDN {
		return nameKey(h, group), one
	}
	text := digestOf(ref)
	return append(nameKey(h, group), text[:]...), []byte(ref)
}

// resolve returns the people and groups that a member is: by DN; by login
// exactly or, if there is nobody, in any case.
func resolve(tx *txn, source uint64, ref string) ([]identity.Ordinal, error) {
	found := named(tx, refHash(source, ref))
	if ref[:1] == byDN || len(found) == 0 {
		return found, nil
	}
	exact, err := havingLogin(tx, found, ref[1:])
	if len(exact) > 0 || err != nil {
		return exact, err
	}
	return found, nil
}

// havingLogin keeps those with exactly this login.
func havingLogin(tx *txn, ords []identity.Ordinal, login string) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	for _, o := range ords {
		n, err := entryNames(tx.Bucket(bPeople).Get(ordKey(o)))
		if err != nil {
			return nil, err
		}
		if n.login == login {
			out = append(out, o)
		}
	}
	return out, nil
}

// effective says whether a group gives membership: it is there, or nothing
// proves yet that it is not.
func effective(e *entry) bool {
	return e.standing == identity.Active || e.standing == identity.Unknown
}

// below calls person for everybody who is under the member, directly or
// through groups. Seen keeps the groups that were walked already.
func below(tx *txn, source uint64, ref string, seen map[identity.Ordinal]bool, person func(identity.Ordinal)) error {
	stack := []string{ref}
	for len(stack) > 0 {
		r := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		found, err := resolve(tx, source, r)
		if err != nil {
			return err
		}
		for _, o := range found {
			v := tx.Bucket(bGroups).Get(ordKey(o))
			if v == nil {
				person(o)
				continue
			}
			if seen[o] {
				continue
			}
			seen[o] = true
			if err := eachChunk(tx, o, func(refs []string) error {
				stack = append(stack, refs...)
				return nil
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// belowGroup is below for all members of a group, which need not be effective.
func belowGroup(tx *txn, source uint64, group identity.Ordinal, person func(identity.Ordinal)) error {
	seen := map[identity.Ordinal]bool{group: true}
	return eachChunk(tx, group, func(refs []string) error {
		for _, r := range refs {
			if err := below(tx, source, r, seen, person); err != nil {
				return err
			}
		}
		return nil
	})
}
