package sync

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// unreadAfter is how many cycles in a row may fail to read a target before it is
// left alone for a while.
const unreadAfter = 3

// LeftAloneError says that a target failed before, and is not tried yet.
type LeftAloneError struct{ Outage ledger.Outage }

func (e *LeftAloneError) Error() string {
	return fmt.Sprintf("left alone until %s, it failed since %s: %s", localMoment(e.Outage.Next), localMoment(e.Outage.Since), e.Outage.Error)
}

// Hint says what to type.
func (e *LeftAloneError) Hint() string {
	return "when it works again: rosterd retry --target " + e.Outage.Target
}

func localMoment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// leaveAlone takes the targets that broke, and whose next attempt is not due, out
// of the cycle, unless people were named: they are neither read nor written, and whoever needs them stays
// marked.
func (c *cycle) leaveAlone() error {
	outages, err := c.Store.Outages()
	if err != nil {
		return err
	}
	c.outages = make(map[string]ledger.Outage, len(outages))
	for _, o := range outages {
		c.outages[o.Target] = o
		if o.LeftAlone(c.Now()) && !c.insists(o) {
			c.down[o.Target] = &LeftAloneError{Outage: o}
		}
	}
	return nil
}

// insists says whether somebody who named people wants it tried all the same: who
// is offboarded by hand does not wait for an hour. Credentials that were refused
// are not tried for one person, they may be locked by it.
func (c *cycle) insists(o ledger.Outage) bool {
	return c.ask.Named && !c.ask.DryRun && o.Class != target.Denied.String()
}

// breaks takes a target out of a cycle that could read it, and could not go on.
func (c *cycle) breaks(t *plan.Target, err error) {
	t.Down, c.down[t.Name] = err.Error(), err
	c.report.Down = append(c.report.Down, Down{Target: t.Name, Err: err})
}

// noteReads remembers which targets could be read and which not.
func (c *cycle) noteReads(answered map[string]bool) error {
	if c.ask.DryRun {
		return nil
	}
	for _, t := range c.Targets {
		switch err := c.down[t.Name]; {
		case err != nil:
			if err := c.failed(t.Name, err, false); err != nil {
				return err
			}
			if err := c.keepApprovals(t.Name, err); err != nil {
				return err
			}
		case answered[t.Name] && !c.outages[t.Name].Writing:
			if err := c.mended(t.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepApprovals lets what is approved wait for a target that is away.
func (c *cycle) keepApprovals(name string, cause error) error {
	var foreign *ForeignError
	if errors.As(cause, &foreign) {
		return nil
	}
	return c.Store.KeepApprovals(name)
}

// failed counts a failure of a target. One that refuses our credentials, or whose
// writes fail in a row, is left alone from now on; one that cannot be read may be
// so for a moment.
func (c *cycle) failed(name string, cause error, writing bool) error {
	var alone *LeftAloneError
	var foreign *ForeignError
	if errors.As(cause, &alone) || errors.As(cause, &foreign) {
		return nil
	}
	class := target.ClassOf(cause)
	if writing && class != target.Denied && class != target.Transient && class != target.InDoubt {
		return nil // it answers: the next cycle goes on with the next change
	}
	now := c.Now()
	o := c.outages[name]
	broken := o.Broken()
	if o.Target == "" {
		o = ledger.Outage{Target: name, Since: now}
	}
	o.Failures, o.Writing, o.Class, o.Error, o.Hint = o.Failures+1, o.Writing || writing, class.String(), cause.Error(), hint(cause)
	switch {
	case class == target.Denied:
		// Each attempt may lock the account that we come as.
		o.Next = now.Add(c.backOff(o.Failures, 10*time.Minute, ledger.LongestOutage))
	case broken || writing:
		o.Next = now.Add(c.backOff(o.Failures, time.Minute, ledger.LongestOutage))
	case o.Failures >= unreadAfter:
		o.Next = now.Add(c.backOff(o.Failures-unreadAfter+1, time.Minute, ledger.LongestOutage))
	}
	c.outages[name] = o
	return c.Store.SaveOutage(o)
}

// mended ends the outage of a target, if it had one.
func (c *cycle) mended(name string) error {
	if _, had := c.outages[name]; !had {
		return nil
	}
	delete(c.outages, name)
	return c.Store.EndOutage(name)
}

// nothingToTry ends the outage of a target that can be read, where no write is
// left by which to try it.
func (c *cycle) nothingToTry(name string) error {
	if o := c.outages[name]; !o.Writing || c.down[name] != nil || c.lane || c.ask.People != nil || c.ask.Allow != nil ||
		c.ask.OnlyTarget != "" && c.ask.OnlyTarget != name {
		return nil
	}
	parked, err := c.Store.Parked()
	if err != nil {
		return err
	}
	for _, p := range parked {
		if p.Target == name {
			return nil
		}
	}
	return c.mended(name)
}

// backOff is how long to wait after so many failures in a row: twice as long each
// time, up to a limit, and half of that up to half as much again, so that what
// failed together does not come back together.
func (e *Engine) backOff(failures int, least, most time.Duration) time.Duration {
	wait := least
	for i := 1; i < failures && wait < most; i++ {
		wait *= 2
	}
	jitter := e.Jitter
	if jitter == nil {
		jitter = rand.Float64
	}
	return time.Duration(float64(min(wait, most)) * (0.5 + jitter()))
}

// parkedFor is how long a change waits after so many attempts.
func (e *Engine) parkedFor(attempts int) time.Duration {
	return e.backOff(attempts, time.Minute, 6*time.Hour)
}
