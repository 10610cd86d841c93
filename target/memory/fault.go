package memory

import (
	"fmt"

	"github.com/rosterd/rosterd/target"
)

// Faults are what shall go wrong. The hooks are called without a lock, in the
// goroutine of the caller; a nil hook does nothing.
type Faults struct {
	// Write is called before each write with its number, from 1 since the
	// target was made, and says what becomes of it. The zero Fault is none.
	Write func(n int, w Write) Fault
	// List is called before each account with the number already yielded, and
	// once more at the end. An error ends the listing.
	List func(yielded int) error
	// Look is called before a look is answered. An error fails it.
	Look func([]target.Query) error
}

// Fault is what happens to one write.
type Fault struct {
	// Wait holds the write back until it is closed or the context ends.
	Wait <-chan struct{}
	// Applied lets the write be done before Err is returned.
	Applied bool
	Err     error
}

// SetFaults replaces the faults.
func (t *Target) SetFaults(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = f
}

// FailWrite fails the k-th write, without doing it.
func FailWrite(k int, class target.Class) Faults {
	return nth(k, Fault{Err: &target.Error{Class: class, Err: fmt.Errorf("write %d fails as asked", k)}})
}

// LoseAnswer does the k-th write and tells the caller that it is in doubt.
func LoseAnswer(k int) Faults {
	return nth(k, Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: fmt.Errorf("the answer to write %d was lost as asked", k)}})
}

// BlockWrite holds the k-th write back until release is closed.
func BlockWrite(k int, release <-chan struct{}) Faults { return nth(k, Fault{Wait: release}) }

// ShortList ends every listing with an error after n accounts.
func ShortList(n int) Faults {
	return Faults{List: func(yielded int) error {
		if yielded < n {
			return nil
		}
		return &target.Error{Class: target.Transient, Err: fmt.Errorf("list accounts: cut off after %d as asked", yielded)}
	}}
}

func nth(k int, f Fault) Faults {
	return Faults{Write: func(n int, _ Write) Fault {
		if n == k {
			return f
		}
		return Fault{}
	}}
}
