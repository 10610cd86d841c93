package state

import (
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Sealed says what a listing brought.
type Sealed struct {
	People, Groups int
	// Changed were known and differ, New were not known, Missing were thought
	// to be there and not shown: people and groups.
	Changed, New, Missing int
}

// sealRecord is what a sealed stage is, on disk.
type sealRecord struct {
	Source   string
	Num      uint64
	Coverage uint64
	Server   string
	Like     digest
	At, Now  time.Time
	// Load: there was no snapshot of the source before.
	Load bool
	Sealed
	Relinked     int
	Blackouts    []string
	SecondLookAt time.Time
	Rekeyed      int
	Peak         int
	Drop         bool
}

// Seal ends the listing: it is complete, and Drain will move it into the
// snapshot. The proof must be for this source and coverage and count what was
// added, and everyone missing must have been answered for. A *NobodyError or
// *LostCoverageError says that the listing is complete and not to be believed.
// After an error nothing is sealed.
func (g *Stage) Seal(p directory.Proof, r SealRules) (Sealed, error) {
	out, err := g.seal(p, r)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal listing of %s: %w", g.source, err)
	}
	g.over = true
	return out, nil
}

// listing is what the state needs of a proof.
type listing interface {
	Valid() bool
	Source() string
	Server() string
	Bind() string
	Scope() string
	Coverage() identity.Coverage
	People() int
	Groups() int
	At() time.Time
}

func (g *Stage) seal(p listing, r SealRules) (Sealed, error) {
	switch {
	case g.over:
		return Sealed{}, errOver
	case !p.Valid():
		return Sealed{}, errors.New("there is no proof that it is complete")
	case p.Source() != g.source:
		return Sealed{}, fmt.Errorf("the proof is for source %s", p.Source())
	case !p.Coverage().Equal(g.coverage):
		return Sealed{}, errors.New("the proof is for another coverage")
	case p.People() != g.people || p.Groups() != g.groups:
		return Sealed{}, fmt.Errorf("the proof counts %d people and %d groups, and %d and %d came", p.People(), p.Groups(), g.people, g.groups)
	case r.Now.IsZero() || p.At().IsZero():
		return Sealed{}, errors.New("no instant was given")
	}
	absent := g.absent()
	for _, i := range absent {
		if _, ok := g.answers[i]; !ok {
			return Sealed{}, fmt.Errorf("nobody looked up the missing %s %s", g.known[i].kind, g.known[i].id)
		}
	}
	if err := g.believable(); err != nil {
		return Sealed{}, err
	}
	if r.MaxRekey <= 0 {
		r.MaxRekey = 5
	}
	if r.VanishAfter <= 0 {
		r.VanishAfter = 10 * time.Minute
	}
	if r.MinPeople <= 0 {
		r.MinPeople = 0.9
	}
	rec := sealRecord{Source: g.source, Num: g.num, Coverage: g.covNum, Server: p.Server(), At: p.At().UTC().Round(0), Now: r.Now.UTC().Round(0),
		Load: len(g.known) == 0, Like: digestOf(p.Server(), p.Bind(), p.Scope(), string(g.covDigest[:])),
		Sealed: Sealed{People: g.people, Groups: g.groups, Changed: g.changed, New: len(g.fresh), Missing: len(absent)}}
	j := judge{g: g, rules: r, rec: &rec, absent: absent}
	rulings, err := j.judge()
	if err != nil {
		return Sealed{}, err
	}
	for i := range rulings {
		g.put(rulings[i].encode())
		if g.size >= flushAt {
			if err := g.flush(); err != nil {
				return Sealed{}, err
			}
		}
	}
	if err := g.flush(); err != nil {
		return Sealed{}, err
	}
	return rec.Sealed, g.s.update(func(tx *bolt.Tx) error {
		if sealed(tx) {
			return ErrUndrained
		}
		if fromU64(tx.Bucket(bMeta).Get(kChanges)) != g.generation {
			return errors.New("somebody was relinked while it was read: read again")
		}
		if k, _ := tx.Bucket(bStage).Cursor().Last(); fromU64(k) != g.next {
			return errors.New("another stage was begun in the meantime")
		}
		src, _, err := sourceOf(tx, g.source)
		if err != nil {
			return err
		}
		rec.Peak, rec.Drop = peakAfter(src.Peak, g.people, r.MinPeople)
		b := tx.Bucket(bStageMeta)
		if err := b.Delete(kProgress); err != nil {
			return err
		}
		return putJSON(b, kSealed, rec)
	})
}

// freeDrop is a drop that always passes.
const freeDrop = 5

// peakAfter says against which size the next listing is measured, and whether
// this one is too small a share of it.
func peakAfter(peak, people int, share float64) (int, bool) {
	if peak-people <= freeDrop || float64(people) >= share*float64(peak) {
		return people, false
	}
	return peak, true
}

// atLeast is how many entries a law about shares needs before it speaks.
const atLeast = 5

// believable says whether a right was lost rather than data.
func (g *Stage) believable() error {
	people, groups := 0, 0
	for i := range g.known {
		if k := &g.known[i]; k.settled() {
			continue
		} else if k.kind == directory.Person {
			people++
		} else {
			groups++
		}
	}
	if g.people == 0 && people >= atLeast {
		return &NobodyError{Source: g.source, Known: people}
	}
	if err := g.attributesLost(people); err != nil {
		return err
	}
	if g.emptied < atLeast {
		return nil
	}
	had, seen := 0, 0
	err := g.eachKnown(directory.Group, func(k *known, e *entry) error {
		if e.members > 0 {
			had++
			if k.seen {
				seen++
			}
		}
		return nil
	})
	if err == nil && had*2 >= groups && nineInTen(g.emptied, seen) {
		err = &LostCoverageError{Source: g.source, Attribute: "members of groups", Had: seen, Lack: g.emptied}
	}
	return err
}

func nineInTen(n, of int) bool { return of >= atLeast && n*10 >= of*9 }

func (g *Stage) attributesLost(people int) error {
	suspects := map[string]*[2]int{} // had, had and seen
	for name, n := range g.lost {
		if n >= atLeast {
			suspects[name] = &[2]int{}
		}
	}
	if len(suspects) == 0 {
		return nil
	}
	byCoverage := map[uint64][]*[2]int{}
	err := g.s.view(func(tx *bolt.Tx) error {
		w := &words{tx: tx}
		return g.eachKnownIn(tx, directory.Person, decodeEntry, func(k *known, e *entry) error {
			counters, ok := byCoverage[e.coverage]
			if !ok {
				c, err := w.coverage(e.coverage)
				if err != nil {
					return err
				}
				for _, name := range c.Names() {
					counters = append(counters, suspects[name])
				}
				byCoverage[e.coverage] = counters
			}
			for _, a := range e.attributes {
				if a.name < len(counters) && counters[a.name] != nil {
					counters[a.name][0]++
					if k.seen {
						counters[a.name][1]++
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	var worst *LostCoverageError
	for name, n := range suspects {
		if n[0]*2 >= people && nineInTen(g.lost[name], n[1]) && (worst == nil || name < worst.Attribute) {
			worst = &LostCoverageError{Source: g.source, Attribute: name, Had: n[1], Lack: g.lost[name]}
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

// eachKnown calls f for the entries of one kind that were thought to be there.
func (g *Stage) eachKnown(kind directory.Kind, f func(*known, *entry) error) error {
	return g.s.view(func(tx *bolt.Tx) error { return g.eachKnownIn(tx, kind, decodeLean, f) })
}

func (g *Stage) eachKnownIn(tx *bolt.Tx, kind directory.Kind, decode func([]byte) (entry, error), f func(*known, *entry) error) error {
	bucket := bPeople
	if kind == directory.Group {
		bucket = bGroups
	}
	byOrdinal := make(map[identity.Ordinal]*known, len(g.known))
	for i := range g.known {
		if k := &g.known[i]; k.kind == kind && !k.settled() {
			byOrdinal[k.ordinal] = k
		}
	}
	return tx.Bucket(bucket).ForEach(func(key, v []byte) error {
		k := byOrdinal[identity.Ordinal(fromU64(key))]
		if k == nil {
			return nil
		}
		e, err := decode(v)
		if err != nil {
			return err
		}
		return f(k, &e)
	})
}

// judge decides what the absences and the new IDs of a listing mean.
type judge struct {
	g      *Stage
	rules  SealRules
	rec    *sealRecord
	absent []int32

	rulings []ruling
	ruled   map[int32]bool // positions in known
	dns     map[int32]identity.DN
}

func (j *judge) judge() ([]ruling, error) {
	g := j.g
	j.ruled, j.dns = map[int32]bool{}, map[int32]identity.DN{}
	if err := j.readDNs(); err != nil {
		return nil, err
	}
	for _, i := range j.absent {
		if f := g.answers[i]; f.Found {
			j.absence(i, ruling{standing: identity.OutOfScope, why: "found at " + f.DN.String() + " outside base or filter"})
		}
	}
	j.sharedKeys()
	j.newIDs()
	if err := j.classify(); err != nil {
		return nil, err
	}
	return j.rulings, nil
}

func (j *judge) readDNs() error {
	return j.g.s.view(func(tx *bolt.Tx) error {
		for _, i := range j.absent {
			dn, err := dnOf(tx, &j.g.known[i])
			if err != nil {
				return err
			}
			j.dns[i] = dn
		}
		return nil
	})
}

// absence rules on an absent entry, once.
func (j *judge) absence(i int32, u ruling) {
	k := &j.g.known[i]
	if j.ruled[i] || k.standing == identity.OutOfScope {
		return // one out of scope stays so: it was asked for its key alone
	}
	j.ruled[i] = true
	u.absent, u.kind, u.ordinal, u.id = true, k.kind, k.ordinal, k.id
	j.rulings = append(j.rulings, u)
}

// override rules on a person who is shown.
func (j *judge) override(r ref, u ruling) {
	u.kind, u.ordinal, u.id = directory.Person, r.ordinal, r.id
	j.rulings = append(j.rulings, u)
}

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

// classify rules on those who are left: absent, not found, not replaced.
func (j *judge) classify() error {
	for _, kind := range []directory.Kind{directory.Person, directory.Group} {
		var left []int32
		var dns []identity.DN
		for _, i := range j.absent {
			if k := &j.g.known[i]; k.kind == kind && !k.settled() && !j.ruled[i] {
				left, dns = append(left, i), append(dns, j.dns[i])
			}
		}
		if len(left) == 0 {
			continue
		}
		census := directory.NewCensus(dns)
		first := map[identity.Ordinal]absence{}
		for _, i := range left {
			first[j.g.known[i].ordinal] = absence{}
		}
		if err := j.g.eachKnown(kind, func(k *known, e *entry) error {
			was, err := identity.ParseDN(e.dn)
			if err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			if _, ok := first[k.ordinal]; ok && k.doubt == identity.SecondLook {
				first[k.ordinal] = e.absent
			}
			switch now, moved := j.g.moved[k.ordinal]; {
			case !k.seen:
				census.Held(was)
			case moved:
				census.Shown(was, now)
			default:
				census.Shown(was, was)
			}
			return nil
		}); err != nil {
			return err
		}
		j.rule(left, dns, first, census)
	}
	return nil
}

func (j *judge) rule(left []int32, dns []identity.DN, first map[identity.Ordinal]absence, census *directory.Census) {
	for n, i := range left {
		k := &j.g.known[i]
		a := directory.Absence{Now: directory.Sighting{At: j.rec.At, Like: string(j.rec.Like[:])}, VanishAfter: j.rules.VanishAfter}
		if f := first[k.ordinal]; !f.at.IsZero() {
			a.First = directory.Sighting{At: f.at, Like: string(f.listing[:])}
		}
		a.Container, a.Silent = census.Silent(dns[n])
		v := directory.Classify(a)
		if v.Doubt == identity.Blackout && !slices.Contains(j.rec.Blackouts, a.Container) {
			j.rec.Blackouts = append(j.rec.Blackouts, a.Container)
			slices.Sort(j.rec.Blackouts)
		}
		if !v.Due.IsZero() && (j.rec.SecondLookAt.IsZero() || v.Due.Before(j.rec.SecondLookAt)) {
			j.rec.SecondLookAt = v.Due
		}
		u := ruling{standing: v.Standing, doubt: v.Doubt, why: v.Why, first: absence{at: v.First.At}}
		copy(u.first.listing[:], v.First.Like)
		j.absence(i, u)
	}
}
