package ldap

import (
	"encoding/binary"
	"testing"

	"github.com/rosterd/rosterd/directory"
)

// vector writes what a controller has got from others.
func vector(version uint32, of map[string]uint64) []byte {
	size := 24 + 8*int(version/2)
	out := binary.LittleEndian.AppendUint32(nil, version)
	out = binary.LittleEndian.AppendUint32(out, 0)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(of)))
	out = binary.LittleEndian.AppendUint32(out, 0)
	for id, usn := range of {
		part := make([]byte, size)
		octets, _ := guidOctets(normalID(id))
		copy(part, octets[:])
		binary.LittleEndian.PutUint64(part[16:], usn)
		out = append(out, part...)
	}
	return out
}

const (
	here  = "11111111-2222-4333-8444-555555555555"
	there = "66666666-7777-4888-9999-aaaaaaaaaaaa"
)

func TestWhatAControllerGotFromOthers(t *testing.T) {
	for version := range uint32(4) {
		got := directory.Knowledge{}
		readVector(vector(version, map[string]uint64{here: 12, there: 1 << 40}), got)
		if version == 1 || version == 2 {
			if len(got) != 2 || got[place(here)] != word(12) || got[place(there)] != word(1<<40) {
				t.Errorf("version %d: %v", version, got)
			}
		} else if len(got) != 0 {
			t.Errorf("version %d is none: %v", version, got)
		}
	}
	whole := vector(2, map[string]uint64{here: 12})
	for n := range whole {
		got := directory.Knowledge{}
		if readVector(whole[:n], got); len(got) != 0 {
			t.Errorf("cut at %d: %v", n, got)
		}
	}
	got := directory.Knowledge{place(here): word(20)}
	readCursor("<DS_REPL_CURSOR>\n\t<uuidSourceDsaInvocationID>"+here+"</uuidSourceDsaInvocationID>\n\t<usnAttributeFilter>19</usnAttributeFilter>\n"+
		"\t<ftimeLastSyncSuccess>2026-11-28T19:00:00Z</ftimeLastSyncSuccess>\n</DS_REPL_CURSOR>\n\x00", got)
	readCursor("<DS_REPL_CURSOR><uuidSourceDsaInvocationID>{"+there+"}</uuidSourceDsaInvocationID><usnAttributeFilter>7</usnAttributeFilter></DS_REPL_CURSOR>", got)
	for _, none := range []string{"", "<", "<a/>", "<DS_REPL_CURSOR><uuidSourceDsaInvocationID>x</uuidSourceDsaInvocationID></DS_REPL_CURSOR>"} {
		readCursor(none, got)
	}
	if len(got) != 2 || got[place(here)] != word(20) || got[place(there)] != word(7) {
		t.Errorf("cursors: %v", got)
	}
}

// The words of numbers are compared as text.
func TestNumbersOfChangesGrow(t *testing.T) {
	for _, usn := range []uint64{0, 9, 10, 99, 1 << 32, 1<<63 - 1} {
		if word(usn) >= word(usn+1) {
			t.Errorf("%s is not before %s", word(usn), word(usn+1))
		}
	}
	a := directory.Knowledge{place(here): word(100), place(there): word(50)}
	if where, _ := (directory.Knowledge{place(there): word(60), place(here): word(100)}).Behind(a); where != "" {
		t.Errorf("one that has got all is behind at %s", where)
	}
	if where, _ := (directory.Knowledge{place(there): word(60), place(here): word(99)}).Behind(a); where != place(here) {
		t.Errorf("one that lacks a change is behind at %q", where)
	}
}

func FuzzVector(f *testing.F) {
	f.Add(vector(2, map[string]uint64{here: 12}))
	f.Fuzz(func(_ *testing.T, b []byte) {
		readVector(b, directory.Knowledge{})
		readCursor(string(b), directory.Knowledge{})
	})
}
