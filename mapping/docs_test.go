package mapping

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
)

// Every example in the language's page compiles, and does what it says.
func TestExamplesOfThePage(t *testing.T) {
	text, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) != 9 {
		t.Fatalf("%d examples", len(blocks))
	}
	for i, b := range blocks {
		p, all := compile(t, b[1])
		if p == nil || slices.ContainsFunc(all, func(x problem.Problem) bool { return x.Warning }) {
			t.Errorf("example %d: %+v", i+1, all)
		}
	}
	d := policy(t, blocks[3][1]).Resolve(Subject{Person: person(map[string][]string{
		"mail": {"A.Writer@corp.example"}, "employeeNumber": {"1"}, "givenName": {"A"}, "sn": {"Writer"},
		"telephoneNumber": {"2", "1"}, "c": {"at"}, "title": nil,
	})})
	var got []string
	for _, a := range account(t, d, "wiki").Attributes {
		got = append(got, a.Name+"="+strings.Join(a.Values, "|"))
	}
	want := "displayName=A Writer externalId=1 locale=de-AT name.familyName=Writer nickName=A.Writer phones=1|2 title= userName=a.writer@corp.example"
	if strings.Join(got, " ") != want {
		t.Errorf("%s", got)
	}
	for _, cell := range regexp.MustCompile("(?m)^\\| `([^|]*)` \\| (the|it|one|the person)").FindAllStringSubmatch(page, -1) {
		if when := cell[1]; strings.Contains(when, "==") || strings.Contains(when, " in ") {
			if p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}}); p == nil {
				t.Errorf("%s: %+v", when, all)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(usage)) {
		if !strings.Contains(page, "`"+name+"(") {
			t.Errorf("the page does not speak of %s", name)
		}
	}
}
