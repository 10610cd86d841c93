package mapping

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Two conditions mean the same in either order: the same people, the same next
// moment, and the same words about what is not known.
func TestLawOrderOfOperands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawCondition(t, 1, true), drawCondition(t, 1, true)
		op := rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "operator")
		there, _ := compileConfig(Config{Roles: map[string]Role{"r": {When: "(" + a + ")" + op + "(" + b + ")"}}})
		back, _ := compileConfig(Config{Roles: map[string]Role{"r": {When: "(" + b + ")" + op + "(" + a + ")"}}})
		if (there == nil) != (back == nil) {
			t.Fatalf("%s, %s: only one of the orders is refused", a, b)
		}
		if there == nil {
			return
		}
		if there.Hash() != back.Hash() {
			t.Fatalf("%s, %s: the order changes the hash", a, b)
		}
		for range 5 {
			s := drawSubject(t, there)
			if rapid.Bool().Draw(t, "unread") {
				s.Person = person(map[string][]string{"a": {"x"}})
			}
			d, e := there.Resolve(s), back.Resolve(s)
			if fmt.Sprint(d.Doubts, d.Next, len(d.Roles)) != fmt.Sprint(e.Doubts, e.Next, len(e.Roles)) {
				t.Fatalf("%s%s%s: %v %s, the other way round %v %s", a, op, b, d.Doubts, d.Next, e.Doubts, e.Next)
			}
		}
	})
}
