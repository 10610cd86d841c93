//go:build servers

package ldap

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/target/internal/entries"
)

func TestSlapdInjection(t *testing.T) {
	t.Parallel()
	f := startSlapd(t)
	for _, style := range []string{entries.StyleMember, entries.StyleUniqueMember, entries.StyleMemberUID} {
		x := injected(f.corner(t, style, byAttribute, hostileGroups...), t)
		rapid.Check(t, func(rt *rapid.T) { x.one(rt, func(label string) string { return hostile.Draw(rt, label) }) })
		x.end(10)
	}
}

func TestDirsrvInjection(t *testing.T) {
	t.Parallel()
	x := injected(startDirsrv(t).corner(t, entries.StyleMember, byAttribute, hostileGroups...), t)
	rapid.Check(t, func(rt *rapid.T) { x.one(rt, func(label string) string { return hostile.Draw(rt, label) }) })
	x.end(10)
}
