package state

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

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
	j.ruled, j.dns = map[int32]bool{}, map[int32]identity.DN{}
	if err := j.readDNs(); err != nil {
		return nil, err
	}
	if err := j.found(); err != nil {
		return nil, err
	}
	j.sharedKeys()
	j.newIDs()
	j.proved()
	if err := j.classify(); err != nil {
		return nil, err
	}
	return j.rulings, nil
}

// found rules on those who are somewhere else. One who moved to where others
// are listed may have moved while it was read, from a place that was still to
// be read to one that had been: that takes a second look.
func (j *judge) found() error {
	moved := map[string][]int32{} // parent → those who were found there
	for _, i := range j.absent {
		switch f := j.g.answers[i]; {
		case !f.Found || j.g.known[i].settled():
		case f.DN.Equal(j.dns[i]):
			j.outOfScope(i)
		default:
			parent := f.DN.Parent().Key()
			moved[parent] = append(moved[parent], i)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	listed := map[string]bool{}
	first := map[identity.Ordinal]absence{}
	look := func(k *known, e *entry) error {
		dn, ok := j.g.moved[k.ordinal]
		if !ok {
			var err error
			if dn, err = identity.ParseDN(e.dn); err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
		}
		if k.seen {
			listed[dn.Parent().Key()] = true
		} else {
			first[k.ordinal] = e.absent
		}
		return nil
	}
	for _, kind := range []directory.Kind{directory.Person, directory.Group} {
		if err := j.g.eachKnown(kind, look); err != nil {
			return err
		}
	}
	for parent, those := range moved {
		for _, i := range those {
			if !listed[parent] {
				j.outOfScope(i)
				continue
			}
			v := directory.Classify(j.sighting(first[j.g.known[i].ordinal]))
			if v.Standing != identity.Unknown {
				j.outOfScope(i)
				continue
			}
			v.Why = "found at " + j.g.answers[i].DN.String() + ", where others are listed; another read decides"
			j.verdict(i, v)
		}
	}
	return nil
}

func (j *judge) outOfScope(i int32) {
	j.absence(i, away(j.g.answers[i].DN))
}

// away rules on somebody who was found outside base or filter. That they are called
// so now is kept: groups may name them so, and must be looked at if they come back.
func away(dn identity.DN) ruling {
	return ruling{standing: identity.OutOfScope, why: "found at " + dn.String() + " outside base or filter", dn: dn.String()}
}

func (j *judge) readDNs() error {
	return j.g.s.view(func(tx *txn) error {
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
	if j.ruled[i] || k.settled() && u.standing != identity.Gone {
		return // one out of scope was asked for its key alone, or for what was told
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

// proved rules on those who were deleted for certain, and are nobody's former ID.
func (j *judge) proved() {
	for _, i := range j.absent {
		k := &j.g.known[i]
		if by := j.g.evidence[k.id]; by != "" && !j.g.answers[i].Found {
			j.absence(i, ruling{standing: identity.Gone, why: deleted(by)})
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
			if _, ok := first[k.ordinal]; ok {
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
		a := j.sighting(first[k.ordinal])
		a.Container, a.Silent = census.Silent(dns[n])
		v := directory.Classify(a)
		if v.Doubt == identity.Blackout && !slices.Contains(j.rec.Blackouts, a.Container) {
			j.rec.Blackouts = append(j.rec.Blackouts, a.Container)
			slices.Sort(j.rec.Blackouts)
		}
		j.verdict(i, v)
	}
}

// sighting is this listing, and the first that did not show somebody.
func (j *judge) sighting(first absence) directory.Absence {
	a := directory.Absence{Now: directory.Sighting{At: j.rec.At, Like: string(j.rec.Like[:])}, VanishAfter: j.rules.VanishAfter}
	if !first.at.IsZero() {
		a.First = directory.Sighting{At: first.at, Like: string(first.listing[:])}
	}
	return a
}

func (j *judge) verdict(i int32, v directory.Verdict) {
	if !v.Due.IsZero() && (j.rec.SecondLookAt.IsZero() || v.Due.Before(j.rec.SecondLookAt)) {
		j.rec.SecondLookAt = v.Due
	}
	u := ruling{standing: v.Standing, doubt: v.Doubt, why: v.Why, first: absence{at: v.First.At}}
	copy(u.first.listing[:], v.First.Like)
	j.absence(i, u)
}
