// Package file is a target that is a file of JSON Lines: one account a line.
//
//	{"id":"6f…","name":"writer1","active":true,"attributes":{"mail":["writer1@corp.example"]},"entitlements":["Writers"],"mark":"…"}
//
// Every write replaces the file atomically and is on disk before it is
// answered. A reader sees the file before or after a write, never between.
// Programs that write the file too must take a lock (flock) on PATH.lock.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/proof"
)

// Target is a file of accounts. It is safe for concurrent use.
type Target struct {
	path, nameAttribute string

	mu       sync.Mutex // guards have and rewrites
	have     *content
	rewrites int // how often the file was replaced

	queueMu sync.Mutex // guards queue
	queue   []*edit
	turn    chan struct{} // held by whoever is writing
	crowd   int           // size of the last batch; of the holder of the turn
}

// New makes the target. It does no I/O.
func New(cfg Config, name string) (*Target, error) {
	if cfg.Path == "" {
		return nil, fmt.Errorf("make the target %s: the path of the file is missing", name)
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("make the target %s: %w", name, err)
	}
	if cfg.NameAttribute == "" {
		cfg.NameAttribute = "name"
	}
	return &Target{path: path, nameAttribute: cfg.NameAttribute, turn: make(chan struct{}, 1)}, nil
}

// Describe says that everything can be done here.
func (t *Target) Describe() target.Description {
	return target.Description{
		Kind: "file", NameAttribute: t.nameAttribute,
		CanRename: true, CanDisable: true, CanDelete: true,
		Entitlements: true, ReadBack: true, Marks: true,
	}
}

// Identity is the path, as it is without symbolic links.
func (t *Target) Identity(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path, err := filepath.EvalSymlinks(t.path)
	if err != nil {
		return "", fault("find the file of accounts", t.path, err)
	}
	return "file:" + path, nil
}

// List yields the accounts of one version of the file, in its order.
func (t *Target) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	if err := ctx.Err(); err != nil {
		return target.Complete{}, fmt.Errorf("list accounts: %w", err)
	}
	t.mu.Lock()
	if err := t.refresh(); err != nil {
		t.mu.Unlock()
		return target.Complete{}, err
	}
	book := t.have.book
	all := book.Accounts()
	t.mu.Unlock()
	for _, a := range all {
		if err := ctx.Err(); err != nil {
			return target.Complete{}, fmt.Errorf("list accounts: %w", err)
		}
		if err := yield(book.View(a, scope)); err != nil {
			return target.Complete{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return target.Complete{}, fmt.Errorf("list accounts: %w", err)
	}
	return proof.Listed(len(all)), nil
}

// Look answers the queries from one version of the file.
func (t *Target) Look(ctx context.Context, scope target.Scope, queries []target.Query) ([]target.Observation, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look at accounts: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refresh(); err != nil {
		return nil, err
	}
	out := make([]target.Observation, len(queries))
	for i, q := range queries {
		found, by := t.have.book.Find(q)
		out[i].Read, out[i].By = proof.Looked(), by
		for _, a := range found {
			out[i].Accounts = append(out[i].Accounts, t.have.book.View(a, scope))
		}
	}
	return out, nil
}

// Check reads the file and says whether it could be replaced.
func (t *Target) Check(ctx context.Context, _ target.Scope) ([]target.Note, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refresh(); err != nil {
		var hinted *target.Error
		errors.As(err, &hinted)
		return []target.Note{{Broken: true, Text: err.Error(), Hint: hinted.Hint()}}, nil
	}
	notes := []target.Note{{Text: fmt.Sprintf("%d accounts in %s", t.have.book.Len(), t.path)}}
	path, err := filepath.EvalSymlinks(t.path)
	if err != nil {
		return nil, fault("find the file of accounts", t.path, err)
	}
	const write = 2 // W_OK
	if err := syscall.Access(filepath.Dir(path), write); err != nil {
		notes = append(notes, target.Note{Broken: true, Text: fmt.Sprintf("the folder %s cannot be written: %v", filepath.Dir(path), err),
			Hint: "the file is replaced as a whole, so rosterd needs to write in its folder"})
	}
	return notes, nil
}

// refresh reads the file again if it is not the version that we have. The
// caller holds mu.
func (t *Target) refresh() error {
	if t.have != nil {
		if now, err := os.Stat(t.path); err == nil && t.have.current(now) {
			return nil
		}
	}
	c, err := read(t.path, t.nameAttribute)
	t.have = c
	return err
}

// fault makes an error of a file operation that changed nothing.
func fault(doing, path string, err error) error {
	e := &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, err)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Class, e.Tip = target.Denied, fmt.Sprintf("a file that is not there is not taken for an empty one; to begin with no accounts, type: touch %s", path)
	case errors.Is(err, fs.ErrPermission):
		e.Class, e.Tip = target.Denied, fmt.Sprintf("let the user who runs rosterd read %s and write in its folder", path)
	}
	return e
}
