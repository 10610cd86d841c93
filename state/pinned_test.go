package state

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"
)

// inTime fails the test if f has not ended after a while: long enough for a disk and
// processors that others use, since what is looked for would wait for ever. What f waits for is ended by
// free, and f with it: a goroutine that outlives its test fails in another.
func inTime(t *testing.T, what string, free func(), f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		ok(t, err)
	case <-time.After(2 * time.Minute):
		t.Errorf("%s waits", what)
		free()
		<-done
		t.FailNow()
	}
}

// Who writes goes on while a backup or a check reads: also where the file grows
// beyond what is mapped of it.
func TestWritesGoOnBesideALongRead(t *testing.T) {
	k := newKit(t)
	v, err := k.s.pin(nil)
	ok(t, err)
	end := sync.OnceFunc(v.end)
	defer end()
	inTime(t, "a write that makes the file grow", end, func() error {
		for range 40 {
			if err := k.s.Note("big", nil, map[string][]byte{"x": make([]byte, 1<<20)}); err != nil {
				return err
			}
		}
		return nil
	})
	inTime(t, "who reads", end, func() error { return reads(k.s) })
}

func reads(s *Store) error {
	_, err := s.Cycles(1)
	return err
}

// A compaction waits for a check or a backup, and meanwhile nobody waits for it.
func TestNobodyWaitsForACompactionThatWaits(t *testing.T) {
	k := newKit(t)
	v, err := k.s.pin(nil)
	ok(t, err)
	end := sync.OnceFunc(v.end)
	ctx, stop := context.WithCancel(context.Background())
	begun, ended, left := make(chan struct{}), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(left)
		close(begun)
		ended <- k.s.Compact(ctx)
	}()
	t.Cleanup(func() {
		end()
		stop()
		<-left
	})
	<-begun
	time.Sleep(300 * time.Millisecond)
	inTime(t, "who reads", end, func() error { return reads(k.s) })
	inTime(t, "who writes", end, func() error { return k.s.Note("test", nil, nil) })
	select {
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	end()
	inTime(t, "the compaction", stop, func() error { return <-ended })
	must2(k.s.Cycles(1))
}

// inUse is how many bytes of a file belong to the state; the rest is room to grow.
func inUse(t tester, file []byte) int {
	t.Helper()
	m, err := readMetas(bytes.NewReader(file), int64(len(file)))
	ok(t, err)
	return int(m.newest.pages) * m.newest.pageSize
}
