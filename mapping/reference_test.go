package mapping

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
)

func TestAccountOfSomebodyElse(t *testing.T) {
	boss, mate, nobody := Reference{"b", true, true, "", map[string]string{"t": "7", "other": "1"}}, Reference{"m", true, true, "", nil}, Reference{"n", true, false, "nobody", nil}
	unseen := Reference{"b", true, true, "", map[string]string{"t": ""}}
	for _, c := range []struct {
		from, empty string
		values      []string
		references  []Reference
		want        string // "-": it is left as it is
		invalid     string
	}{
		{"account(person.boss)", "", []string{"b"}, []Reference{boss}, "7", ""},
		{"account(person.boss)", "", nil, nil, "", ""},
		{"account(person.boss)", "keep", nil, nil, "-", ""},
		{"account(person.boss)", "park", nil, nil, "-", "a: the value is empty"},
		{"account(person.boss)", "", []string{"m"}, []Reference{mate}, "", ""},
		{"account(person.boss)", "park", []string{"m"}, []Reference{mate}, "-", ""},
		{"account(person.boss)", "park", []string{"n"}, []Reference{nobody}, "-", "a: the value is empty"},
		{"account(person.boss)", "", []string{"n"}, []Reference{nobody}, "", ""},
		{"account(person.boss)", "", []string{"b"}, nil, "-", ""},
		{"account(person.boss)", "park", []string{"b"}, nil, "-", ""},
		{"account(person.boss)", "", []string{"b"}, []Reference{{Written: "b"}}, "-", ""},
		{"account(person.boss)", "", []string{"b"}, []Reference{unseen}, "-", ""},
		{"account(person.boss)", "", []string{"b", "m"}, []Reference{boss, mate}, "-", "a: person.boss has more than one value"},
		{"account(first(person.boss))", "", []string{"b", "m"}, []Reference{boss, mate}, "7", ""},
		{"account(values(person.boss))", "", []string{"b", "m"}, []Reference{boss, mate}, "7", ""},
		{"account(values(person.boss))", "", []string{"b", "m"}, []Reference{boss}, "-", ""},
		{"account(person.unread)", "", nil, nil, "-", "a: person.unread was not read"},
	} {
		p, all := compileConfig(withAttribute(AttributeRule{From: "${" + c.from + "}", Empty: c.empty}))
		if p == nil {
			t.Fatalf("%s: %+v", c.from, all)
		}
		a := account(t, p.Resolve(Subject{Person: person(map[string][]string{"uid": {"w"}, "boss": c.values}), References: c.references}), "t")
		got := "-"
		for _, x := range a.Attributes {
			if x.Name == "a" {
				got = strings.Join(x.Values, "|")
			}
		}
		if got != c.want || a.Invalid != c.invalid {
			t.Errorf("%s %s of %q: %q %q, want %q %q", c.from, c.empty, c.values, got, a.Invalid, c.want, c.invalid)
		}
	}
}

func TestAccountStandsAlone(t *testing.T) {
	hash := map[string]bool{}
	for _, from := range []string{"${account(person.boss)}", "${account(first(person.boss))}", "${account(values(person.boss))}", "${account(person.Mate)}", "${person.boss}"} {
		p, all := compileConfig(withAttribute(AttributeRule{From: from}))
		if p == nil {
			t.Fatalf("%s: %+v", from, all)
		}
		if hash[p.Hash()] {
			t.Errorf("%s means the same as another", from)
		}
		hash[p.Hash()] = true
		if want := strings.HasPrefix(from, "${account"); want != (len(p.References()) == 1) {
			t.Errorf("%s: references %q", from, p.References())
		}
	}
	for from, want := range map[string]string{
		"x${account(person.boss)}":                        "stands alone",
		"${lower(account(person.boss))}":                  "stands alone",
		"${account(person.boss) ?? ''}":                   "stands alone",
		"${person.uid == '' ? account(person.boss) : ''}": "stands alone",
		"${account(account(person.boss))}":                "stands alone",
		"${account()}":                                    "takes 1",
		"${account(person.boss, person.uid)}":             "takes 1",
		"${account('x')}":                                 "not a text",
		"${account(split(person.boss, ','))}":             "not a list",
		"${account(boss)}":                                "unknown name",
	} {
		p, all := compileConfig(withAttribute(AttributeRule{From: from}))
		if p != nil || len(all) != 1 || !strings.Contains(all[0].Message, want) || all[0].Hint == "" {
			t.Errorf("%s: %+v", from, all)
		}
	}
	named := withAttribute(AttributeRule{From: "${person.uid}"})
	for name, target := range named.Targets {
		if target.NameAttribute == "" {
			target.NameAttribute = "a"
		}
		target.Attributes[target.NameAttribute] = AttributeRule{From: "${account(person.boss)}"}
		named.Targets[name] = target
	}
	p, all := compileConfig(named)
	if p != nil || !strings.Contains(text(all), "another's account cannot say that") {
		t.Errorf("a name: %+v", all)
	}
}

func text(all []problem.Problem) string {
	out := ""
	for _, p := range all {
		out += p.Message + "\n"
	}
	return out
}
