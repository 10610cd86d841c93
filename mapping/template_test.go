package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
)

// withAttribute is a policy in which everybody has an account of one attribute.
func withAttribute(rule AttributeRule) Config {
	return Config{
		Roles: map[string]Role{"all": {When: "true"}},
		Targets: map[string]Target{"t": {
			Account: TargetAccount{For: []string{"all"}}, Attributes: Attributes{"a": rule},
		}},
	}
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ from, want, invalid string }{
		{"${person.uid}", "writer1", ""},
		{"x", "x", ""},
		{"", "", ""},
		{"$", "$", ""},
		{"a$b{c}", "a$b{c}", ""},
		{"$${person.uid}", "${person.uid}", ""},
		{"€ $${ ${person.uid} }", "€ ${ writer1 }", ""},
		{"${lower(person.mail)}", "writer.one@corp.example", ""},
		{"${person.uid} ${person.sn}", "writer1 Straße", ""},
		{"${person.uid + '@' + person.sn}", "writer1@Straße", ""},
		{`${"}{'"}${person.uid}`, `}{'writer1`, ""},
		{`${'}' + "\"}"}`, `}"}`, ""},
		{"${`\\`}x", `\x`, ""},
		{"${person.title}", "", "a: person.title has no value"},
		{"${person.title ?? ''}", "", ""},
		{"${person.title ?? person.uid}", "writer1", ""},
		{"${person.title ?? person.title ?? 'x'}", "x", ""},
		{"${lower(person.title) ?? 'none'}", "none", ""},
		{"${(person.uid + person.title) ?? 'none'}", "none", ""},
		{"${lower(person.title ?? 'NONE')}", "none", ""},
		{"${person.uid} ${person.title ?? ''}", "writer1 ", ""},
		{" ${person.title ?? ''} ", "", ""},
		{"${person.two}", "", "a: person.two has more than one value"},
		{"${person.two ?? ''}", "", "a: person.two has more than one value"},
		{"${first(person.two)}", "a", ""},
		{"${values(person.two)}", "a|b", ""},
		{"${values(person.objectClass)}", "Person|inetOrgPerson|top", ""},
		{"${values(person.title)}", "", "a: person.title has no value"},
		{"${values(person.title) ?? ''}", "", ""},
		{"${values(person.title) ?? 'x'}", "x", ""},
		{"${values(person.title) ?? split(person.uid, 't')}", "er1|wri", ""},
		{"${split('b,,a,b', ',')}", "a|b", ""},
		{"${[person.uid, 'x', person.uid]}", "writer1|x", ""},
		{"${join(values(person.two), ', ')}", "a, b", ""},
		{"${person.uid == 'WRITER1' ? 'yes' : 'no'}", "yes", ""},
		{"${exact(person.uid) == 'WRITER1' ? 'yes' : 'no'}", "no", ""},
		{"${person.title == '' ? 'yes' : 'no'}", "", "a: person.title has no value"},
		{"${(person.title ?? '') == '' ? 'yes' : 'no'}", "yes", ""},
		{"${person.unread == 'x' ? values(person.two) : split('q', ',')}", "", "a: person.unread was not read"},
		{"${person.uid == 'writer1' ? values(person.two) : split('q', ',')}", "a|b", ""},
		{"${person.uid == 'other' ? values(person.two) : split('q', ',')}", "q", ""},
		{"${person.unread}", "", "a: person.unread was not read"},
		{"${person.unread ?? ''}", "", "a: person.unread was not read"},
		{"${person.title}${person.unread}", "", "a: person.unread was not read"},
		{"${person.bin}", "", "a: person.bin is not a text that can be used: not UTF-8, or too long"},
		{"${person.long}x", "", "a: the text is longer than 65536 bytes"},
		{`${person["ms-ds-a"]}`, "dashed", ""},
	} {
		p, all := compileConfig(withAttribute(AttributeRule{From: c.from}))
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
}

func TestTemplateMistakes(t *testing.T) {
	for _, c := range []struct {
		from          string
		at            int
		message, hint string
		warning       bool
	}{
		{"ab ${person.uid", 3, "without its }", "$${", false},
		{"${'}", 0, "without its }", "", false},
		{"ab ${ }", 3, "empty", "", false},
		{"é ${lowr(person.uid)}", 5, `unknown function "lowr"`, "lower", false},
		{"${person.uid} ${persn.uid}", 16, `unknown name "persn"`, "", false},
		{"x${values(person.uid)}", 3, "a list stands", "join(", false},
		{"${person.uid == 'x'}", 13, "a condition stands", "?", false},
		{"${inGroup('cn=a') ? 'x' : 'y'}", 2, "inGroup cannot stand in a value", "", false},
		{"${ {'a': person.uid} }", 3, "this cannot stand in a rule", "", false},
		{"${person.uid ?? nil}", 16, "nil", "", false},
		{"person.uid", 0, "fixed text", "${person.uid}", true},
		{"a\xff", 0, "not UTF-8", "", false},
	} {
		p, all := compileConfig(withAttribute(AttributeRule{From: c.from}))
		if len(all) != 1 || (p == nil) == c.warning {
			t.Errorf("%s: %v %+v", c.from, p != nil, all)
			continue
		}
		want := problem.Problem{Path: all[0].Path, Offset: c.at, Message: all[0].Message, Hint: all[0].Hint, Warning: c.warning}
		if fmt.Sprint(want) != fmt.Sprint(all[0]) || !strings.Contains(all[0].Message, c.message) || !strings.Contains(all[0].Hint, c.hint) ||
			fmt.Sprint(all[0].Path) != "[target t attributes a]" {
			t.Errorf("%s: %+v, want %d %q %q", c.from, all[0], c.at, c.message, c.hint)
		}
	}
}

func TestEmptyAndMode(t *testing.T) {
	for _, c := range []struct {
		empty, invalid string
		listed         bool
	}{
		{"", "", true}, {"clear", "", true}, {"keep", "", false}, {"park", "a: the value is empty", false},
	} {
		p, _ := compileConfig(withAttribute(AttributeRule{From: "${person.title ?? ''}", Empty: c.empty, Mode: "on-create"}))
		a := account(t, p.Resolve(Subject{Person: person(someone)}), "t")
		if a.Invalid != c.invalid || len(a.Attributes) == 1 != c.listed {
			t.Errorf("%q: %+v", c.empty, a)
		}
		for _, x := range a.Attributes {
			if x.Mode != OnCreate || x.Values != nil || x.Reason.Where != "f:target/t/attributes/a" || x.Reason.Text != "${person.title ?? ''}" {
				t.Errorf("%q: %+v", c.empty, x)
			}
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"${person.uid} $${ ${values(person.two) ?? ''}", "${'}'}", "${`", "$${$${", "${{}}", "${person.title ?? \"}\"}"} {
		f.Add(s)
	}
	subject := Subject{Person: person(someone)}
	f.Fuzz(func(t *testing.T, source string) {
		p, all := compileConfig(withAttribute(AttributeRule{From: source}))
		for _, x := range all {
			if x.Offset > len(source) || strings.Contains(x.Message, "runtime error") {
				t.Fatalf("%q: %+v", source, x)
			}
		}
		if p == nil {
			if len(all) == 0 {
				t.Fatalf("%q: refused without a word", source)
			}
			return
		}
		if a := p.Resolve(subject).Accounts[0]; strings.Contains(a.Invalid, "evaluate ") {
			t.Fatalf("%q: %s", source, a.Invalid)
		}
	})
}
