package ldap

import (
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The GUID and its octets are those of an entry of a domain, as ldbsearch and
// ldapsearch print them.
func TestTheOctetsOfAGUID(t *testing.T) {
	octets, err := base64.StdEncoding.DecodeString("focmxdrjzEqky+4eE6y/ag==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseGUID(octets)
	if want := "c526877e-e3da-4acc-a4cb-ee1e13acbf6a"; err != nil || string(got) != want {
		t.Fatalf("got %s and %v, want %s", got, err, want)
	}
	if got := escapeOctets(octets); got != `\7e\87\26\c5\da\e3\cc\4a\a4\cb\ee\1e\13\ac\bf\6a` {
		t.Errorf("in a filter: %s", got)
	}
	for _, b := range [][]byte{nil, octets[:15], append(octets, 0)} {
		if got, err := parseGUID(b); err == nil {
			t.Errorf("%d octets are %s", len(b), got)
		}
	}
	for _, s := range []string{"", "c526877e", "c526877ee3da4acca4cbee1e13acbf6a", "c526877e-e3da-4acc-a4cb-ee1e13acbf6g", "c526877e-e3da-4acc-a4c-bee1e13acbf6a",
		"c526877e-e3da-4acc-a4cb-ee1e13acbf6-"} {
		if b, ok := guidOctets(normalID(s)); ok {
			t.Errorf("%q is %x", s, b)
		}
	}
}

func TestAGUIDThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		octets := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "octets")
		id, err := parseGUID(octets)
		if err != nil {
			t.Fatal(err)
		}
		back, ok := guidOctets(id)
		if !ok || string(back[:]) != string(octets) {
			t.Fatalf("%x is %s is %x", octets, id, back)
		}
	})
}

func TestSecurityIdentifiers(t *testing.T) {
	octets, err := base64.StdEncoding.DecodeString("AQUAAAAAAAUVAAAAhyMh13zy8RKaKX6oUAQAAA==")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSID(octets)
	if err != nil || s.text != "S-1-5-21-3609273223-317846140-2826840474-1104" || s.rid != 1104 {
		t.Fatalf("got %+v and %v", s, err)
	}
	if got := s.sibling(513); got != "S-1-5-21-3609273223-317846140-2826840474-513" {
		t.Errorf("the primary group is %s", got)
	}
	if builtin, err := parseSID([]byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0}); err != nil || builtin.text != "S-1-5-32-544" || builtin.domain() != "S-1-5-32" {
		t.Errorf("the administrators of a machine are %+v, %v", builtin, err)
	}
	for _, b := range [][]byte{nil, octets[:27], append(octets, 0), {1, 0, 0, 0, 0, 0, 0, 5}, append([]byte{2}, octets[1:]...)} {
		if s, err := parseSID(b); err == nil {
			t.Errorf("%x is %s", b, s.text)
		}
	}
	long := append([]byte{1, 16, 0, 0, 0, 0, 0, 5}, strings.Repeat("\x00", 64)...)
	if s, err := parseSID(long); err == nil {
		t.Errorf("16 numbers are %s", s.text)
	}
}
