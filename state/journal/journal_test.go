package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func record(seq uint64) Record {
	return Record{Seq: seq, Time: time.Date(2026, 11, 2, 8, 0, 0, int(seq), time.UTC), Kind: "outcome", Cycle: "c1", Target: "wiki",
		Action: "grant", Situation: "new", Person: 7, Public: json.RawMessage(`{"done":true}`), Personal: json.RawMessage(`{"login":"writer1"}`)}
}

func TestChain(t *testing.T) {
	var heads []Hash
	var all [][]byte
	var last Hash
	for seq := uint64(1); seq <= 3; seq++ {
		b, h, err := Seal(last, record(seq))
		if err != nil {
			t.Fatal(err)
		}
		if again, h2, _ := Seal(last, record(seq)); !bytes.Equal(b, again) || h != h2 {
			t.Fatal("the same record is encoded in two ways")
		}
		last = h
		heads, all = append(heads, h), append(all, b)
	}
	check := func(list ...[]byte) error {
		var last Hash
		for i, b := range list {
			h, err := Check(last, uint64(i+1), b)
			if err != nil {
				return err
			}
			last = h
		}
		return nil
	}
	if err := check(all...); err != nil {
		t.Fatal(err)
	}
	f, err := Forget(all[1])
	if err != nil || check(all[0], f, all[2]) != nil {
		t.Fatal("forgetting broke the chain", err)
	}
	if s, err := Decode(f); err != nil || s.Personal != nil || s.Hash != heads[1] || s.Person != 7 {
		t.Fatalf("%+v %v", s, err)
	}
	for name, list := range map[string][][]byte{"swapped": {all[1], all[0]}, "one left out": {all[0], all[2]}, "twice": {all[0], all[0]}} {
		if err := check(list...); !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// No byte can be changed.
	for i := range all[0] {
		b := bytes.Clone(all[0])
		b[i] ^= 4
		if err := check(b, all[1]); !errors.Is(err, ErrChain) {
			t.Errorf("byte %d was changed: %v", i, err)
		}
	}
	for i := range all[0][:len(all[0])-1] {
		// A cut inside the personal part leaves one that does not fit; all of
		// it gone is a forgotten one.
		err := check(all[0][:i])
		if err == nil && i != len(all[0])-len(record(1).Personal) {
			t.Errorf("cut to %d bytes: no error", i)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, _, err := Seal(Hash{}, record(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:70])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if forgotten, ferr := Forget(b); ferr == nil && err == nil {
			if again, err := Decode(forgotten); err != nil || again.Seq != s.Seq || again.Personal != nil {
				t.Fatalf("%+v %v", again, err)
			}
		}
		if _, cerr := Check(Hash{}, s.Seq, b); cerr == nil && err != nil {
			t.Fatalf("verified and cannot be read: %v", err)
		}
	})
}
