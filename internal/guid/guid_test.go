package guid

import "testing"

func TestTextAndOctets(t *testing.T) {
	octets := []byte{0x7e, 0x87, 0x26, 0xc5, 0xda, 0xe3, 0xcc, 0x4a, 0xa4, 0xcb, 0xee, 0x1e, 0x13, 0xac, 0xbf, 0x6a}
	const want = "c526877e-e3da-4acc-a4cb-ee1e13acbf6a"
	got, err := Text(octets)
	if err != nil || got != want {
		t.Fatalf("%q, %v, want %q", got, err, want)
	}
	if back, ok := Octets(want); !ok || string(back[:]) != string(octets) {
		t.Fatalf("back: %x, %v", back, ok)
	}
	for _, b := range [][]byte{nil, octets[:15], append(octets, 0)} {
		if got, err := Text(b); err == nil {
			t.Errorf("%x gave %q", b, got)
		}
	}
	for _, s := range []string{"", "*", want + "0", want[:35] + "x", "c526877ee3da4acca4cbee1e13acbf6a", "c526877e-e3da-4acc-a4cbee1e13acbf6a-"} {
		if _, ok := Octets(s); ok {
			t.Errorf("%q is taken for a GUID", s)
		}
	}
}
