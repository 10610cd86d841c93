package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/rosterd/rosterd/target"
)

// edit is one write that waits for its turn.
type edit struct {
	ctx  context.Context
	do   func(*content) (changed bool, err error)
	err  error
	done chan struct{}
}

// edit does one write together with those that other goroutines want at the
// same time: they share one rewrite of the file. It returns when the write is
// on disk, or will never be.
func (t *Target) edit(ctx context.Context, doing string, do func(*content) (bool, error)) error {
	never := func() error {
		return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, ctx.Err())}
	}
	if ctx.Err() != nil {
		return never()
	}
	e := &edit{ctx: ctx, do: do, done: make(chan struct{})}
	t.queueMu.Lock()
	t.queue = append(t.queue, e)
	t.queueMu.Unlock()
	select {
	case <-e.done:
		return e.err
	case t.turn <- struct{}{}:
		t.commit(ctx, t.take())
		<-t.turn
	case <-ctx.Done():
		t.queueMu.Lock()
		at := slices.Index(t.queue, e)
		if at >= 0 {
			t.queue = slices.Delete(t.queue, at, at+1)
		}
		t.queueMu.Unlock()
		if at >= 0 {
			return never()
		}
	}
	<-e.done // somebody has taken it: its outcome comes
	return e.err
}

// take takes what is in the queue. Where the last batch shows that several
// goroutines write, those that just had their answer are given a moment to come
// with their next: half of the rewrites otherwise serve one edit.
func (t *Target) take() []*edit {
	for waited := time.Duration(0); t.crowd > 1 && waited < crowdPatience; waited += crowdPause {
		t.queueMu.Lock()
		n := len(t.queue)
		t.queueMu.Unlock()
		if n >= t.crowd {
			break
		}
		time.Sleep(crowdPause)
	}
	t.queueMu.Lock()
	defer t.queueMu.Unlock()
	batch := t.queue
	t.queue, t.crowd = nil, len(batch)
	return batch
}

// commit does a batch and answers each of its edits. Only the holder of the
// turn calls it.
func (t *Target) commit(ctx context.Context, batch []*edit) {
	if len(batch) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.rewrite(ctx, batch); err != nil {
		t.have = nil // it holds what the file does not
		for _, e := range batch {
			e.err = err
		}
	}
	for _, e := range batch {
		close(e.done)
	}
}

func (t *Target) rewrite(ctx context.Context, batch []*edit) error {
	// The others of the batch must not fail because one of them has no time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockPatience)
	defer cancel()
	path, err := filepath.EvalSymlinks(t.path)
	if err != nil {
		return fault("find the file of accounts", t.path, err)
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if err := t.refresh(); err != nil {
		return err
	}
	changed := false
	for _, e := range batch {
		if err := e.ctx.Err(); err != nil {
			e.err = &target.Error{Class: target.Transient, Err: fmt.Errorf("write the file of accounts: %w", err)}
			continue
		}
		c, err := e.do(t.have)
		e.err = err
		changed = changed || c
	}
	if !changed {
		return nil
	}
	return t.replace(path)
}

// replace puts a new file with the present content in place of the old one.
func (t *Target) replace(path string) error {
	if err := t.have.render(); err != nil {
		return fault("write the file of accounts", path, err)
	}
	old, err := os.Stat(path)
	if err != nil {
		return fault("write the file of accounts", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fault("write the file of accounts", path, err)
	}
	fail := func(err error) error {
		return fault("write the file of accounts", path, errors.Join(err, f.Close(), os.Remove(f.Name())))
	}
	if err := keepOwner(f, old); err != nil {
		return fail(err)
	}
	if err := f.Chmod(old.Mode().Perm()); err != nil {
		return fail(err)
	}
	if _, err := f.Write(t.have.text); err != nil {
		return fail(err)
	}
	if err := f.Sync(); err != nil {
		return fail(err)
	}
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fail(err)
	}
	t.have.info = info
	t.rewrites++
	if err := errors.Join(f.Close(), syncDir(filepath.Dir(path))); err != nil {
		return &target.Error{Class: target.InDoubt, Err: fmt.Errorf("make the new file of accounts durable: %w", err)}
	}
	return nil
}

// keepOwner gives the file the owner and group of the old one.
func keepOwner(f *os.File, old os.FileInfo) error {
	made, err := f.Stat()
	if err != nil {
		return err
	}
	want, known := old.Sys().(*syscall.Stat_t)
	have, ok := made.Sys().(*syscall.Stat_t)
	if !known || !ok || want.Uid == have.Uid && want.Gid == have.Gid {
		return nil
	}
	if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
		return fmt.Errorf("keep its owner %d and group %d: %w", want.Uid, want.Gid, err)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

const (
	// crowdPatience is the longest that a write waits for company.
	crowdPatience = time.Millisecond
	crowdPause    = 100 * time.Microsecond
	// lockPatience is how long a write waits for another program.
	lockPatience = 10 * time.Second
	// lockPause is how often it asks.
	lockPause = 20 * time.Millisecond
)

// lock keeps other programs from writing until the function that it returns
// is called. The lock file stays: to remove it would let two in.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault("lock the file of accounts", path, err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil //nolint:errcheck // closing gives the lock back
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, fault("lock the file of accounts", path, errors.Join(err, f.Close()))
		}
		select {
		case <-ctx.Done():
			return nil, &target.Error{Class: target.Transient,
				Err: errors.Join(fmt.Errorf("lock the file of accounts: another program holds %s", path), f.Close()),
				Tip: "see who it is: fuser -v " + path}
		case <-time.After(lockPause):
		}
	}
}
