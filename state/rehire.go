package state

import (
	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// sharedKeys doubts everybody who carries a key that somebody else carries.
func (j *judge) sharedKeys() {
	shared := ruling{standing: identity.Unknown, doubt: identity.SharedKey, why: "another entry carries the same rehire key"}
	for _, refs := range j.g.shared {
		for _, r := range refs {
			j.override(r, shared)
		}
	}
	for _, i := range j.absent {
		if k := &j.g.known[i]; k.key != (digest{}) && len(j.g.shared[k.key]) > 0 && !j.g.answers[i].Found {
			j.absence(i, shared)
		}
	}
}

// newIDs pairs new IDs with those who are absent, by key or by DN.
func (j *judge) newIDs() {
	g := j.g
	byKey := map[digest][]int32{} // those who may be meant: absent, gone, or found elsewhere
	for i := range g.known {
		if k := &g.known[i]; k.kind == directory.Person && !k.seen && k.key != (digest{}) {
			byKey[k.key] = append(byKey[k.key], int32(i))
		}
	}
	byName := map[[2]uint64]int32{}
	for _, i := range j.absent {
		if k := &g.known[i]; k.kind == directory.Person && !k.settled() && !g.answers[i].Found {
			byName[dnHash(j.dns[i])] = i
		}
	}
	type pair struct {
		n   *newcomer
		old int32
		key bool
	}
	var pairs []pair
	replaced, sticky := 0, map[int32]bool{}
	for _, n := range g.newcomers {
		if n.key != (digest{}) && len(g.shared[n.key]) > 0 {
			continue // held already
		}
		was := n.ordinal.Valid() // doubted in an earlier listing
		if olds := byKey[n.key]; n.key != (digest{}) && len(olds) > 0 && !was {
			if len(olds) > 1 || g.answers[olds[0]].Found {
				j.override(n.ref, ruling{standing: identity.Unknown, doubt: identity.SharedKey,
					why: "somebody who is still in the directory, or more than one, carried the same rehire key"})
				for _, i := range olds {
					if !g.known[i].settled() && !g.answers[i].Found {
						j.absence(i, ruling{standing: identity.Unknown, doubt: identity.SharedKey, why: "a new entry carries the same rehire key"})
					}
				}
				continue
			}
			pairs = append(pairs, pair{n, olds[0], true})
			if !g.known[olds[0]].settled() {
				replaced++
			}
			continue
		}
		i, ok := byName[n.dn]
		if was && !ok && n.key != (digest{}) {
			for _, o := range byKey[n.key] {
				if g.known[o].doubt == identity.Rekeyed && !g.answers[o].Found {
					i, ok = o, true
				}
			}
		}
		// The one who came back under another ID is the one who came later: if
		// the first comes back, nothing is left to doubt.
		if !ok || was && (g.known[i].doubt != identity.Rekeyed || g.known[i].ordinal > n.ordinal) {
			continue
		}
		replaced++
		pairs = append(pairs, pair{n, i, false})
		sticky[i] = was
	}
	many := replaced > j.rules.MaxRekey
	for _, p := range pairs {
		k := &g.known[p.old]
		switch {
		case many || sticky[p.old]:
			j.rec.Rekeyed++
			j.override(p.n.ref, ruling{standing: identity.Unknown, doubt: identity.Rekeyed,
				why: "one of many entries that came back under another ID"})
			if !k.settled() {
				j.absence(p.old, ruling{standing: identity.Unknown, doubt: identity.Rekeyed,
					why: "one of many entries whose key or DN came back under another ID"})
			}
		case p.key:
			j.ruled[p.old] = true
			j.rec.Relinked++
			j.override(p.n.ref, ruling{relink: k.ordinal, why: "returned under a new ID"})
		}
	}
}
