package mapping

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

func withPath(rule AttributeRule) Config {
	c := withAttribute(rule)
	t := c.Targets["t"]
	t.Path = "A"
	c.Targets["t"] = t
	return c
}

// TestPathTakesValuesAndNothingElse: whatever stands in an attribute of the person is
// one value of the name, and the fixed text is where it was.
func TestPathTakesValuesAndNothingElse(tb *testing.T) {
	p, all := compileConfig(withPath(AttributeRule{From: "ou=${person.uid}${person.sn},ou=T ${person.sn}+l=${person.uid},ou=accounts,dc=x"}))
	if p == nil {
		tb.Fatal(all)
	}
	rapid.Check(tb, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a ,=+\\"#;<>*()\x00\n]{1,12}`))
		uid, sn := text.Draw(t, "uid"), text.Draw(t, "sn")
		if strings.TrimSpace(uid) == "" || strings.TrimSpace(sn) == "" {
			t.Skip()
		}
		a := account(tb, p.Resolve(Subject{Person: person(map[string][]string{"uid": {uid}, "sn": {sn}})}), "t")
		if a.Invalid != "" {
			t.Skip()
		}
		dn, err := identity.ParseDN(a.Attributes[0].Values[0])
		if err != nil {
			t.Fatalf("%q: %v", a.Attributes[0].Values, err)
		}
		rdn := dn.RDN()
		if !dn.Parent().Parent().Equal(identity.MustDN("ou=accounts,dc=x")) || len(rdn) != 1 || rdn[0].Value != uid+sn {
			t.Fatalf("uid %q, sn %q: %s", uid, sn, dn)
		}
		two := dn.Parent().RDN()
		if len(two) != 2 || two[0].Value != "T "+sn || two[1].Value != uid {
			t.Fatalf("uid %q, sn %q: %s", uid, sn, dn)
		}
	})
}

func TestPathMistakes(t *testing.T) {
	for _, c := range []struct {
		rule AttributeRule
		want string
	}{
		{AttributeRule{From: "${person.uid}"}, ""},
		{AttributeRule{From: "${person.uid}", Mode: "on-create"}, ""},
		{AttributeRule{From: "ou=x,${person.uid}"}, ""},
		{AttributeRule{From: "${first(person.two)}"}, ""},
		{AttributeRule{From: "${person.uid}", Mode: "merge"}, "always in one place"},
		{AttributeRule{From: "${person.uid}", Mode: "if-empty"}, "always in one place"},
		{AttributeRule{From: "${values(person.two)}"}, "may be several"},
		{AttributeRule{From: "${'ou=' + person.uid + ',dc=x'}"}, "put together inside"},
		{AttributeRule{From: "${replace(person.uid, 'a', 'b')}"}, "put together inside"},
		{AttributeRule{From: "${join(values(person.two), ',')}"}, "put together inside"},
	} {
		p, all := compileConfig(withPath(c.rule))
		if (p == nil) != (c.want != "") || c.want != "" && (len(all) != 1 || !strings.Contains(all[0].Message, c.want) || all[0].Hint == "") {
			t.Errorf("%+v: %+v", c.rule, all)
		}
	}
	// A whole DN is taken as it is, and another attribute is not touched.
	for want, c := range map[string]Config{
		"a,b":   withPath(AttributeRule{From: "${person.uid}"}),
		"x a,b": withAttribute(AttributeRule{From: "x ${person.uid}"}),
	} {
		p, _ := compileConfig(c)
		if a := account(t, p.Resolve(Subject{Person: person(map[string][]string{"uid": {"a,b"}})}), "t"); a.Attributes[0].Values[0] != want {
			t.Errorf("%q: %+v", want, a)
		}
	}
}
