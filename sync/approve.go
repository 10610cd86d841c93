package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// approvalLasts is how long an approval that is not used stays good.
const approvalLasts = 24 * time.Hour

// Approval is a decision to let held changes go.
type Approval struct {
	Hold string
	// Version is the one that was shown; the decision is refused if the hold
	// has grown or changed since.
	Version string
	By      string
	// People and Limit approve a part; nil and 0 approve all.
	People []identity.Ordinal
	Limit  int
}

// GrownError says that a hold is not what was shown any more.
type GrownError struct {
	Hold       string
	Shown, Now string
	Count      int
	// Added is what has come since the version that was shown, in words; empty
	// where that version is not known.
	Added []string
}

func (e *GrownError) Error() string {
	return fmt.Sprintf("approve %s: it has changed since version %s was shown: now version %s with %d changes", e.Hold, e.Shown, e.Now, e.Count)
}

// Hint says what to type.
func (e *GrownError) Hint() string {
	return fmt.Sprintf("look at it again and approve what you see: rosterd approve %s --version %s --yes", e.Hold, e.Now)
}

// NoHoldError says that there is no such hold.
type NoHoldError struct{ Hold string }

func (e *NoHoldError) Error() string {
	return fmt.Sprintf("find hold %q: there is no such hold", e.Hold)
}

// Hint says what to type.
func (e *NoHoldError) Hint() string { return "see what is held: rosterd status" }

// Hold finds an open hold by its ID.
func (e *Engine) Hold(id string) (ledger.Hold, error) {
	holds, err := e.holds()
	if err != nil {
		return ledger.Hold{}, err
	}
	for _, h := range holds {
		if h.ID == id {
			return h, nil
		}
	}
	return ledger.Hold{}, &NoHoldError{Hold: id}
}

// Approve records the decision and then runs a cycle that does the approved
// changes and nothing else.
func (e *Engine) Approve(ctx context.Context, a Approval, ask Request) (*Report, error) {
	d, err := e.Decide(a)
	if err != nil {
		return nil, err
	}
	return e.Carry(ctx, d, ask)
}

// Decision is an approval that is on disk.
type Decision struct {
	hold   ledger.Hold
	chosen []ledger.Held
	whole  bool
	by     string
}

// Count is how many changes it lets go.
func (d *Decision) Count() int { return len(d.chosen) }

// Decide records an approval. What it covers is done by Carry, or by the next
// cycle that comes.
func (e *Engine) Decide(a Approval) (*Decision, error) {
	hold, err := e.Hold(a.Hold)
	if err != nil {
		return nil, err
	}
	chosen, err := Choose(hold, a)
	if err != nil {
		return nil, err
	}
	whole := len(chosen) == len(hold.Keys)
	err = e.Store.Decide(a.Hold, func(h ledger.Hold) (ledger.Hold, error) {
		if h.Version() != a.Version {
			return h, grown(h, a)
		}
		for _, k := range chosen {
			h.Approved = append(h.Approved, k.Key)
		}
		slices.SortFunc(h.Approved, func(x, y target.Key) int { return slices.Compare(x[:], y[:]) })
		h.Approved = slices.Compact(h.Approved)
		if h.Untold = whole && worldly(h.Rule); whole {
			h.Status = ledger.Approved
		}
		h.ApprovedBy, h.Expires = a.By, e.Now().Add(approvalLasts)
		return h, nil
	})
	if err != nil {
		return nil, err
	}
	return &Decision{hold: hold, chosen: chosen, whole: whole, by: a.By}, nil
}

// Carry runs a cycle that does what was approved and nothing else.
func (e *Engine) Carry(ctx context.Context, d *Decision, ask Request) (*Report, error) {
	hold, chosen, whole := d.hold, d.chosen, d.whole
	ask.TakePolicy = hold.Target == policyTarget
	// What the approval says about the world must not be said in the middle of a
	// cycle that rests on the contrary.
	ask.Alone = slices.Contains([]string{"group", "blackout", "min-people", ruleRekeyed, ruleDark, ledger.RulePolicy}, hold.Rule)
	ask.first = func() error {
		if whole {
			return e.meant(hold, d.by)
		}
		return nil
	}
	allowed := make(map[target.Key]bool, len(chosen))
	people := make([]identity.Ordinal, 0, len(chosen))
	for _, k := range chosen {
		allowed[k.Key] = true
		if k.Person.Valid() {
			people = append(people, k.Person)
		}
	}
	slices.Sort(people)
	ask.People = slices.Compact(people)
	ask.Allow = func(k target.Key) bool { return allowed[k] }
	return e.Cycle(ctx, ask)
}

// Choose picks the changes that an approval covers, or says why it covers none.
// Limit takes the first people by what the hold says of them.
func Choose(h ledger.Hold, a Approval) ([]ledger.Held, error) {
	if h.Status == ledger.Approved {
		return nil, fmt.Errorf("approve %s: it is approved already, by %s", h.ID, h.ApprovedBy)
	}
	if a.Version != h.Version() {
		return nil, grown(h, a)
	}
	if a.People != nil || a.Limit > 0 {
		if err := noPart(h); err != nil {
			return nil, err
		}
	}
	var out []ledger.Held
	people := map[identity.Ordinal]bool{}
	rank := map[identity.Ordinal]string{}
	for _, k := range h.Keys {
		if first, known := rank[k.Person]; !known || k.Text < first {
			rank[k.Person] = k.Text
		}
	}
	keys := slices.SortedStableFunc(slices.Values(h.Keys), func(x, y ledger.Held) int {
		return cmp.Or(cmp.Compare(rank[x.Person], rank[y.Person]), cmp.Compare(x.Person, y.Person))
	})
	for _, k := range keys {
		if a.People != nil && !slices.Contains(a.People, k.Person) {
			continue
		}
		if !people[k.Person] {
			if a.Limit > 0 && len(people) == a.Limit {
				continue
			}
			people[k.Person] = true
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("approve %s: it holds nothing of them", h.ID)
	}
	return out, nil
}

// grown says what has come since the version that was shown.
func grown(now ledger.Hold, a Approval) error {
	e := &GrownError{Hold: now.ID, Shown: a.Version, Now: now.Version(), Count: len(now.Keys)}
	for _, v := range now.History {
		if v.Version == a.Version {
			for _, k := range now.Keys {
				if k.Since.After(v.At) {
					e.Added = append(e.Added, k.Text)
				}
			}
			return e
		}
	}
	return e
}

// meant accepts what the approval says, and notes that this was done: what changes after
// that is another matter, though the approval is in force still.
func (e *Engine) meant(h ledger.Hold, by string) error {
	if err := e.accept(h, by); err != nil {
		return err
	}
	return e.Store.Told(h.ID)
}

// accept takes what an approval of a whole hold says about the world: the
// target is not new any more, the group is as it is now, the absence and the
// drop were meant. What concerns several targets is accepted with the last.
func (e *Engine) accept(h ledger.Hold, by string) error {
	e = e.Current()
	if last, err := e.lastOf(h.Rule); err != nil || !last && !plan.Rule(h.Rule).Whole() {
		return err
	}
	switch h.Rule {
	case "group":
		return e.acceptGroups(by)
	case "blackout":
		var errs []error
		for _, s := range e.Sources {
			errs = append(errs, e.Store.AcceptBlackout(s.Name(), by))
		}
		return errors.Join(errs...)
	case "first":
		t, err := e.Store.Target(h.Target)
		if err != nil {
			return err
		}
		t.Name, t.First = h.Target, true
		if t.Since.IsZero() {
			t.Since = e.Now()
		}
		return e.Store.SaveTarget(t)
	case "restored":
		// What was drawn for somebody who was named, before everything was compared, says
		// nothing of the rest.
		if r, is, err := e.Store.Restored(); err != nil || is && !r.Resynced {
			return err
		}
		return e.Store.Agree(h.Target, by, e.targetNames())
	case "min-people":
		var errs []error
		for _, s := range e.Sources {
			errs = append(errs, e.Store.AcceptDrop(s.Name(), by))
		}
		return errors.Join(errs...)
	}
	return nil
}

// lastOf says whether no hold of the rule waits any more.
func (e *Engine) lastOf(rule string) (bool, error) {
	holds, err := e.Store.Holds()
	for _, h := range holds {
		if h.Rule == rule && h.Status == ledger.Waiting && len(h.Keys) > 0 {
			return false, err
		}
	}
	return true, err
}

// acceptGroups takes every group of the policy as it is now.
func (e *Engine) acceptGroups(by string) error {
	var errs []error
	for _, s := range e.Sources {
		pins, err := e.Store.Pins(s.Name(), e.Policy.Groups())
		errs = append(errs, err)
		for _, p := range pins {
			if !p.Status.Sound() {
				errs = append(errs, e.Store.AcceptPin(s.Name(), p.Written, by))
			}
		}
	}
	return errors.Join(errs...)
}

// Reject silences the changes of a hold until they change.
func (e *Engine) Reject(id, by string) (ledger.Hold, error) {
	if _, err := e.Hold(id); err != nil {
		return ledger.Hold{}, err
	}
	var out ledger.Hold
	err := e.Store.Decide(id, func(h ledger.Hold) (ledger.Hold, error) {
		h.Status, h.ApprovedBy, h.Approved = ledger.Rejected, by, nil
		for _, k := range h.Keys {
			if h.Target == policyTarget && k.Person.Valid() {
				continue // the policy is refused; what it would do may come from elsewhere
			}
			if !slices.Contains(h.Refused, k.Key) {
				h.Refused = append(h.Refused, k.Key)
			}
		}
		out = h
		return h, nil
	})
	return out, err
}

// allows says whether an order may go under this request.
func (r Request) allows(o ledger.Order) bool {
	if r.Allow != nil && !r.Allow(o.Change.Key()) || r.OnlyTarget != "" && r.OnlyTarget != o.Change.Target {
		return false
	}
	return r.People == nil || r.names(o.Change.Person)
}

// Offboard denies a person everything everywhere, and does it at once.
func (e *Engine) Offboard(ctx context.Context, d ledger.Denial, ask Request) (*Report, error) {
	if strings.TrimSpace(d.Reason) == "" {
		return nil, errors.New("offboard: say why, with --reason")
	}
	if d.Over(e.Now()) {
		return nil, fmt.Errorf("offboard: it would be over already: %s", d.Exception().End())
	}
	if err := e.Store.Deny(d); err != nil {
		return nil, err
	}
	ask.People, ask.Named = []identity.Ordinal{d.Person}, true
	return e.Cycle(ctx, ask)
}

// Release lifts an offboard, and enables again what somebody else disabled.
func (e *Engine) Release(ctx context.Context, who identity.Ordinal, by, reason string, ask Request) (*Report, error) {
	if err := e.Store.Allow(who, by, reason); err != nil {
		return nil, err
	}
	ask.People, ask.Released = []identity.Ordinal{who}, true
	return e.Cycle(ctx, ask)
}
