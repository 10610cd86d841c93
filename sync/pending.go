package sync

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// policyTarget is what the hold of a pending policy says it is of. No target can
// have that name.
const policyTarget = "the policy"

// Pending is a changed policy and what became of it.
type Pending struct {
	// File is the name of the file, Hash of its policy.
	File, Hash string
	Fate       Fate
	// Frozen: the policy in force cannot be used, and nothing is done.
	Frozen bool
	// Why: of a held one the limits that it is beyond; of one that could not be
	// judged, what was missing.
	Why string
	// Hold is the one that keeps it, if there is one.
	Hold ledger.Hold
	// Err is set where what it reads could not be read: it is not judged then.
	Err error
	// Impact is what it would do, where this cycle worked it out.
	Impact []plan.Line
	// Outside is how many people it would not read any more.
	Outside int

	logins map[identity.Ordinal]string
}

// Fate is what became of a changed policy.
type Fate uint8

const (
	// Unjudged: no cycle has judged it yet.
	Unjudged Fate = iota
	// Taken: it governs from this cycle on, or would if this were one that acts.
	Taken
	// Held: it waits for a decision, and the one before governs.
	Held
	// Rejected: somebody refused it, and the one before governs.
	Rejected
	// Agreed: it was approved, and governs from the next cycle on.
	Agreed
)

var fateNames = [...]string{"unjudged", "taken", "held", "rejected", "approved"}

func (f Fate) String() string { return fateNames[f] }

// Current is the engine that does this one's work: its own, or the one whose
// policy has come into force.
func (e *Engine) Current() *Engine {
	for {
		next := e.successor.Load()
		if next == nil {
			return e
		}
		e = next
	}
}

// hash identifies all that is policy.
func (e *Engine) hash() string {
	if e.Hash != "" {
		return e.Hash
	}
	return e.Policy.Hash()
}

// policyKey stands in a hold for the policy itself, so that what is approved is
// this one and no other, whatever changes it brings.
func (e *Engine) policyKey() target.Key {
	return target.Change{Target: policyTarget, Verb: target.Link, Account: target.NativeID(e.hash())}.Key()
}

// Pending says what is known of a changed file, from the state alone; nil if the
// file at hand is in force.
func (e *Engine) Pending() (*Pending, error) {
	e = e.Current()
	if e.Next == nil {
		return nil, nil
	}
	holds, err := e.Store.Holds()
	if err != nil {
		return nil, err
	}
	return e.pending(holds), nil
}

func (e *Engine) pending(holds []ledger.Hold) *Pending {
	p := &Pending{File: e.Next.File, Hash: e.Next.hash(), Frozen: e.Frozen != ""}
	h, held := e.policyHold(holds)
	if !held {
		return p
	}
	p.Hold, p.Why, p.Fate = h, h.Text, Held
	key := e.Next.policyKey()
	switch {
	case slices.Contains(h.Approved, key) && e.Now().Before(h.Expires):
		p.Fate = Agreed // also after it was rejected
	case slices.Contains(h.Refused, key):
		p.Fate = Rejected
	}
	return p
}

// policyHold finds the hold of the pending policy, if it is of this one.
func (e *Engine) policyHold(holds []ledger.Hold) (ledger.Hold, bool) {
	key := e.Next.policyKey()
	for _, h := range holds {
		if h.Target == policyTarget && slices.ContainsFunc(h.Keys, func(k ledger.Held) bool { return k.Key == key }) {
			return h, true
		}
	}
	return ledger.Hold{}, false
}

// withoutPolicy parts the holds of changes from the one of a pending policy,
// which is dropped where it is of another.
func (e *Engine) withoutPolicy(holds []ledger.Hold) (others, ours []ledger.Hold) {
	for _, h := range holds {
		if h.Target != policyTarget {
			others = append(others, h)
		}
	}
	if e.Next != nil {
		if h, held := e.policyHold(holds); held {
			ours = []ledger.Hold{h}
		}
	}
	return others, ours
}

// holds are those that are open: of a file that was put back none is.
func (e *Engine) holds() ([]ledger.Hold, error) {
	all, err := e.Store.Holds()
	if err != nil {
		return nil, err
	}
	others, ours := e.Current().withoutPolicy(all)
	return append(others, ours...), nil
}

// Settled drops the hold of a file that is not there any more; with a pending
// one it does nothing.
func (e *Engine) Settled() error {
	all, err := e.Store.Holds()
	if err != nil || e.Current().Next != nil {
		return err
	}
	if others, _ := e.withoutPolicy(all); len(others) < len(all) {
		return e.Store.SaveHolds(others)
	}
	return nil
}

// noPartError says that a hold is decided whole.
type noPartError struct{ hold, what, tip string }

func (e *noPartError) Error() string {
	return fmt.Sprintf("approve %s: %s, not for some people", e.hold, e.what)
}

// Hint says what to do instead.
func (e *noPartError) Hint() string {
	return "approve it whole: rosterd approve " + e.hold + "; or " + e.tip
}

// noPart says of which holds no part can be approved.
func noPart(h ledger.Hold) error {
	switch {
	case h.Target == policyTarget:
		return &noPartError{h.ID, "a policy is taken whole", "narrow the edit in the file, and see what is left: rosterd plan"}
	case h.Rule == ruleDark:
		return &noPartError{h.ID, "what vanished at once is taken for gone at once", "give the bind identity its rights again, and who is there drops out: rosterd sync"}
	}
	return nil
}
