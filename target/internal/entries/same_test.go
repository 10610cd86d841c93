package entries

import "testing"

func FuzzSame(f *testing.F) {
	f.Add("manager", "uid=a,ou=b", "UID=A, ou=b")
	f.Add("title", "a  b", "A b")
	f.Add("uniqueMember", "cn=a#'01'B", "cn=a")
	f.Add("telephoneNumber", "\x00", "-")
	f.Fuzz(func(t *testing.T, attribute, a, b string) {
		if !Same(attribute, []string{a, a}, []string{a}) {
			t.Fatalf("%s: %q is not the same as itself", attribute, a)
		}
		if Same(attribute, []string{a}, []string{b}) != Same(attribute, []string{b}, []string{a}) {
			t.Fatalf("%s: %q and %q: it depends on the order", attribute, a, b)
		}
		if Same(attribute, []string{a}, nil) {
			t.Fatalf("%s: %q is the same as nothing", attribute, a)
		}
	})
}
