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
	// likeBefore: the last whole listing was of the same bases, by the same filters.
	likeBefore bool

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
		census, first, err := j.census(kind, dns)
		if err != nil {
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
		j.verdict(i, j.classified(a))
	}
}

// classified is what an absence means; a container that fell silent is noted.
func (j *judge) classified(a directory.Absence) directory.Verdict {
	v := directory.Classify(a)
	if v.Doubt == identity.Blackout && !slices.Contains(j.rec.Blackouts, a.Container) {
		j.rec.Blackouts = append(j.rec.Blackouts, a.Container)
		slices.Sort(j.rec.Blackouts)
	}
	return v
}

// census counts who is shown in the containers of those names, and says which listing
// was the first that did not show somebody.
func (j *judge) census(kind directory.Kind, dns []identity.DN) (*directory.Census, map[identity.Ordinal]absence, error) {
	census := directory.NewCensus(dns)
	first := map[identity.Ordinal]absence{}
	err := j.g.eachKnown(kind, func(k *known, e *entry) error {
		was, err := identity.ParseDN(e.dn)
		if err != nil {
			return fmt.Errorf("%w (%v)", ErrCorrupt, err)
		}
		switch now, moved := j.g.moved[k.ordinal]; {
		case !k.seen:
			first[k.ordinal] = e.absent
			census.Held(was)
		case moved:
			census.Shown(was, now)
		default:
			census.Shown(was, was)
		}
		return nil
	})
	return census, first, err
}

// sighting is this listing, and the first that did not show somebody.
func (j *judge) sighting(first absence) directory.Absence {
	a := directory.Absence{Now: directory.Sighting{At: j.rec.At, Like: string(j.rec.Like[:])}, VanishAfter: j.rules.VanishAfter}
	if !first.at.IsZero() {
		a.First = directory.Sighting{At: first.at, Like: string(first.listing[:])}
	}
	return a
}

// sightingOfFound is of somebody who was not listed, and was found by ID. With a
// listing after which nobody found them it agrees in nothing.
func (j *judge) sightingOfFound(first absence) directory.Absence {
	a := j.sighting(first)
	like := digestOf("found", string(j.rec.Like[:]))
	a.Now.Like = string(like[:])
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
