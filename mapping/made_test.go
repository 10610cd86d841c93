package mapping

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

// TestWhatAFunctionGivesIsNotRefused: a text that some value can become may be compared
// with, however it is written where case makes no difference.
func TestWhatAFunctionGivesIsNotRefused(t *testing.T) {
	functions := map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper, "trim": strings.TrimSpace, "translit": translit, "slug": slug}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ a-zA-ZäöüßéİıſKŁΩσςДщ'.-]{0,8}`)).Draw(t, "value")
		for name, f := range functions {
			e := &expression{report: func(int, string, string) {}}
			n, gives := node{made: f, key: "(" + name + " person.a)"}, f(value)
			if !e.mayBe(n, gives, 0, true) {
				t.Fatalf("exact: %s of %q gives %q, and is refused", name, value, gives)
			}
			for _, written := range []string{gives, strings.ToUpper(gives), " " + gives, identity.Fold(gives)} {
				if identity.Fold(written) == identity.Fold(gives) && !e.mayBe(n, written, 0, false) {
					t.Fatalf("%s of %q gives %q, and %q is refused", name, value, gives, written)
				}
			}
		}
	})
}
