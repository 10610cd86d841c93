// Package memory is a target that lives in the process: for the demo, for
// tests, and for trying a policy without touching anything. Its accounts are
// gone when the process ends.
package memory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/book"
	"github.com/rosterd/rosterd/target/internal/proof"
)

// Config is a [target.NAME] of kind "memory".
type Config struct {
	// NameAttribute is the attribute that is the account's name; "name" if
	// left out.
	NameAttribute string `toml:"name_attribute"`
}

// Validate finds nothing to complain about: every text is a name.
func (c *Config) Validate([]string, problem.Report) {}

// Target is a target in memory. It is safe for concurrent use.
type Target struct {
	name, nameAttribute string

	mu     sync.Mutex
	book   *book.Book
	last   int // number of the last ID given
	faults Faults
	writes []Write
	count  int // writes that were asked for

	passwordFirst bool
	passwords     map[target.NativeID]password
}

// New makes an empty target.
func New(cfg Config, name string) (*Target, error) {
	if cfg.NameAttribute == "" {
		cfg.NameAttribute = "name"
	}
	return &Target{name: name, nameAttribute: cfg.NameAttribute, book: book.New(cfg.NameAttribute)}, nil
}

// Describe says that everything can be done here.
func (t *Target) Describe() target.Description {
	return target.Description{
		Kind: "memory", NameAttribute: t.nameAttribute,
		CanRename: true, CanDisable: true, CanDelete: true,
		Entitlements: true, ReadBack: true, Marks: true,
		Passwords: true, MustChange: true, PasswordFirst: t.passwordFirst,
	}
}

// Identity is the name of the target.
func (t *Target) Identity(ctx context.Context) (string, error) {
	return "memory:" + t.name, ctx.Err()
}

// List yields the accounts as they were when it was called.
func (t *Target) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	t.mu.Lock()
	all, faults := t.book.Accounts(), t.faults
	t.mu.Unlock()
	for i := range len(all) + 1 {
		if err := ctx.Err(); err != nil {
			return target.Complete{}, fmt.Errorf("list accounts: %w", err)
		}
		if faults.List != nil {
			if err := faults.List(i); err != nil {
				return target.Complete{}, err
			}
		}
		if i == len(all) {
			break
		}
		if err := yield(t.book.View(all[i], scope)); err != nil {
			return target.Complete{}, err
		}
	}
	return proof.Listed(len(all)), nil
}

// Look answers the queries from one moment.
func (t *Target) Look(ctx context.Context, scope target.Scope, queries []target.Query) ([]target.Observation, error) {
	t.mu.Lock()
	hook := t.faults.Look
	t.mu.Unlock()
	if hook != nil {
		if err := hook(queries); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look at accounts: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]target.Observation, len(queries))
	for i, q := range queries {
		found, by := t.book.Find(q)
		out[i].Read, out[i].By = proof.Looked(), by
		for _, a := range found {
			out[i].Accounts = append(out[i].Accounts, t.book.View(a, scope))
		}
	}
	return out, nil
}

// Check says how many accounts there are.
func (t *Target) Check(context.Context, target.Scope) ([]target.Note, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return []target.Note{{Text: fmt.Sprintf("%d accounts in memory, gone when the process ends", t.book.Len())}}, nil
}

// Put adds or replaces an account behind rosterd's back. One without an ID
// gets the next. It is not in the log and meets no fault.
func (t *Target) Put(a target.Account) target.NativeID {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.ID == "" {
		a.ID = t.nextID()
	}
	if t.passwordFirst && t.book.Get(a.ID) == nil {
		t.setPassword(a.ID, password{}) // whoever made it gave it one
	}
	a.Entitlements = slices.Sorted(slices.Values(a.Entitlements))
	t.book.Put(a)
	return a.ID
}

// Drop removes an account behind rosterd's back.
func (t *Target) Drop(id target.NativeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.book.Delete(id)
	delete(t.passwords, id)
}

// Accounts is what is there, with everything, in the order of creation. The
// caller must not change the maps and slices in it.
func (t *Target) Accounts() []target.Account {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []target.Account
	for _, a := range t.book.Accounts() {
		out = append(out, *a)
	}
	return out
}

func (t *Target) nextID() target.NativeID {
	t.last++
	return target.NativeID(strconv.Itoa(t.last))
}
