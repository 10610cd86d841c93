package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// found rules on those whom the listing did not show, and a look-up by ID did.
func (j *judge) found() error {
	moved := map[string][]int32{} // parent → those who were found there
	stayed := map[directory.Kind][]int32{}
	for _, i := range j.absent {
		k := &j.g.known[i]
		switch f := j.g.answers[i]; {
		case !f.Found || k.settled():
		case f.Listed:
			j.hidden(i)
		case f.DN.Equal(j.dns[i]):
			stayed[k.kind] = append(stayed[k.kind], i)
		default:
			parent := f.DN.Parent().Key()
			moved[parent] = append(moved[parent], i)
		}
	}
	if err := j.foundMoved(moved); err != nil {
		return err
	}
	for _, kind := range []directory.Kind{directory.Person, directory.Group} {
		if err := j.filtered(kind, stayed[kind]); err != nil {
			return err
		}
	}
	return nil
}

// hidden is of somebody whom the listing should have shown: they were hidden when it was
// made, or on their way from a base that was still to be read to one that had been.
// However often that is so, they are there.
func (j *judge) hidden(i int32) {
	v := directory.Classify(j.sightingOfFound(absence{}))
	v.Why = "found at " + j.g.answers[i].DN.String() + ", where they should have been listed; another read decides"
	j.verdict(i, v)
}

// foundMoved: one who moved to where others are listed may have moved while it was
// read, where the source does not say whether it would list them now. That takes a
// second look.
func (j *judge) foundMoved(moved map[string][]int32) error {
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
			v := directory.Classify(j.sightingOfFound(first[j.g.known[i].ordinal]))
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

// filtered rules on those who are where they were, and are not found by the filter any
// more. Where it finds nobody else in their container either, what it asks for may be
// hidden from us: that is judged as if they were not there at all. Another filter, or
// other bases, are no right that was lost.
func (j *judge) filtered(kind directory.Kind, those []int32) error {
	if len(those) == 0 {
		return nil
	}
	dns := make([]identity.DN, len(those))
	for n, i := range those {
		dns[n] = j.dns[i]
	}
	census, first, err := j.census(kind, dns)
	if err != nil {
		return err
	}
	for n, i := range those {
		if !j.likeBefore || !census.Dark(dns[n]) {
			j.outOfScope(i)
			continue
		}
		a := j.sightingOfFound(first[j.g.known[i].ordinal])
		a.Container, a.Silent = census.Silent(dns[n])
		v := j.classified(a)
		if v.Standing != identity.Unknown {
			j.outOfScope(i)
			continue
		}
		if v.Doubt == identity.SecondLook {
			v.Why = "not found by the filter, and neither is anybody else in the same container; another read decides"
		}
		j.verdict(i, v)
	}
	return nil
}
