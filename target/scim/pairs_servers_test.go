//go:build servers

package scim

import (
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
)

// TestScimHostilePairs: what is dangerous is so beside another fault, too, above all
// one that hides it.
func TestScimHostilePairs(t *testing.T) {
	for _, second := range []scimd.Mode{scimd.NoBody, scimd.ReadsLag, scimd.PatchUnsupported, scimd.GroupPatch204, scimd.MembersAsTexts} {
		for _, m := range dangerous {
			t.Run(string(m)+"+"+string(second), func(t *testing.T) {
				t.Parallel()
				h := newHostile(t, m)
				h.server.Turn(second)
				h.live()
				h.outcome()
			})
		}
	}
	// What only a server that can be written whole loses.
	for _, m := range []scimd.Mode{scimd.MembersCut, scimd.MembersOmitted} {
		t.Run("patch-unsupported+"+string(m), func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, m)
			h.server.Turn(scimd.PatchUnsupported)
			h.live()
			h.outcome()
		})
	}
}
