package sync

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// unit is what one worker does in one go: the changes of one account, one
// entitlement of many accounts, or the making of many accounts.
type unit struct {
	intents []state.Intent
	members bool
	creates bool
}

// memberOf is what the changes of one membership request have in common.
type memberOf struct {
	verb        target.Verb
	entitlement string
}

// group makes units of intents: account changes by person, membership changes
// by entitlement, and accounts to be made so many together; one by one where that
// is 1. The orders of a batch do not depend on each other.
func group(intents []state.Intent, together int) []unit {
	var units []unit
	accounts := map[identity.Ordinal]int{}
	members := map[memberOf]int{}
	making := -1
	for _, in := range intents {
		ch := in.Order().Change
		switch ch.Verb {
		case target.Grant, target.Revoke:
			key := memberOf{ch.Verb, ch.Entitlement}
			i, open := members[key]
			if !open {
				i = len(units)
				members[key] = i
				units = append(units, unit{members: true})
			}
			units[i].intents = append(units[i].intents, in)
		case target.Create:
			if making < 0 || len(units[making].intents) >= together {
				making = len(units)
				units = append(units, unit{creates: true})
			}
			units[making].intents = append(units[making].intents, in)
		default:
			i, open := accounts[ch.Person]
			if !open {
				i = len(units)
				accounts[ch.Person] = i
				units = append(units, unit{})
			}
			units[i].intents = append(units[i].intents, in)
		}
	}
	return units
}

// byEntitlement brings those together who get or lose the same: the fewer
// requests. What is about one account stays in its order, and in front.
func byEntitlement(wave []ledger.Order) {
	slices.SortStableFunc(wave, func(a, b ledger.Order) int {
		return cmp.Or(cmp.Compare(membership(a.Change), membership(b.Change)), cmp.Compare(a.Change.Entitlement, b.Change.Entitlement))
	})
}

// membership is the verb of a change that is about an entitlement, else 0.
func membership(ch target.Change) target.Verb {
	if ch.Verb == target.Grant || ch.Verb == target.Revoke {
		return ch.Verb
	}
	return 0
}

// unsent is the error of a write that a signal kept from leaving. Nothing failed
// by it: the next cycle does it.
const unsent = "not sent: stopped by a signal"

// gaveWay is the outcome of a write that was kept back to let a lane in, which
// may be about the same account. It is ordered anew once the lane is done, unless
// its person was marked again.
const gaveWay = "not sent: it gave way to somebody who was named"

// do writes one unit and returns a result for each of its intents. After a stop
// or an abort no more units are begun.
func (a *applier) do(ctx context.Context, u unit) []state.Result {
	if why := a.keeps(ctx); why != "" {
		return keptBack(u.intents, why)
	}
	switch {
	case u.members:
		return a.doMembers(ctx, u.intents)
	case u.creates && len(u.intents) > 1:
		return a.doCreates(ctx, u.intents)
	}
	var results []state.Result
	for at := 0; at < len(u.intents); {
		n := 1
		for at+n < len(u.intents) && updates(u.intents[at]) && updates(u.intents[at+n]) {
			n++
		}
		results = append(results, a.doAccount(ctx, u.intents[at:at+n])...)
		at += n
	}
	return results
}

// keeps is why no write is sent any more; empty while they are.
func (a *applier) keeps(ctx context.Context) string {
	switch {
	case a.ask.stopped(), ctx.Err() != nil:
		return unsent
	case a.yields(), a.gaveUp(), a.paused() != "":
		return gaveWay
	}
	return ""
}

// keptBack are the results of writes that were not sent. Nothing failed by it.
func keptBack(intents []state.Intent, why string) []state.Result {
	results := make([]state.Result, len(intents))
	for i, in := range intents {
		results[i] = state.Result{Intent: in, Outcome: ledger.Outcome{Err: why, Class: target.Transient}}
	}
	return results
}

func updates(in state.Intent) bool { return in.Order().Change.Verb == target.Update }

// doAccount does one change, or several updates of one account in one request.
// Where the target refuses several, each is tried alone, so that one bad value
// does not keep the others out.
func (a *applier) doAccount(ctx context.Context, intents []state.Intent) []state.Result {
	ref, took, err := a.write(ctx, intents)
	if err != nil && len(intents) > 1 && target.ClassOf(err) == target.Refused {
		var results []state.Result
		for _, in := range intents {
			results = append(results, a.doAccount(ctx, []state.Intent{in})...)
		}
		return results
	}
	if undelivered(err) {
		a.answered(nil) // the target did its part
	} else {
		a.answered(err)
	}
	results := make([]state.Result, len(intents))
	for i, in := range intents {
		results[i] = a.result(in, ref, took, err)
	}
	return results
}

// doMembers changes one entitlement of many accounts.
func (a *applier) doMembers(ctx context.Context, intents []state.Intent) []state.Result {
	errs, took := a.writeMembers(ctx, intents)
	if slices.Contains(errs, nil) || errs == nil {
		a.answered(nil)
	} else {
		a.answered(errs[0]) // it is one request, however many it is about
	}
	results := make([]state.Result, len(intents))
	for i, in := range intents {
		ch := in.Order().Change
		var err error
		if errs != nil {
			err = errs[i]
		}
		results[i] = a.result(in, target.Ref{ID: ch.Account, Name: ch.Name}, took, err)
	}
	return results
}

// answered counts the requests that failed in a row. A target that breaks is left
// alone; one that refuses something works, and the next may be what it takes,
// unless it has taken nothing at all.
func (a *applier) answered(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.failing, a.took = 0, true
		return
	}
	class := target.ClassOf(err)
	switch {
	case class == target.Denied:
		// Wrong credentials or rights fail for everybody: stop before accounts
		// are locked out, but not for one protected entry.
		a.failing += 1 + breakAfter/3
	case class == target.Transient || class == target.InDoubt || !a.took:
		a.failing++
	}
	if a.failing >= breakAfter || a.probing && (class == target.Transient || class == target.InDoubt) {
		a.broken = err
	}
}

// result turns what a write returned into what the state keeps of it.
func (a *applier) result(in state.Intent, ref target.Ref, took time.Duration, err error) state.Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := in.Order()
	who := o.Change.Person
	if err == nil {
		out := ledger.Outcome{Done: true, Account: ref, Took: took, Attempts: a.attempts[who] + 1}
		if o.Change.Verb == target.SetPassword {
			out.Way = a.target.Passwords.Way()
		}
		l := a.links[who].After(o, out, a.Now())
		if !a.target.Describe().ReadBack {
			l.Taken = nil // the word is all that there will be
		}
		a.links[who], a.refs[who] = l, target.Ref{ID: l.Account, Name: l.Name}
		return state.Result{Intent: in, Outcome: out, Link: &l}
	}
	class := target.ClassOf(err)
	a.blocked[who] = plan.Words(o.Change)
	attempts, next := a.parkUntil(who)
	out := ledger.Outcome{Err: err.Error(), Hint: hint(err), Class: class, Took: took, Attempts: attempts, Next: next}
	if class == target.InDoubt {
		return state.Result{Intent: in, Outcome: out}
	}
	return state.Result{Intent: in, Outcome: out, Parked: &ledger.Parked{Target: a.target.Name, Person: who,
		Subject: plan.Words(o.Change), Class: class.String(), Error: out.Err, Hint: out.Hint, Attempts: attempts, Since: a.Now(), Next: next}}
}
