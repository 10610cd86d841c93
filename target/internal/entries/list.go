package entries

import (
	"context"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/proof"
)

// List yields every account, in the order of the server. Groups of the scope
// are read first, whole.
func (t *Accounts) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	if len(t.bases()) > 1 {
		t.moving.Lock()
		defer t.moving.Unlock()
	}
	n := 0
	var stopped error // what yield said
	err := t.with(ctx, "list accounts", func(s *session) error {
		held, unseen, err := s.holdings(ctx, scope)
		if err != nil {
			return err
		}
		formers, err := s.formers(ctx)
		if err != nil {
			return err
		}
		for _, base := range t.bases() {
			req := ldapwire.Request{Base: base, Scope: ldapwire.ScopeSubtree, Filter: t.cfg.Filter, Attributes: t.attributes(scope.Attributes...), Controls: t.cfg.Controls}
			_, err := s.c.Search(ctx, req, func(view *ldapwire.Entry) error {
				s.final = true // somebody has seen the beginning
				e, err := t.entry(view.Record())
				if err != nil {
					stopped = err
					return err
				}
				t.remember(e)
				a := t.account(e, scope)
				a.Entitlements, a.Unseen = t.heldAlso(held, formers, e), unseen
				if err := yield(a); err != nil {
					stopped = err
					return err
				}
				n++
				return nil
			})
			if stopped != nil {
				return stopped
			}
			if err != nil {
				return s.container(err, base)
			}
		}
		return nil
	})
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return target.Complete{}, err
	}
	return proof.Listed(n), nil
}
