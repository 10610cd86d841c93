package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func record(seq uint64) Record {
	return Record{Seq: seq, Time: time.Date(2026, 11, 2, 8, 0, 0, int(seq), time.UTC), Kind: "outcome", Cycle: "c1", Target: "wiki",
		Action: "grant", Situation: "new", Person: 7, Public: json.RawMessage(`{"done":true}`),
		Parts: []Part{{Person: 7, Data: json.RawMessage(`{"login":"writer1"}`)}, {Data: json.RawMessage(`{"by":"admin"}`)}, {Person: Everybody, Data: json.RawMessage(`"x"`)}}}
}

func of(who ...uint64) func(uint64, []byte) bool {
	return func(n uint64, _ []byte) bool { return slices.Contains(who, n) }
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
	f, which, err := Forget(all[1], of(7))
	if err != nil || !slices.Equal(which, []int{0}) || check(all[0], f, all[2]) != nil || bytes.Contains(f, []byte("writer1")) || !bytes.Contains(f, []byte("admin")) {
		t.Fatalf("forgetting: %v %v\n%s", which, err, f)
	}
	if s, err := Decode(f); err != nil || s.Parts[0].Data != nil || s.Parts[1].Data == nil || s.Hash != heads[1] || s.Person != 7 || s.Parts[2].Person != Everybody {
		t.Fatalf("%+v %v", s, err)
	}
	if again, which, err := Forget(f, of(7)); err != nil || which != nil || !bytes.Equal(again, f) {
		t.Fatal("forgotten twice", which, err)
	}
	for name, list := range map[string][][]byte{"swapped": {all[1], all[0]}, "one left out": {all[0], all[2]}, "twice": {all[0], all[0]}} {
		if err := check(list...); !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// No byte can be changed, added or taken, but for a personal part that is
	// gone whole.
	for i := range all[0] {
		b := bytes.Clone(all[0])
		b[i] ^= 4
		if err := check(b, all[1]); !errors.Is(err, ErrChain) {
			t.Errorf("byte %d was changed: %v\n%s", i, err, b)
		}
		if err := check(slices.Insert(bytes.Clone(all[0]), i, ' ')); !errors.Is(err, ErrChain) {
			t.Errorf("a byte was added at %d: %v", i, err)
		}
		if err := check(all[0][:i]); !errors.Is(err, ErrChain) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
}

func TestPartsAreOneLine(t *testing.T) {
	r := record(1)
	for _, bad := range []string{"", "-", "{\n}"} {
		r.Parts = []Part{{Data: json.RawMessage(bad)}}
		if _, _, err := Seal(Hash{}, r); err == nil {
			t.Errorf("%q was sealed", bad)
		}
	}
	// What a directory holds cannot begin a line of its own.
	data, err := Salted(map[string]string{"login": "x\nr 00 {}\u2028<&>"})
	if err != nil {
		t.Fatal(err)
	}
	r.Parts = []Part{{Person: 1, Data: data}}
	b, h, err := Seal(Hash{}, r)
	if err != nil || strings.Count(string(b), "\n") != 2 || !strings.Contains(string(b), "<&>") {
		t.Fatalf("%s %v", b, err)
	}
	if got, err := Check(Hash{}, 1, b); err != nil || got != h {
		t.Fatal(err)
	}
	if s, _ := Decode(b); !strings.Contains(string(s.Parts[0].Event()), `"login"`) || strings.Contains(string(s.Parts[0].Event()), "salt") {
		t.Fatalf("%s", s.Parts[0].Event())
	}
	if again, _ := Salted("x"); string(again) == "" || bytes.Equal(again, data) {
		t.Fatal("no salt")
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
		if forgotten, _, ferr := Forget(b, func(uint64, []byte) bool { return true }); ferr == nil && err == nil {
			again, err := Decode(forgotten)
			if err != nil || again.Seq != s.Seq || len(again.Parts) != len(s.Parts) {
				t.Fatalf("%+v %v", again, err)
			}
			for _, p := range again.Parts {
				if p.Data != nil {
					t.Fatalf("%+v", again)
				}
			}
		}
		if _, cerr := Check(Hash{}, s.Seq, b); cerr == nil && err != nil {
			t.Fatalf("verified and cannot be read: %v", err)
		}
	})
}
