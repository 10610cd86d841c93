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
