package words

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/mapping"
)

// What stands in the file of an owner is told with that file, and what stands in the
// main one is not.
func TestWhatOwnersKeepIsToldWithTheirFile(t *testing.T) {
	c := company(4)
	until := mapping.Date("2030-01-01")
	c.Grants = map[string]mapping.Grant{
		"theirs": {Person: "a", Role: "content-role-00", Reason: "asked for", Until: until},
		"ours":   {Person: "b", Role: "content-role-00", Reason: "ordered", Until: until},
	}
	c.Denies = map[string]mapping.Deny{"theirs": {Person: "c", Target: "app0", Reason: "refused", Until: until}}
	theirs := map[string]bool{"grant.theirs": true, "deny.theirs": true, "target.app0.entitlements.content-role-00": true}
	where := func(path ...string) string {
		if theirs[strings.Join(path, ".")] {
			return "wiki.toml:7"
		}
		return "rosterd.toml:1"
	}
	p := mapping.Compile(c, where, func(p problem.Problem) {
		if !p.Warning {
			t.Errorf("%v: %s", p.Path, p.Message)
		}
	})
	in := input(t, company(4))
	in.Policy = p
	md := New(in).Markdown()
	for _, said := range []string{"asked for (wiki.toml:7)", "refused (wiki.toml:7)"} {
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(md, "`", ""), "*", ""), said) {
			t.Errorf("%q is not said:\n%s", said, md)
		}
	}
	if n := strings.Count(md, "wiki.toml:7"); n != 3 {
		t.Errorf("the file of an owner is named %d times for three things of theirs", n)
	}
}
