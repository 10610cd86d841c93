//go:build servers

package ad

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

// TestSambaInjection: whatever stands in an attribute of a person arrives as that, byte
// for byte, or is refused whole.
func TestSambaInjection(t *testing.T) {
	t.Parallel()
	s := startSamba(t)
	s.paste(t, 1)
	for _, g := range hostileGroups[1:] {
		s.add(t, "CN="+identity.EscapeValue(g)+","+inGroups, map[string][]string{"objectClass": {"group"}, samAccountName: {g}})
	}
	x := injected(t, s)
	rapid.Check(t, func(rt *rapid.T) { x.one(rt, func(label string) string { return hostile.Draw(rt, label) }) })
	if x.done < 10 {
		t.Errorf("only %d were not refused", x.done)
	}
}
