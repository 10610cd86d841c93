package file

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/rosterd/rosterd/target"
)

// Create makes an account with a new random ID.
func (t *Target) Create(ctx context.Context, name string, set []target.Value, mark string) (target.Ref, error) {
	if err := writable(name, set); err != nil {
		return target.Ref{}, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return target.Ref{}, &target.Error{Class: target.Transient, Err: fmt.Errorf("make an ID: %w", err)}
	}
	ref := target.Ref{ID: target.NativeID(id.String()), Name: name}
	err = t.edit(ctx, fmt.Sprintf("create %q", name), func(c *content) (bool, error) {
		err := c.book.Create(ref.ID, name, set, mark)
		return err == nil, err
	})
	if err != nil {
		return target.Ref{}, err
	}
	return ref, nil
}

// writable refuses what JSON cannot hold: it would come back as something else.
func writable(name string, set []target.Value) error {
	if !utf8.ValidString(name) {
		return &target.Error{Class: target.Refused, Err: fmt.Errorf("write account %q: the name is not UTF-8", name)}
	}
	for _, v := range set {
		for _, text := range v.Values {
			if !utf8.ValidString(text) {
				return &target.Error{Class: target.Refused, Err: fmt.Errorf("write account %q: a value of %s is not UTF-8", name, v.Name)}
			}
		}
	}
	return nil
}

// Link puts the mark on the account.
func (t *Target) Link(ctx context.Context, account target.Ref, mark string) error {
	return t.edit(ctx, fmt.Sprintf("link %q", account.Name), func(c *content) (bool, error) { return c.book.Link(account, mark) })
}

// Update gives the named attributes other values.
func (t *Target) Update(ctx context.Context, account target.Ref, set []target.Value) error {
	if err := writable(account.Name, set); err != nil {
		return err
	}
	return t.edit(ctx, fmt.Sprintf("update %q", account.Name), func(c *content) (bool, error) { return c.book.Update(account, set) })
}

// Rename gives the account another name; its ID stays.
func (t *Target) Rename(ctx context.Context, account target.Ref, name string) (target.Ref, error) {
	if err := writable(name, nil); err != nil {
		return target.Ref{}, err
	}
	err := t.edit(ctx, fmt.Sprintf("rename %q", account.Name), func(c *content) (bool, error) { return c.book.Rename(account, name) })
	if err != nil {
		return target.Ref{}, err
	}
	return target.Ref{ID: account.ID, Name: name}, nil
}

// Enable sets active to true.
func (t *Target) Enable(ctx context.Context, account target.Ref) error {
	return t.edit(ctx, fmt.Sprintf("enable %q", account.Name), func(c *content) (bool, error) { return c.book.Enable(account, true) })
}

// Disable sets active to false.
func (t *Target) Disable(ctx context.Context, account target.Ref) error {
	return t.edit(ctx, fmt.Sprintf("disable %q", account.Name), func(c *content) (bool, error) { return c.book.Enable(account, false) })
}

// Delete removes the line.
func (t *Target) Delete(ctx context.Context, account target.Ref) error {
	return t.edit(ctx, fmt.Sprintf("delete %q", account.Name), func(c *content) (bool, error) { return c.book.Delete(account.ID), nil })
}

// Grant gives the accounts the entitlement in one rewrite.
func (t *Target) Grant(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, entitlement, accounts, true)
}

// Revoke takes the entitlement from the accounts in one rewrite.
func (t *Target) Revoke(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, entitlement, accounts, false)
}

func (t *Target) entitle(ctx context.Context, entitlement string, accounts []target.Ref, give bool) []error {
	errs, failed := make([]error, len(accounts)), false
	err := t.edit(ctx, fmt.Sprintf("change the holders of %q", entitlement), func(c *content) (changed bool, _ error) {
		for i, a := range accounts {
			done, err := c.book.Entitle(a, entitlement, give)
			errs[i] = err
			failed = failed || err != nil
			changed = changed || done
		}
		return changed, nil
	})
	switch {
	case err != nil:
		for i := range errs {
			errs[i] = err
		}
		return errs
	case failed:
		return errs
	}
	return nil
}
