package state

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func TestCheckSaysWhatDoesNotFitTogether(t *testing.T) {
	link := ledger.Link{Person: 2, Target: "wiki", Account: "a2", Phase: ledger.Open}
	for name, c := range map[string]struct {
		edit func(tx *txn) error
		want string
	}{
		"a link without its native ID": {func(tx *txn) error { return tx.Bucket(bNatives).Delete(nativeKey("wiki", "a1")) }, `has the account "a1" in wiki by a link`},
		"a native ID without its link": {func(tx *txn) error { return tx.Bucket(bLinks).Delete(linkKey(1, "wiki")) }, "no link of theirs has it"},
		"a native ID of another":       {func(tx *txn) error { return tx.Bucket(bNatives).Put(nativeKey("wiki", "a1"), ordKey(2)) }, "said to be that of #2"},
		"a person who is gone":         {func(tx *txn) error { return tx.Bucket(bPeople).Delete(ordKey(1)) }, "there is a link of #1"},
		"a person without ID": {func(tx *txn) error {
			k, _ := tx.Bucket(bIDs).Cursor().First()
			return tx.Bucket(bIDs).Delete(k)
		}, "cannot be found by an ID"},
		"a mark of nobody":   {func(tx *txn) error { return mark(tx, 4711, "x") }, "a mark of #4711"},
		"an ordinal to come": {func(tx *txn) error { return tx.Bucket(bMeta).Put(kOrdinal, u64(1)) }, "the last number that was given is #1"},
		"a number to come":   {func(tx *txn) error { return tx.Bucket(bMarks).SetSequence(0) }, "the last that was given is 0"},
	} {
		k := newKit(t)
		k.loose = true
		k.persons(3)
		k.read()
		ok(t, k.s.PutLinks([]ledger.Link{{Person: 1, Target: "wiki", Account: "a1", Phase: ledger.Open}, link}))
		fits(t, k.s)
		ok(t, k.s.update(c.edit))
		got, err := k.s.Check(t.Context())
		ok(t, err)
		if !strings.Contains(strings.Join(got.Problems, "\n"), c.want) {
			t.Errorf("%s: %q", name, got.Problems)
		}
		k.close()
	}
}

func TestCheckReadsEveryValue(t *testing.T) {
	for _, name := range allBuckets {
		k := newKit(t)
		tamper(t, k.s, func(tx *bolt.Tx) error { return tx.Bucket(name).Put([]byte("a key of some sort"), []byte("12345")) })
		if _, err := k.s.Check(t.Context()); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "in "+string(name)) {
			t.Errorf("%s: %v", name, err)
		}
		tamper(t, k.s, func(tx *bolt.Tx) error { return tx.Bucket(name).Delete([]byte("a key of some sort")) })
	}
}

func TestCheckWhileOthersWrite(t *testing.T) {
	k := crowded(t)
	k.s.db.NoSync = true
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			l := ledger.Link{Person: identity.Ordinal(2 + i%200), Target: "wiki", Account: "a", Phase: ledger.Open}
			l.Account += "x"
			if err := errors.Join(k.s.ForgetTarget("wiki", "me"), k.s.PutLinks([]ledger.Link{l})); err != nil {
				done <- err
				return
			}
		}
	}()
	var failed error
	for i := 0; i < 30 && failed == nil; i++ {
		var c Checked
		if c, failed = k.s.Check(t.Context()); len(c.Problems) > 0 {
			failed = fmt.Errorf("the state does not fit together: %v", c.Problems)
		}
	}
	close(stop)
	ok(t, <-done)
	ok(t, failed)
}
