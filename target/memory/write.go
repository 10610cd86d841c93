package memory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// Write is one line of the log: one change that was asked of one account.
type Write struct {
	Verb target.Verb
	// Account is that before the write; after it for Create.
	Account target.Ref
	// Name is the new name of Create and Rename.
	Name        string
	Set         []target.Value
	Entitlement string
	Mark        string
	// Done says that the account is as asked, Changed that it was not before;
	// Err is what the caller was told. Done and Err are both set where the
	// answer was lost.
	Done, Changed bool
	Err           error
}

// Writes is the log so far, in the order in which the writes were done.
func (t *Target) Writes() []Write {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.writes)
}

// write does one write under the faults that were set, and logs it.
func (t *Target) write(ctx context.Context, w Write, do func(*Write) error) error {
	t.mu.Lock()
	t.count++
	n, hook := t.count, t.faults.Write
	t.mu.Unlock()
	var f Fault
	if hook != nil {
		f = hook(n, w)
	}
	if f.Wait != nil {
		select {
		case <-f.Wait:
		case <-ctx.Done():
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		w.Err = &target.Error{Class: target.Transient, Err: fmt.Errorf("%s %q: %w", w.Verb, w.Account.Name, ctx.Err())}
	case f.Err != nil && !f.Applied:
		w.Err = f.Err
	default:
		w.Err = do(&w)
		w.Done = w.Err == nil
		if w.Done {
			w.Err = f.Err
		}
	}
	t.writes = append(t.writes, w)
	return w.Err
}

// Create makes an account with the next ID.
func (t *Target) Create(ctx context.Context, name string, set []target.Value, mark string) (target.Ref, error) {
	var made target.Ref
	err := t.write(ctx, Write{Verb: target.Create, Account: target.Ref{Name: name}, Name: name, Set: set, Mark: mark}, func(w *Write) error {
		id := t.nextID()
		if err := t.book.Create(id, name, set, mark); err != nil {
			return err
		}
		if t.passwordFirst {
			if _, err := t.book.Enable(target.Ref{ID: id, Name: name}, false); err != nil {
				return err
			}
		}
		w.Account.ID, w.Changed = id, true
		made = w.Account
		return nil
	})
	if err != nil {
		return target.Ref{}, err
	}
	return made, nil
}

// Link puts the mark on the account.
func (t *Target) Link(ctx context.Context, account target.Ref, mark string) error {
	return t.write(ctx, Write{Verb: target.Link, Account: account, Mark: mark}, func(w *Write) (err error) {
		w.Changed, err = t.book.Link(account, mark)
		return err
	})
}

// SetPassword keeps a digest of the password.
func (t *Target) SetPassword(ctx context.Context, account target.Ref, p target.Password) error {
	return t.write(ctx, Write{Verb: target.SetPassword, Account: account}, func(w *Write) error {
		if t.book.Get(account.ID) == nil {
			return &target.Error{Class: target.Missing, Err: fmt.Errorf("set the password of %q: no such account", account.Name)}
		}
		w.Changed = true
		t.setPassword(account.ID, password{sha256.Sum256([]byte(p.Text.Reveal())), p.MustChange})
		return nil
	})
}

// Update gives the named attributes other values.
func (t *Target) Update(ctx context.Context, account target.Ref, set []target.Value) error {
	return t.write(ctx, Write{Verb: target.Update, Account: account, Set: set}, func(w *Write) (err error) {
		w.Changed, err = t.book.Update(account, set)
		return err
	})
}

// Rename gives the account another name; its ID stays.
func (t *Target) Rename(ctx context.Context, account target.Ref, name string) (target.Ref, error) {
	err := t.write(ctx, Write{Verb: target.Rename, Account: account, Name: name}, func(w *Write) (err error) {
		w.Changed, err = t.book.Rename(account, name)
		return err
	})
	if err != nil {
		return target.Ref{}, err
	}
	return target.Ref{ID: account.ID, Name: name}, nil
}

// Enable opens the account.
func (t *Target) Enable(ctx context.Context, account target.Ref) error {
	return t.write(ctx, Write{Verb: target.Enable, Account: account}, func(w *Write) (err error) {
		if _, has := t.passwords[account.ID]; t.passwordFirst && !has && t.book.Get(account.ID) != nil {
			return &target.Error{Class: target.Refused, Err: fmt.Errorf("enable %q: it has no password", account.Name)}
		}
		w.Changed, err = t.book.Enable(account, true)
		return err
	})
}

// Disable closes the account.
func (t *Target) Disable(ctx context.Context, account target.Ref) error {
	return t.write(ctx, Write{Verb: target.Disable, Account: account}, func(w *Write) (err error) {
		w.Changed, err = t.book.Enable(account, false)
		return err
	})
}

// Delete removes the account.
func (t *Target) Delete(ctx context.Context, account target.Ref) error {
	return t.write(ctx, Write{Verb: target.Delete, Account: account}, func(w *Write) error {
		w.Changed = t.book.Delete(account.ID)
		delete(t.passwords, account.ID)
		return nil
	})
}

// Grant gives the accounts the entitlement, one write each.
func (t *Target) Grant(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, target.Grant, entitlement, accounts)
}

// Revoke takes the entitlement from the accounts, one write each.
func (t *Target) Revoke(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, target.Revoke, entitlement, accounts)
}

func (t *Target) entitle(ctx context.Context, verb target.Verb, entitlement string, accounts []target.Ref) []error {
	errs := make([]error, len(accounts))
	failed := false
	for i, a := range accounts {
		errs[i] = t.write(ctx, Write{Verb: verb, Account: a, Entitlement: entitlement}, func(w *Write) (err error) {
			w.Changed, err = t.book.Entitle(a, entitlement, verb == target.Grant)
			return err
		})
		failed = failed || errs[i] != nil
	}
	if !failed {
		return nil
	}
	return errs
}
