package scim

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/proof"
)

// Look finds accounts by their ID or by what they have, a few at once. It is
// answered from what the server has now.
func (t *Target) Look(ctx context.Context, scope target.Scope, queries []target.Query) ([]target.Observation, error) {
	const doing = "look at accounts"
	if err := ctx.Err(); err != nil {
		return nil, &target.Error{Class: target.Transient, Err: err}
	}
	out := make([]target.Observation, len(queries))
	found := make([][]resource, len(queries))
	s := &search{t: t, doing: doing}
	var absent atomic.Bool
	err := t.each(ctx, len(queries), func(ctx context.Context, i int) error {
		q := queries[i]
		if q.ID != "" {
			r, err := t.byID(ctx, s, q.ID)
			if r != nil {
				found[i] = []resource{r}
			} else if err == nil {
				absent.Store(true)
			}
			return err
		}
		for _, m := range q.Match {
			list, err := s.find(ctx, m)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				found[i], out[i].By = list, m
				return nil
			}
		}
		return nil
	})
	if err == nil && absent.Load() {
		err = t.there(ctx, doing)
	}
	var held map[string][]string
	var unseen []string
	if err == nil {
		var all []resource
		for _, list := range found {
			all = append(all, list...)
		}
		held, unseen, err = t.holdings(ctx, doing, scope, all)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	for i, list := range found {
		out[i].Read = proof.Looked()
		for _, r := range list {
			a := t.shown(r, scope, held)
			a.Unseen = unseen
			out[i].Accounts = append(out[i].Accounts, a)
		}
	}
	return out, nil
}

// byID is the account of an ID, or nil where there is none. Some servers fail
// where they should say so, and are asked in another way.
func (t *Target) byID(ctx context.Context, s *search, id target.NativeID) (resource, error) {
	c, err := t.read(ctx, s.doing, id)
	switch {
	case err == nil:
		return c.resource, nil
	case target.ClassOf(err) == target.Missing:
		return nil, nil
	case statusOf(err) == http.StatusInternalServerError || statusOf(err) == http.StatusBadRequest:
		found, other := s.t.pages(ctx, s.doing, "Users", filterOf("id", string(id)))
		if other != nil {
			return nil, err
		}
		for _, r := range found {
			if r.id() == string(id) {
				return r, nil
			}
		}
		if len(found) > 0 {
			return nil, err // others came: the filter says nothing
		}
		// A filter may know nothing of IDs: only a whole listing says that it is not there.
		if r, other := s.withID(ctx, id); other == nil {
			return r, nil
		}
	}
	return nil, err
}

// shown is an account with what it holds.
func (t *Target) shown(r resource, scope target.Scope, held map[string][]string) target.Account {
	t.kept.read(r)
	a := t.account(r, scope)
	if list := held[r.id()]; len(list) > 0 {
		a.Entitlements = append([]string(nil), list...)
	}
	t.seen(true, a.ID)
	return a
}

// List yields every account, in the order of the server. The pages are read first,
// since a listing may have to be begun anew.
func (t *Target) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	const doing = "list accounts"
	if d := t.cfg.TotalTimeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(d), errors.New("the listing took longer than total_timeout"))
		defer cancel()
	}
	all, err := t.pages(ctx, doing, "Users", nil)
	if err != nil {
		return target.Complete{}, err
	}
	held, unseen, err := t.holdings(ctx, doing, scope, all)
	if err != nil {
		return target.Complete{}, err
	}
	for _, r := range all {
		if err := ctx.Err(); err != nil {
			return target.Complete{}, cause(ctx)
		}
		a := t.shown(r, scope, held)
		a.Unseen = unseen
		if err := yield(a); err != nil {
			return target.Complete{}, err
		}
	}
	if ctx.Err() != nil {
		return target.Complete{}, cause(ctx)
	}
	return proof.Listed(len(all)), nil
}
