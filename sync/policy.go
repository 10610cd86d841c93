package sync

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// takePolicy judges a changed policy, once what is known is as new as can be.
// Within the limits of the one in force it is taken, and the cycle goes on under
// it; beyond them it is a hold, and the one in force governs. Only a cycle of
// everybody does this, or the one that an approval asks for.
func (c *cycle) takePolicy(ctx context.Context) error {
	if c.Next == nil {
		return nil
	}
	holds, err := c.Store.Holds()
	if err != nil {
		return err
	}
	c.report.Policy = c.pending(holds)
	if c.lane || c.ask.People != nil && !c.ask.TakePolicy || c.report.Policy.Fate == Rejected {
		return nil
	}
	read, unread := c.listNext(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reread, err := c.decidePolicy(read, unread)
	if err != nil || !reread {
		return err
	}
	c.report.Reads = nil
	if err := c.readAndSeal(ctx); err != nil {
		return err
	}
	return c.acceptDrop()
}

// acceptDrop takes a smaller listing for the right one if it is no smaller than
// the one that the policy was judged by, and approved with.
func (c *cycle) acceptDrop() error {
	defer c.section()()
	for _, read := range c.report.Reads {
		f, err := c.Store.SourceFacts(read.Source)
		if err != nil {
			return err
		}
		if judged, approved := c.judged[read.Source]; approved && f.MinPeople && f.People >= judged {
			if err := c.Store.AcceptDrop(read.Source, c.ask.By); err != nil {
				return err
			}
		}
	}
	return nil
}

// knownDrops forgets how many people the policy reads of a source whose last
// listing was too small already: who is missing there was not shown with it.
func (c *cycle) knownDrops() error {
	for name := range c.judged {
		f, err := c.Store.SourceFacts(name)
		if err != nil {
			return err
		}
		if f.MinPeople {
			delete(c.judged, name)
		}
	}
	return nil
}

// decidePolicy says whether the source is to be read again, as the policy that
// was taken reads it.
func (c *cycle) decidePolicy(read reading, unread error) (reread bool, err error) {
	defer c.section()()
	c.step("policy", "")
	holds, err := c.Store.Holds()
	if err != nil {
		return false, err
	}
	p := c.pending(holds)
	c.report.Policy = p
	switch {
	case unread != nil:
		// Not even an approval lets a policy govern by which nothing can be read.
		p.Why, p.Err = "what it reads cannot be read", unread
		return false, nil
	case c.unreadFor(c.Next) && p.Fate != Agreed:
		// What it asks for may not have been read: it is judged on what is known.
		p.Why = first(p.Why, "the source was not read")
		return false, nil
	}
	impact, err := c.impact(read)
	if err != nil {
		return false, err
	}
	p.Impact, p.Outside, p.logins = plan.Lines(impact.plan), len(read.outside), map[identity.Ordinal]string{}
	for _, s := range impact.plan.Subjects {
		p.logins[s.Person] = s.Login
	}
	beyond, gives := plan.JudgeImpact(impact.plan, impact.book)
	if c.Frozen != "" {
		beyond = []string{c.Frozen}
	}
	if p.Fate == Agreed && c.ask.DryRun {
		return false, nil // the cycle that takes it lets pass what was approved
	}
	if p.Fate != Agreed {
		c.judged = nil // nobody approved so small a listing
	}
	if p.Fate == Agreed || len(beyond) == 0 {
		approved := p.Hold
		if p.Fate != Agreed {
			approved = ledger.Hold{}
		}
		if p.Fate == Agreed {
			gives = nil // what is approved spends nothing
			if err := c.knownDrops(); err != nil {
				return false, err
			}
		}
		p.Fate = Taken
		return c.swap(holds, approved, impact.plan, gives, read)
	}
	return false, c.holdPolicy(holds, impact.plan, beyond)
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// holdPolicy rebuilds the hold of the pending policy.
func (c *cycle) holdPolicy(holds []ledger.Hold, impact plan.Plan, beyond []string) error {
	now := c.Now()
	others, ours := c.withoutPolicy(holds)
	h := ledger.Hold{Target: policyTarget, Rule: ledger.RulePolicy, Opened: now, Status: ledger.Waiting}
	for _, was := range holds {
		// The file was edited again before anybody decided: the same hold, with
		// another version.
		if was.Target == policyTarget && was.Status == ledger.Waiting && len(was.Approved) == 0 {
			h = was
		}
	}
	if len(ours) > 0 {
		h = ours[0]
	}
	if h.ID == "" {
		id, err := c.Store.NextHoldID()
		if err != nil {
			return err
		}
		h.ID = id
	}
	since := map[target.Key]time.Time{}
	for _, k := range h.Keys {
		since[k.Key] = k.Since
	}
	h.Keys = append(impact.Held(), ledger.Held{Key: c.Next.policyKey(), Text: "take the policy of " + filepath.Base(c.Next.File), Since: now})
	for i, k := range h.Keys {
		if was, held := since[k.Key]; held {
			h.Keys[i].Since = was
		}
	}
	slices.SortFunc(h.Keys, func(a, b ledger.Held) int { return slices.Compare(a.Key[:], b.Key[:]) })
	h.Keys = slices.CompactFunc(h.Keys, func(a, b ledger.Held) bool { return a.Key == b.Key })
	h.Status, h.Approved, h.ApprovedBy, h.Expires = ledger.Waiting, nil, "", time.Time{} // an approval that lapsed
	h.Text = "the changed " + filepath.Base(c.Next.File) + ": " + few(beyond)
	h = versioned([]ledger.Hold{h}, now)[0]
	c.report.Policy.Fate, c.report.Policy.Hold, c.report.Policy.Why = Held, h, h.Text
	return c.Store.SaveHolds(append(others, h))
}

// few joins the first of many texts.
func few(texts []string) string {
	const most = 3
	out := ""
	for i, t := range texts {
		switch {
		case i == most:
			return fmt.Sprintf("%s; and %d more", out, len(texts)-most)
		case i > 0:
			out += "; "
		}
		out += t
	}
	return out
}

// swap lets the pending policy govern. Everybody is marked first: killed in
// between, they are looked at under the old one, and the next cycle does it all
// again. What was approved with it passes, target by target; all else meets the
// guard like any change.
func (c *cycle) swap(holds []ledger.Hold, hold ledger.Hold, impact plan.Plan, gives []ledger.Spend, read reading) (reread bool, err error) {
	next, moved := c.Next, false
	limits := map[string]plan.Guard{}
	for _, t := range c.Targets {
		limits[t.Name] = t.Rules.Guard
	}
	for _, s := range next.Sources {
		if _, err := c.Store.MarkEveryone(s.Name(), "policy"); err != nil {
			return false, err
		}
		moved = moved || c.sourceOf(s.Name()) != s.Source
	}
	if c.ask.DryRun {
		// It governs in this plan only. Who would not be read is taken for out of
		// scope here, and the snapshot does not hear of it.
		c.reading, c.Engine, c.limits = read, next, limits
		return false, nil
	}
	others, _ := c.withoutPolicy(holds)
	passes, err := c.passes(hold, impact)
	if err != nil {
		return false, err
	}
	by := first(hold.ApprovedBy, c.ask.By)
	record := state.PolicyRecord{Hash: next.hash(), Text: next.PolicyText, At: c.Now(), By: by}
	if err := c.Store.TakePolicy(record, append(others, passes...), gives); err != nil {
		return false, err
	}
	c.turn.before.CompareAndSwap(nil, &limits)
	c.Engine.successor.Store(next)
	c.Engine = next
	return moved, nil
}

// passes are the approved changes of a policy as approved holds, one for each
// target.
func (c *cycle) passes(hold ledger.Hold, impact plan.Plan) ([]ledger.Hold, error) {
	if len(hold.Approved) == 0 {
		return nil, nil
	}
	n, err := c.Store.FirstFreeHold()
	if err != nil {
		return nil, err
	}
	var out []ledger.Hold
	for _, t := range c.Next.Targets {
		h := ledger.Hold{ID: fmt.Sprintf("h%d", n), Target: t.Name, Rule: ledger.RulePolicy, Text: "approved with " + hold.ID, Opened: hold.Opened,
			Status: ledger.Approved, ApprovedBy: hold.ApprovedBy, Expires: hold.Expires}
		part := impact
		part.Subjects = slices.DeleteFunc(slices.Clone(impact.Subjects), func(s plan.Subject) bool { return s.Target != t.Name })
		for _, k := range part.Held() {
			if slices.Contains(hold.Approved, k.Key) {
				h.Keys = append(h.Keys, k)
			}
		}
		if len(h.Keys) == 0 {
			continue
		}
		slices.SortFunc(h.Keys, func(a, b ledger.Held) int { return slices.Compare(a.Key[:], b.Key[:]) })
		for _, k := range h.Keys {
			h.Approved = append(h.Approved, k.Key)
		}
		out = append(out, h)
		n++
	}
	return versioned(out, c.Now()), nil
}

func (e *Engine) sourceOf(name string) directory.Source {
	for _, s := range e.Sources {
		if s.Name() == name {
			return s.Source
		}
	}
	return nil
}

// firstPolicy notes the policy under which this state begins, and the one that
// another version of rosterd, or another spelling, makes of the text in force.
func (c *cycle) firstPolicy() error {
	if c.Frozen != "" {
		return nil
	}
	last, known, err := c.Store.Policy()
	if err != nil {
		return err
	}
	same := known && last.Hash == c.hash()
	if !same {
		for _, s := range c.Sources {
			if _, err := c.Store.MarkEveryone(s.Name(), "policy"); err != nil {
				return err
			}
		}
	}
	if c.ask.DryRun || same && (last.Text == c.PolicyText || c.PolicyText == "") {
		return nil
	}
	return c.Store.SavePolicy(state.PolicyRecord{Hash: c.hash(), Text: c.PolicyText, At: c.Now(), By: c.ask.By})
}

var (
	errUnlisted = errors.New("the read proved nothing")
	errNobody   = errors.New("it lists nobody")
)
