package plan

import (
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Cleared is what may go. Only Judge makes one that holds anything.
type Cleared struct{ orders []cleared }

// cleared is an order with its place in the work.
type cleared struct {
	order ledger.Order
	key   target.Key
	// needs are the keys in this Cleared that must be done before.
	needs []target.Key
	level int
}

// Empty says whether there is nothing to do.
func (c Cleared) Empty() bool { return len(c.orders) == 0 }

// Count is how many changes may go.
func (c Cleared) Count() int { return len(c.orders) }

// Waves is the order of work in a target: each wave is done before the next
// begins, and within one the orders do not depend on each other.
func (c Cleared) Waves(name string) [][]ledger.Order { return nil }

// Only keeps the orders with these keys.
func (c Cleared) Only(keys map[target.Key]bool) Cleared { return c }
