//go:build servers

package ldap

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
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

// A name that 389 Directory Server does not find for this one operation is refused
// with the reason; the account is not taken for missing.
func TestDirsrvPasswordOfADigraph(t *testing.T) {
	t.Parallel()
	c := startDirsrv(t).corner(t, entries.StyleMember, byAttribute)
	c.cfg.Containers = create
	tg := c.target(t)
	for i, unit := range []string{"ǅ", "ǈ", "ǋ", "ǲ"} {
		ref, err := tg.Create(t.Context(), fmt.Sprint("writer", i), []target.Value{{Name: "cn", Values: []string{"x"}}, {Name: "sn", Values: []string{"x"}},
			{Name: "container", Values: []string{"ou=" + unit + "," + c.accounts}}}, "mark")
		if err != nil {
			t.Fatal(err)
		}
		err = tg.SetPassword(t.Context(), ref, target.Password{Text: secret.NewText("Ab3!efgh-jk")})
		var told *target.Error
		if !errors.As(err, &told) || told.Class != target.Refused || told.Hint() == "" {
			t.Errorf("%s: class %v: %v", unit, target.ClassOf(err), err)
		}
	}
}
