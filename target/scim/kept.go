package scim

import (
	"slices"
	"sync"
	"time"

	"github.com/rosterd/rosterd/target"
)

const (
	// strikes is how often in a row an attribute is not kept before it is not
	// written any more, and for how long.
	strikes    = 3
	strikesFor = 24 * time.Hour
)

// keeping remembers which attributes a server does not keep, so that they are not
// written again and again to everybody.
type keeping struct {
	mu   sync.Mutex
	lost map[string]strike
	// claims are what a server said yes to without showing it, by account: read later,
	// it is there, or was not kept.
	claims map[string][]edit
}

// maxClaims bounds for how many accounts that is remembered.
const maxClaims = 10_000

// claim notes what was written and not shown.
func (k *keeping) claim(id string, list []edit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.claims == nil || len(k.claims) >= maxClaims {
		k.claims = map[string][]edit{}
	}
	k.claims[id] = list
}

// read holds an account against what was claimed of it: what it shows is kept.
func (k *keeping) read(r resource) {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := r.id()
	left := slices.DeleteFunc(slices.Clone(k.claims[id]), func(e edit) bool {
		kept := keeps(r, []edit{e})
		if kept {
			delete(k.lost, e.text)
		}
		return kept
	})
	if len(left) > 0 {
		k.claims[id] = left
	} else {
		delete(k.claims, id)
	}
}

// again are those of the edits that were written before, to the same account with the
// same values, and were never seen there.
func (k *keeping) again(id string, list []edit) (out []edit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range list {
		if slices.ContainsFunc(k.claims[id], func(c edit) bool { return c.text == e.text && same(e.text, c.values, e.values) }) {
			out = append(out, e)
		}
	}
	return out
}

type strike struct {
	times int
	last  time.Time
}

// dropped counts attributes that were not kept.
func (k *keeping) dropped(list []edit, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost == nil {
		k.lost = map[string]strike{}
	}
	for _, e := range list {
		s := k.lost[e.text]
		k.lost[e.text] = strike{s.times + 1, now}
	}
}

// stored forgets what was said of attributes that were kept.
func (k *keeping) stored(list []edit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range list {
		delete(k.lost, e.text)
	}
}

// refuse is an error for attributes that are not kept. Others beside them are
// then tried alone.
func (k *keeping) refuse(doing string, list []edit, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	bad := slices.DeleteFunc(slices.Clone(list), func(e edit) bool {
		s := k.lost[e.text]
		return s.times < strikes || now.Sub(s.last) > strikesFor
	})
	if len(bad) == 0 {
		return nil
	}
	return &target.Error{Class: target.Refused, Err: refused("", "%s: this server does not store %s: it said yes %d times, and did not show it", doing, names(bad), strikes),
		Tip: "take it out of the attributes of this target, or ask its maker; it is tried again tomorrow"}
}
