package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// place is one person in one target.
type place struct {
	target string
	person identity.Ordinal
}

// verdict puts the fates together.
func (j *judge) verdict() Verdict {
	v := Verdict{Holds: j.rebuild(), NextFreeHold: j.next, Subjects: make([]Standing, len(j.plan.Subjects))}
	goes := map[target.Key]bool{}
	for i := range j.plan.Subjects {
		v.Subjects[i] = j.standing(i)
		for c, f := range j.fates[i] {
			if f.goes() {
				goes[j.plan.Subjects[i].Changes[c].Key] = true
			}
		}
	}
	for i := range j.plan.Subjects {
		s := &j.plan.Subjects[i]
		for c, f := range j.fates[i] {
			if f.goes() {
				v.Cleared.orders = append(v.Cleared.orders, j.order(s, c, f, goes))
			}
		}
	}
	v.Cleared.level()
	return v
}

func (j *judge) order(s *Subject, c int, f fate, goes map[target.Key]bool) cleared {
	p := &s.Changes[c]
	o := cleared{key: p.Key, closing: p.closing, order: ledger.Order{Change: p.Change, Situation: s.Situation.String(), Because: p.Because,
		Roles: p.Roles, Spends: f.spends, Awaits: p.Awaits, Nothing: p.Nothing, Owed: p.Owed, Shut: p.Shut}}
	if f.state == approved {
		o.order.Approval, o.order.By = j.holds[f.hold].ID, j.holds[f.hold].ApprovedBy
	}
	if p.follows {
		o.needs = append(o.needs, s.Changes[0].Key)
	}
	for _, k := range p.After {
		if goes[k] {
			o.needs = append(o.needs, k)
		}
	}
	return o
}

// standing says where a subject is.
func (j *judge) standing(i int) Standing {
	s := &j.plan.Subjects[i]
	out := Standing{Changes: make([]string, len(s.Changes))}
	stage := func(to Stage, why string) {
		if rank(to) > rank(out.Stage) {
			out.Stage, out.Why = to, why
		}
		out.Parked = out.Parked || to == Parked
	}
	if s.Held != "" {
		stage(Held, s.Held)
	}
	switch {
	case s.Park != nil:
		stage(Parked, s.Park.Error)
	case s.Situation == InDoubt:
		stage(Parked, s.Why)
	case s.Look != nil || len(s.Names) > 0:
		stage(Due, "to be looked at")
	case s.Kept != "":
		stage(Retained, s.Kept)
	case !s.Retained.IsZero():
		stage(Retained, "until "+s.Retained.UTC().Format(time.RFC3339))
	}
	silent := false
	for c, f := range j.fates[i] {
		switch f.state {
		case going, approved:
			stage(Due, "")
		case retrying:
			out.Changes[c] = cmp.Or(f.why, "waits for its next attempt")
			stage(Parked, out.Changes[c])
		case following:
			out.Changes[c], out.Following = f.why, true
			stage(Due, f.why)
		case waiting:
			h := &j.holds[f.hold]
			out.Changes[c] = h.ID
			out.Holds = append(out.Holds, h.ID)
			stage(Held, h.Rule)
		case refused:
			out.Changes[c] = "rejected in " + j.holds[f.hold].ID
			out.Holds = append(out.Holds, j.holds[f.hold].ID)
			silent = true
		default:
			out.Changes[c] = f.why
			if f.hold >= 0 {
				out.Holds = append(out.Holds, j.holds[f.hold].ID)
			}
			out.Withheld = true
			stage(Held, f.why)
		}
	}
	if silent {
		stage(Held, rejected) // behind every other reason
	}
	slices.Sort(out.Holds)
	out.Holds = slices.Compact(out.Holds)
	return out
}

// rejected is why a subject is held of which somebody decided that it stays as
// it is.
const rejected = "rejected"

// rank is which of several stages a subject is said to be in.
func rank(s Stage) int {
	return slices.Index([]Stage{Done, Retained, Due, Parked, Held}, s)
}
