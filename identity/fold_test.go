package identity

import "testing"

// Fold and the key of a DN prepare a value alike, so that an attribute and a
// name that match in one match in the other.
func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""}, {"Staff", "staff"}, {"  Writer \t One ", "writer one"}, {"STRASSE", "strasse"}, {"Straße", "strasse"},
		{"\u00a0x\u200b\u00ady", "xy"}, {"ﬁx", "fix"}, {"e\u0301", "é"},
	} {
		got := Fold(c.in)
		if got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
		if Fold(got) != got {
			t.Errorf("Fold is not stable on %q", c.in)
		}
		if c.in != "" && JoinRDN("cn", c.in, DN{}).Key() != JoinRDN("cn", got, DN{}).Key() {
			t.Errorf("the names of %q and %q differ", c.in, got)
		}
	}
}
