package sync

import (
	"context"
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/target"
)

// resumeMoves ends the changes in doubt after which a look would not show what the
// account holds. Only then is it looked at. Whoever cannot be helped stays in doubt, with
// all that was to be done for them there.
func (c *cycle) resumeMoves(ctx context.Context, t Target, doubts []state.Intent) ([]state.Intent, error) {
	var moves []state.Intent
	for _, in := range doubts {
		if ch := in.Order().Change; ch.Account != "" && resumes(t, ch) {
			moves = append(moves, in)
		}
	}
	stuck, err := c.resume(ctx, t, moves, nil)
	if err != nil || len(stuck) == 0 {
		return doubts, err
	}
	var left, stay []state.Intent
	for _, in := range doubts {
		if stuck[in.Order().Change.Person] {
			stay = append(stay, in)
		} else {
			left = append(left, in)
		}
	}
	c.stayInDoubt(t.Name, stay)
	return left, nil
}

// resumeMade ends the making of accounts that were found to be there, and says whose
// stays in doubt.
func (c *cycle) resumeMade(ctx context.Context, t Target, chunk []state.Intent, answers []target.Observation) (map[identity.Ordinal]bool, error) {
	var made []state.Intent
	found := map[uint64]target.Ref{}
	for i, in := range chunk {
		o := in.Order()
		if o.Change.Verb != target.Create || !resumes(t, o.Change) {
			continue
		}
		if out := settleDoubt(o, answers[i], t.Describe()); out.Done {
			made, found[in.ID()] = append(made, in), out.Account
		}
	}
	return c.resume(ctx, t, made, found)
}

// resumes says whether the target can leave such a change half done, and end it.
func resumes(t Target, ch target.Change) bool {
	r, can := t.Target.(target.Resumer)
	return can && r.Resumes(ch)
}

// resume lets a target finish what it was stopped in, and says for whom that has still
// to be done: where nothing may be written now, or the target cannot. What it leaves to
// somebody is said.
func (c *cycle) resume(ctx context.Context, t Target, intents []state.Intent, found map[uint64]target.Ref) (map[identity.Ordinal]bool, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	stuck := map[identity.Ordinal]bool{}
	if c.ask.DryRun || c.pausedHere(t.Name) {
		for _, in := range intents {
			stuck[in.Order().Change.Person] = true
		}
		return stuck, nil
	}
	cut := make([]target.Cut, len(intents))
	for i, in := range intents {
		ch := in.Order().Change
		cut[i] = target.Cut{Change: ch, Account: target.Ref{ID: ch.Account, Name: ch.Name}}
		if ch.Verb == target.Rename {
			cut[i].Account.Name = ch.OldName
		}
		if ch.Account == "" {
			cut[i].Account = found[in.ID()]
			continue
		}
		all, err := c.Store.Links(ch.Person)
		if err != nil {
			return nil, err
		}
		if l := all[ch.Person][t.Name]; l.Account == ch.Account {
			cut[i].Reference, cut[i].Holds = l.Reference, holds(l)
		}
	}
	for i, err := range c.writeRest(ctx, t, intents, cut) {
		switch o := intents[i].Order(); {
		case err == nil:
		case target.ClassOf(err) == target.Refused:
			c.report.Failed = append(c.report.Failed, Failed{Order: o, Outcome: ledger.Outcome{Err: err.Error(), Hint: hint(err), Class: target.Refused}})
		default:
			stuck[o.Change.Person] = true
			if c.down[t.Name] == nil {
				c.down[t.Name] = fmt.Errorf("finish what was cut off in %s: %w", t.Name, err)
			}
		}
	}
	return stuck, ctx.Err()
}

// pausedHere says whether nothing is written to the target.
func (c *cycle) pausedHere(name string) bool {
	for _, t := range c.input.Targets {
		if t.Name == name {
			return t.Paused != ""
		}
	}
	return false
}

func holds(l ledger.Link) []string {
	out := make([]string, len(l.Granted))
	for i, g := range l.Granted {
		out[i] = g.Entitlement
	}
	return out
}
