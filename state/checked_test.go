package state

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// tamper changes what is stored, past the checksums.
func tamper(t tester, s *Store, edit func(tx *bolt.Tx) error) {
	t.Helper()
	ok(t, s.db.Update(edit))
}

func TestAChangedValueIsNeverReadAsData(t *testing.T) {
	k := newKit(t)
	keys, value := []string{"writer6", "writer7", "writer8"}, "a value of some length"
	stored := func(tx *bolt.Tx, name []byte, key string) []byte {
		return bytes.Clone(tx.Bucket(name).Get([]byte(key)))
	}
	put := func(v func(tx *bolt.Tx, key string) []byte) func(*bolt.Bucket, *bolt.Tx, string) error {
		return func(b *bolt.Bucket, tx *bolt.Tx, key string) error { return b.Put([]byte(key), v(tx, key)) }
	}
	edits := map[string]func(b *bolt.Bucket, tx *bolt.Tx, key string) error{
		"moved from another key":    put(func(tx *bolt.Tx, _ string) []byte { return stored(tx, bLinks, "writer5") }),
		"moved from another bucket": put(func(tx *bolt.Tx, key string) []byte { return stored(tx, bNames, key) }),
		"emptied":                   put(func(*bolt.Tx, string) []byte { return nil }),
		"without checksum":          put(func(*bolt.Tx, string) []byte { return []byte(value) }),
		"a bucket": func(b *bolt.Bucket, _ *bolt.Tx, key string) error {
			if err := b.Delete([]byte(key)); err != nil {
				return err
			}
			_, err := b.CreateBucket([]byte(key))
			return err
		},
	}
	for i := range len(value) + sumSize {
		edits[fmt.Sprint("byte ", i)] = put(func(tx *bolt.Tx, key string) []byte {
			v := stored(tx, bLinks, key)
			v[i] ^= 0x10
			return v
		})
	}
	reads := map[string]func(b *bucket, key string) []byte{
		"get": func(b *bucket, key string) []byte { return b.Get([]byte(key)) },
		"seek": func(b *bucket, key string) []byte {
			_, v := b.Cursor().Seek([]byte(key))
			return v
		},
		"forward": func(b *bucket, key string) []byte {
			c := b.Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				if string(k) == key {
					return v
				}
			}
			return nil
		},
		"backward": func(b *bucket, key string) []byte {
			c := b.Cursor()
			for k, v := c.Last(); k != nil; k, v = c.Prev() {
				if string(k) == key {
					return v
				}
			}
			return nil
		},
		"each": func(b *bucket, key string) (found []byte) {
			_ = b.ForEach(func(k, v []byte) error {
				if string(k) == key {
					found = v
				}
				return nil
			})
			return found
		},
	}
	tamper(t, k.s, func(tx *bolt.Tx) error { return wrap(tx).Bucket(bLinks).Put([]byte("writer5"), []byte(value)) })
	five := must2(copyOf(k.s, "writer5"))
	for name, edit := range edits {
		for _, key := range keys {
			tamper(t, k.s, func(tx *bolt.Tx) error {
				for _, bucket := range [][]byte{bNames, bLinks} {
					for _, key := range keys {
						if err := wrap(tx).Bucket(bucket).Put([]byte(key), []byte(value)); err != nil {
							return err
						}
					}
				}
				// Afterwards the victim is first or last where it can be.
				if err := tx.Bucket(bLinks).Put([]byte("writer5"), five); err != nil {
					return err
				}
				if err := edit(tx.Bucket(bLinks), tx, key); err != nil {
					return err
				}
				return tx.Bucket(bLinks).Delete([]byte("writer5"))
			})
			for how, read := range reads {
				err := k.s.view(func(tx *txn) error {
					t.Errorf("%s: %s gave %q", name, how, read(tx.Bucket(bLinks), key))
					return nil
				})
				if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), hex.EncodeToString([]byte(key))+" in links") {
					t.Errorf("%s: %s of %s: %v", name, how, key, err)
				}
			}
			tamper(t, k.s, func(tx *bolt.Tx) error {
				if err := tx.DeleteBucket(bLinks); err != nil {
					return err
				}
				_, err := tx.CreateBucket(bLinks)
				return err
			})
		}
	}
	tamper(t, k.s, func(tx *bolt.Tx) error {
		for _, key := range keys {
			if err := tx.Bucket(bNames).Delete([]byte(key)); err != nil {
				return err
			}
		}
		return nil
	})
}

func copyOf(s *Store, key string) (v []byte, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		v = bytes.Clone(tx.Bucket(bLinks).Get([]byte(key)))
		return nil
	})
	return v, err
}

func TestDamageUndoesTheTransactionAndTheStoreGoesOn(t *testing.T) {
	k := newKit(t)
	k.loose = true
	put := func(key string) func(tx *txn) error {
		return func(tx *txn) error { return tx.Bucket(bTargets).Put([]byte(key), nil) }
	}
	ok(t, k.s.update(put("a")))
	tamper(t, k.s, func(tx *bolt.Tx) error { return tx.Bucket(bTargets).Put([]byte("a"), []byte("12345")) })
	err := k.s.update(func(tx *txn) error {
		if err := put("b")(tx); err != nil {
			return err
		}
		tx.Bucket(bTargets).Get([]byte("a"))
		return nil
	})
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	ok(t, k.s.update(put("a")))
	ok(t, k.s.view(func(tx *txn) error {
		if tx.Bucket(bTargets).Get([]byte("b")) != nil {
			t.Error("a half of the transaction stayed")
		}
		if v := tx.Bucket(bTargets).Get([]byte("a")); v == nil || len(v) != 0 {
			t.Errorf("an empty value is not absent: %v", v)
		}
		return nil
	}))
}

func TestAFileOfAnotherFormIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(tx *bolt.Tx) error
		want error
	}{
		"older":  {func(tx *bolt.Tx) error { return tx.Bucket(bMeta).Put(kSchema, []byte{1}) }, ErrOlderSchema},
		"second": {func(tx *bolt.Tx) error { return wrap(tx).Bucket(bMeta).Put(kSchema, []byte{2}) }, ErrOlderSchema},
		"third":  {func(tx *bolt.Tx) error { return wrap(tx).Bucket(bMeta).Put(kSchema, []byte{3}) }, ErrOlderSchema},
		"newer":  {func(tx *bolt.Tx) error { return wrap(tx).Bucket(bMeta).Put(kSchema, []byte{schema + 1}) }, ErrNewerSchema},
		"none":   {func(tx *bolt.Tx) error { return tx.Bucket(bMeta).Delete(kSchema) }, ErrCorrupt},
		"first, with a checksum": {func(tx *bolt.Tx) error { return wrap(tx).Bucket(bMeta).Put(kSchema, []byte{1}) },
			ErrCorrupt},
		"changed": {func(tx *bolt.Tx) error { return tx.Bucket(bMeta).Put(kSchema, []byte{schema, 1, 2, 3, 4}) }, ErrCorrupt},
	} {
		k := newKit(t)
		tamper(t, k.s, c.edit)
		ok(t, k.s.Close())
		k.s = nil
		_, err := Open(k.path, Options{Now: at})
		var hint interface{ Hint() string }
		if !errors.Is(err, c.want) || !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
