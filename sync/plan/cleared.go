package plan

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Cleared is what may go. Only Judge makes one that holds anything.
type Cleared struct{ orders []cleared }

// cleared is an order with its place in the work.
type cleared struct {
	order   ledger.Order
	key     target.Key
	closing bool
	// needs are changes in the same Cleared that must be done before.
	needs []target.Key
	level int
}

// Empty says whether there is nothing to do.
func (c Cleared) Empty() bool { return len(c.orders) == 0 }

// Count is how many changes may go.
func (c Cleared) Count() int { return len(c.orders) }

// Keys are those of the changes that may go.
func (c Cleared) Keys() map[target.Key]bool {
	out := make(map[target.Key]bool, len(c.orders))
	for _, o := range c.orders {
		out[o.key] = true
	}
	return out
}

// Only keeps the orders with these keys, without those that need another that
// is not among them.
func (c Cleared) Only(keys map[target.Key]bool) Cleared {
	keep := maps.Clone(keys)
	for again := true; again; {
		again = false
		for _, o := range c.orders {
			if !keep[o.key] {
				continue
			}
			if slices.ContainsFunc(o.needs, func(k target.Key) bool { return !keep[k] }) {
				delete(keep, o.key)
				again = true
			}
		}
	}
	var out Cleared
	for _, o := range c.orders {
		if keep[o.key] {
			out.orders = append(out.orders, o)
		}
	}
	return out
}

// Waves is the order of work in a target: each wave is done before the next
// begins, and the orders within one do not depend on each other. Leavers lose
// their access first; what frees a name precedes what takes it; a new right
// comes before an old one goes.
func (c Cleared) Waves(name string) [][]ledger.Order {
	byLevel := map[int][]ledger.Order{}
	for _, o := range c.orders {
		if o.order.Change.Target == name {
			byLevel[o.level] = append(byLevel[o.level], copied(o.order))
		}
	}
	out := make([][]ledger.Order, 0, len(byLevel))
	for _, level := range slices.Sorted(maps.Keys(byLevel)) {
		out = append(out, byLevel[level])
	}
	return out
}

// Needs are the changes that each change of a target waits for, by their keys.
func (c Cleared) Needs(name string) map[target.Key][]target.Key {
	out := map[target.Key][]target.Key{}
	for _, o := range c.orders {
		if o.order.Change.Target == name && len(o.needs) > 0 {
			out[o.key] = slices.Clone(o.needs)
		}
	}
	return out
}

// copied keeps what the caller does with an order out of the Cleared.
func copied(o ledger.Order) ledger.Order {
	o.Because, o.Roles, o.Spends = slices.Clone(o.Because), slices.Clone(o.Roles), slices.Clone(o.Spends)
	return o
}

// phaseStep separates the phases of work: a chain of renames is shorter.
const phaseStep = 1 << 24

// level gives each order its place: its phase, or behind what it needs.
func (c Cleared) level() {
	at := make(map[target.Key]int, len(c.orders))
	needed := map[target.Key]bool{}
	for i, o := range c.orders {
		at[o.key] = i
		for _, k := range o.needs {
			needed[k] = true
		}
	}
	done := make([]bool, len(c.orders))
	var place func(i int) int
	place = func(i int) int {
		o := &c.orders[i]
		if done[i] {
			return o.level
		}
		done[i] = true // needs form no circle; if they did, this ends it
		o.level = phase(o, needed[o.key]) * phaseStep
		for _, k := range o.needs {
			if n, is := at[k]; is {
				o.level = max(o.level, place(n)+1)
			}
		}
		return o.level
	}
	for i := range c.orders {
		place(i)
	}
}

// phase is when a change is made if nothing else decides.
func phase(o *cleared, frees bool) int {
	switch v := o.order.Change.Verb; {
	case v == target.Disable:
		return 0
	case v == target.Revoke && o.closing:
		return 1
	case v == target.Delete:
		return 2
	case v == target.Link:
		return 3
	case v == target.Rename && frees:
		return 4
	case v == target.Create:
		return 5
	case v == target.Enable:
		return 6
	case v == target.Rename:
		return 7
	case v == target.Update:
		return 8
	case v == target.Grant:
		return 9
	}
	return 10 // a password: who gets it finds everything there
}
