package sync

import (
	"context"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/target"
)

// This file is the only place in rosterd that writes to a target, and an intent
// on disk is the only thing it takes.

// write does one change of an account, or several updates of it together.
func (a *applier) write(ctx context.Context, intents []state.Intent) (target.Ref, time.Duration, error) {
	if err := a.pace(ctx, 1); err != nil {
		return target.Ref{}, 0, notSent(err)
	}
	o := intents[0].Order()
	ch := o.Change
	ref := target.Ref{ID: ch.Account, Name: ch.Name}
	began := a.Now()
	var err error
	switch ch.Verb {
	case target.Create:
		ref, err = a.target.Create(ctx, ch.Name, ch.Set, o.Mark)
	case target.Link:
		err = a.target.Link(ctx, ref, o.Mark)
	case target.Update:
		set := make([]target.Value, 0, len(intents))
		for _, in := range intents {
			set = append(set, in.Order().Change.Set...)
		}
		err = a.target.Update(ctx, ref, set)
	case target.Rename:
		ref, err = a.target.Rename(ctx, target.Ref{ID: ch.Account, Name: ch.OldName}, ch.Name)
	case target.Enable:
		err = a.target.Enable(ctx, ref)
	case target.Disable:
		err = a.target.Disable(ctx, ref)
	case target.Delete:
		err = a.target.Delete(ctx, ref)
	case target.SetPassword:
		err = a.newPassword(ctx, ch.Person, ref)
	default:
		err = &target.Error{Class: target.Refused, Err: fmt.Errorf("%s: no such change", ch.Verb)}
	}
	return ref, a.Now().Sub(began), err
}

// writeCreates makes many accounts in one call, and tells of each.
func (a *applier) writeCreates(ctx context.Context, intents []state.Intent, told func(int, target.Created) bool) {
	if err := a.pace(ctx, len(intents)); err != nil {
		told(0, target.Created{Err: notSent(err)})
		return
	}
	accounts := make([]target.Creation, len(intents))
	for i, in := range intents {
		o := in.Order()
		accounts[i] = target.Creation{Name: o.Change.Name, Set: o.Change.Set, Mark: o.Mark}
	}
	a.batcher().CreateAll(ctx, accounts, told)
}

// batcher is the target where it makes many accounts together, else nil.
func (a *applier) batcher() target.Batcher {
	b, _ := a.target.Target.(target.Batcher)
	return b
}

// setPassword is the half of newPassword that writes.
func (a *applier) setPassword(ctx context.Context, ref target.Ref, p target.Password) error {
	setter, can := a.target.Target.(target.Passworder)
	if !can {
		return &target.Error{Class: target.Refused, Err: fmt.Errorf("set the password of %q: the target cannot", ref.Name)}
	}
	return setter.SetPassword(ctx, ref, p)
}

// writeMembers grants or revokes one entitlement of many accounts.
func (a *applier) writeMembers(ctx context.Context, intents []state.Intent) ([]error, time.Duration) {
	if err := a.pace(ctx, 1); err != nil {
		return fill(len(intents), notSent(err)), 0
	}
	ch := intents[0].Order().Change
	refs := make([]target.Ref, len(intents))
	for i, in := range intents {
		c := in.Order().Change
		refs[i] = target.Ref{ID: c.Account, Name: c.Name}
	}
	began := a.Now()
	var errs []error
	if ch.Verb == target.Grant {
		errs = a.target.Grant(ctx, ch.Entitlement, refs)
	} else {
		errs = a.target.Revoke(ctx, ch.Entitlement, refs)
	}
	if errs != nil && len(errs) != len(refs) {
		errs = fill(len(refs), fmt.Errorf("%s %s: %d answers for %d accounts", ch.Verb, ch.Entitlement, len(errs), len(refs)))
	}
	return errs, a.Now().Sub(began)
}

// writeRest lets the target end changes that left in an earlier cycle: their intents have
// no outcome yet.
func (c *cycle) writeRest(ctx context.Context, t Target, intents []state.Intent, cut []target.Cut) []error {
	r, can := t.Target.(target.Resumer)
	if !can {
		return nil
	}
	for range intents {
		if t.Rate == nil {
			break
		}
		if err := t.Rate.Wait(ctx); err != nil {
			return fill(len(intents), notSent(err))
		}
	}
	errs := r.Resume(ctx, cut)
	if errs != nil && len(errs) != len(cut) {
		errs = fill(len(cut), fmt.Errorf("%d answers for %d changes that were cut off", len(errs), len(cut)))
	}
	return errs
}

// notSent marks an error from before the request left.
func notSent(err error) error { return &target.Error{Class: target.Transient, Err: err} }

func fill(n int, err error) []error {
	out := make([]error, n)
	for i := range out {
		out[i] = err
	}
	return out
}
