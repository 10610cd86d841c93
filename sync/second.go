package sync

import (
	"slices"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// second is the second pass of a cycle, if it needs one. References are a second pass:
// what is referred to is there by now. So is what had to wait until another right was
// seen to be gone.
//
// One for some people or changes alone does for others nothing that nobody asked for or
// was shown: the marks of those are there, and the next cycle does it. Its second pass
// has the same bounds.
func (r Request) second(first *Report) (Request, bool) {
	again := Request{Verb: r.Verb, By: r.By, Scheduled: true, Protected: r.Protected, again: true, Progress: r.Progress, Stop: r.Stop}
	if again.People = slices.Concat(first.Referring, first.Following); r.bounded() {
		again.People = slices.Clone(first.Following)
		again.Allow, again.Named = r.Allow, r.Named
	}
	slices.Sort(again.People)
	again.People = slices.Compact(again.People)
	return again, len(again.People) > 0 && !r.again
}

// bounded says whether the cycle is for some people, changes or targets alone.
func (r Request) bounded() bool {
	return r.Allow != nil || r.Review != nil || r.People != nil || r.OnlyTarget != ""
}

// behind notes who gets something once another right is seen to be gone in another
// target: in the second pass, or in the next cycle. What a review let go rests on what
// was seen before the first pass; and a cycle of one target takes nothing in another.
func (c *cycle) behind(s *plan.Subject, v plan.Standing) {
	soon := false
	for i, ch := range s.Changes {
		if ch.Behind == "" || v.Changes[i] != ch.Behind {
			continue
		}
		o := ledger.Order{Change: ch.Change, Situation: s.Situation.String()}
		if c.ask.allows(o) && c.ask.Review == nil && c.ask.OnlyTarget == "" {
			soon = true
		} else {
			c.leave(o)
		}
	}
	if soon {
		c.report.Following = append(c.report.Following, s.Person)
	}
}

// leave notes what the next cycle does of the people and targets that were asked for.
func (c *cycle) leave(o ledger.Order) {
	within := Request{People: c.ask.People, OnlyTarget: c.ask.OnlyTarget}
	if within.allows(o) {
		c.report.Left = append(c.report.Left, o)
	}
}
