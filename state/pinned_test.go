package state

import (
	"bytes"
	"context"
	"testing"
	"time"
)

// inTime fails the test if f has not ended after a while.
func inTime(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s waits", what)
	}
}

// Who writes goes on while a backup or a check reads: also where the file grows
// beyond what is mapped of it.
func TestWritesGoOnBesideALongRead(t *testing.T) {
	k := newKit(t)
	v, err := k.s.pin(nil)
	ok(t, err)
	defer v.end()
	inTime(t, "a write that makes the file grow", func() {
		for range 40 {
			ok(t, k.s.Note("big", nil, map[string][]byte{"x": make([]byte, 1<<20)}))
		}
	})
	inTime(t, "who reads", func() { must2(k.s.Cycles(1)) })
}

// A compaction waits for a check or a backup, and meanwhile nobody waits for it.
func TestNobodyWaitsForACompactionThatWaits(t *testing.T) {
	k := newKit(t)
	v, err := k.s.pin(nil)
	ok(t, err)
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		close(begun)
		ended <- k.s.Compact(context.Background())
	}()
	<-begun
	time.Sleep(300 * time.Millisecond)
	inTime(t, "who reads", func() { must2(k.s.Cycles(1)) })
	inTime(t, "who writes", func() { ok(t, k.s.Note("test", nil, nil)) })
	select {
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	v.end()
	inTime(t, "the compaction", func() { ok(t, <-ended) })
	must2(k.s.Cycles(1))
}

// inUse is how many bytes of a file belong to the state; the rest is room to grow.
func inUse(t tester, file []byte) int {
	t.Helper()
	m, err := readMetas(bytes.NewReader(file), int64(len(file)))
	ok(t, err)
	return int(m.newest.pages) * m.newest.pageSize
}
