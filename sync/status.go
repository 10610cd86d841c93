package sync

import (
	"cmp"
	"slices"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
)

// Status is what an administrator asks first, from the state alone.
type Status struct {
	At      time.Time
	Holds   []ledger.Hold
	Parked  []ledger.Parked
	Denials []ledger.Denial
	// Exceptions are those of the file and by hand that are not over, but for
	// offboards, sooner ends first.
	Exceptions []Standing
	// Together are the people who hold roles that a conflict parts, as the last cycle
	// that looked at them found.
	Together []ledger.Together
	Pauses   []ledger.Pause
	// Policy is a changed policy that does not govern; nil if there is none.
	Policy *Pending
	// Outages are the targets that failed and did not recover.
	Outages []ledger.Outage
	// Trouble is why nothing could be written to the state the last time that
	// somebody tried; nil if something could.
	Trouble error
	// Restored is set while the state may be older than what was done with it.
	Restored *state.Restored
	Sources  map[string]state.SourceFacts
	Targets  []TargetStatus
	// Cycles are the last ones, newest first.
	Cycles []state.CycleRecord
	// Waiting is how many people are marked, InDoubt how many writes have no
	// outcome.
	Waiting, InDoubt int
}

// TargetStatus is one target in the status.
type TargetStatus struct {
	Name      string
	Kind      string
	Open, All int
	// New: its first plan was not approved yet.
	New bool
	// Loose are accounts about which somebody has to decide.
	Loose state.Loose
	// Kept are people for whom nothing is done there until somebody mends something.
	Kept []Kept
}

// Status collects the status.
func (e *Engine) Status(cycles int) (*Status, error) {
	e = e.Current()
	out := &Status{At: e.Now(), Trouble: e.Store.Trouble(), Sources: map[string]state.SourceFacts{}}
	var err error
	if out.Policy, err = e.Pending(); err != nil {
		return nil, err
	}
	if out.Holds, err = e.holds(); err != nil {
		return nil, err
	}
	if out.Parked, err = e.Store.Parked(); err != nil {
		return nil, err
	}
	denials, err := e.Store.Denials()
	if err != nil {
		return nil, err
	}
	for _, d := range denials {
		if !d.Over(out.At) {
			out.Denials = append(out.Denials, d)
		}
	}
	if out.Exceptions, err = e.unended(); err != nil {
		return nil, err
	}
	slices.SortFunc(out.Denials, func(a, b ledger.Denial) int { return cmp.Compare(a.Person, b.Person) })
	if out.Together, err = e.Store.Together(); err != nil {
		return nil, err
	}
	if out.Pauses, err = e.Store.Pauses(out.At); err != nil {
		return nil, err
	}
	if r, is, err := e.Store.Restored(); err != nil {
		return nil, err
	} else if is {
		out.Restored = &r
	}
	if out.Outages, err = e.Store.Outages(); err != nil {
		return nil, err
	}
	// One that was taken out of the file is nobody's worry.
	out.Outages = slices.DeleteFunc(out.Outages, func(o ledger.Outage) bool { return e.target(o.Target).Target == nil })
	for _, s := range e.Sources {
		if out.Sources[s.Name()], err = e.Store.SourceFacts(s.Name()); err != nil {
			return nil, err
		}
	}
	marks, err := e.Store.Marks()
	if err != nil {
		return nil, err
	}
	for _, t := range e.Targets {
		open, all, err := e.Store.LinkCount(t.Name)
		if err != nil {
			return nil, err
		}
		known, err := e.Store.Target(t.Name)
		if err != nil {
			return nil, err
		}
		out.Targets = append(out.Targets, TargetStatus{Name: t.Name, Kind: t.Describe().Kind, Open: open, All: all,
			New: !known.First && t.Rules.Guard.First != "apply", Loose: known.Loose, Kept: keptIn(known.Kept, marks)})
	}
	doubts, err := e.Store.InDoubt()
	if err != nil {
		return nil, err
	}
	out.InDoubt = len(doubts)
	if out.Waiting, err = e.Store.Waiting(e.Now()); err != nil {
		return nil, err
	}
	if out.Cycles, err = e.Store.Cycles(cycles); err != nil {
		return nil, err
	}
	return out, nil
}
