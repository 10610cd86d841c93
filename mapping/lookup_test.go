package mapping

import (
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	with := func(from string) Config {
		c := withAttribute(AttributeRule{From: from})
		c.Tables = map[string]map[string]string{"site": {"Writer1": "Vienna", "a b": "", "7": "seven"}, "empty": nil}
		return c
	}
	for _, c := range []struct{ from, want, invalid string }{
		{`${lookup("site", person.uid)}`, "Vienna", ""},
		{`${lookup("site", upper(person.uid))}`, "Vienna", ""},
		{`${lookup("site", " A  b ")}x`, "x", ""},
		{`${lookup("site", "7")}`, "seven", ""},
		{`${lookup("site", person.sn)}`, "", `a: the table site has nothing for "strasse"`},
		{`${lookup("site", person.sn) ?? "elsewhere"}`, "elsewhere", ""},
		{`${lookup("site", person.title)}`, "", "a: person.title has no value"},
		{`${lookup("site", person.unread) ?? "elsewhere"}`, "", "a: person.unread was not read"},
		{`${lookup("empty", person.uid) ?? lookup("site", person.uid)}`, "Vienna", ""},
	} {
		p, all := compileConfig(with(c.from))
		if p == nil {
			t.Errorf("%s: %+v", c.from, all)
			continue
		}
		a := account(t, p.Resolve(Subject{Person: person(someone)}), "t")
		got := ""
		for _, x := range a.Attributes {
			got += strings.Join(x.Values, "|")
		}
		if got != c.want || a.Invalid != c.invalid {
			t.Errorf("%s: %q %q, want %q %q", c.from, got, a.Invalid, c.want, c.invalid)
		}
	}
	for from, want := range map[string][2]string{
		`${lookup("sites", person.uid)}`:          {`there is no table "sites"`, `did you mean "site"?`},
		`${lookup("nowhere", person.uid)}`:        {`there is no table "nowhere"`, "add [table.nowhere]"},
		`${lookup(person.uid, "site")}`:           {"a table is named literally", "lookup("},
		`${lookup("site")}`:                       {"lookup takes 2", "lookup("},
		`${lookup("site", values(person.two))}`:   {"a list stands", "first("},
		`${lookup("site", exact(person.uid))}`:    {"exact", ""},
		`${lookup("site", person.uid == "x")}`:    {"a condition stands", ""},
		`${lookup("site", inGroup("cn=a,dc=x"))}`: {"inGroup cannot stand", ""},
	} {
		p, all := compileConfig(with(from))
		if p != nil || len(all) != 1 || !strings.Contains(all[0].Message, want[0]) || !strings.Contains(all[0].Hint, want[1]) {
			t.Errorf("%s: %+v", from, all)
		}
	}
}

// What a table does not have is the empty text in a condition, as any absent
// attribute is.
func TestLookupInCondition(t *testing.T) {
	for when, want := range map[string]bool{
		`lookup("site", person.uid) == "VIENNA"`: true,
		`lookup("site", person.sn) == ""`:        true,
		`lookup("site", person.sn) == "Vienna"`:  false,
		`lookup("site", person.title) == ""`:     true,
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}, Tables: map[string]map[string]string{"site": {"writer1": "Vienna"}}})
		if p == nil {
			t.Fatalf("%s: %+v", when, all)
		}
		if got := len(p.Resolve(Subject{Person: person(someone)}).Roles) == 1; got != want {
			t.Errorf("%s: %v", when, got)
		}
	}
}

func TestTableOfEqualWords(t *testing.T) {
	p, all := compileConfig(Config{Tables: map[string]map[string]string{"site": {"Wien": "a", "WIEN": "b"}}})
	if p != nil || len(all) != 1 || strings.Join(all[0].Path, ".") != "table.site.Wien" || !strings.Contains(all[0].Message, "same word") {
		t.Errorf("%+v", all)
	}
}

// A table is policy: a value that changed is another policy.
func TestTableIsPolicy(t *testing.T) {
	with := func(value string) string {
		p, _ := compileConfig(Config{Tables: map[string]map[string]string{"site": {"Wien": value}}})
		return p.Hash()
	}
	if with("a") == with("b") {
		t.Error("two tables, one hash")
	}
}
