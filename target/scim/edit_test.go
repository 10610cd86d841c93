package scim

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/target"
)

// TestPaths: how attributes are named, and what is no name.
func TestPaths(t *testing.T) {
	for text, want := range map[string]path{
		"displayName":                    {attr: "displayName"},
		"name.familyName":                {attr: "name", sub: "familyName"},
		"emails":                         {attr: "emails", sub: "value", list: true},
		"emails.work":                    {attr: "emails", sub: "value", entry: "work", list: true},
		"phoneNumbers.mobile":            {attr: "phoneNumbers", sub: "value", entry: "mobile", list: true},
		"addresses.work.locality":        {attr: "addresses", sub: "locality", entry: "work", list: true},
		"addresses.work":                 {attr: "addresses", sub: "formatted", entry: "work", list: true},
		"enterprise.department":          {urn: enterpriseUser, attr: "department"},
		"enterprise.manager":             {urn: enterpriseUser, attr: "manager", sub: "value"},
		enterpriseUser + ":costCenter":   {urn: enterpriseUser, attr: "costCenter"},
		coreUser + ":title":              {attr: "title"},
		"urn:example:2.0:User:badge":     {urn: "urn:example:2.0:User", attr: "badge"},
		"urn:example:2.0:User:badge.key": {urn: "urn:example:2.0:User", attr: "badge", sub: "key"},
		"somethingElse":                  {attr: "somethingElse"},
	} {
		want.text = text
		if got, err := parsePath(text); err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "name", "name.", "a.b.c", "emails.work.value.x", "active", "Active", "id", "groups", "meta.version", "password", "displayname", "username", "a b", `a"b`, "emails[type eq \"work\"]",
		"name.family\"Name", "urn:x:a b", "addresses.work.a.b", "enterprise.", "emails.wo rk", "x] or userName pr"} {
		if p, err := parsePath(text); err == nil {
			t.Errorf("%q is taken for %+v", text, p)
		}
	}
}

// TestLists: an entry that stays keeps what else it says; the first is the
// primary one, and others' entries are left alone.
func TestLists(t *testing.T) {
	const before = `{"emails":[{"value":"a@x","type":"home","display":"A","primary":true},{"value":"b@x","type":"work"}],
		"addresses":[{"type":"work","locality":"Vienna","country":"AT"},{"type":"home","locality":"Graz"}],
		"roles":[{"value":"admin"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"1","displayName":"Old"},"department":"D"}}`
	replace := func(name string, values ...string) target.Value { return target.Value{Name: name, Values: values} }
	merge := func(name string, add, take []string) target.Value {
		return target.Value{Name: name, Values: add, Without: take, How: target.Merge}
	}
	for _, c := range []struct {
		name string
		v    target.Value
		want string // of the attribute
	}{
		{"one more", replace("emails", "A@x", "c@x"), `[{"value":"A@x","type":"home","display":"A","primary":true},{"value":"c@x"}]`},
		{"another first", replace("emails", "b@x", "a@x", "d@x"), `[{"value":"b@x","type":"work","primary":true},{"value":"a@x","type":"home","display":"A"},{"value":"d@x"}]`},
		{"all new", replace("emails", "z@x"), `[{"value":"z@x","type":"work","primary":true}]`},
		{"none", replace("emails"), `null`},
		{"merged", merge("emails", []string{"c@x"}, nil), `[{"value":"a@x","type":"home","display":"A","primary":true},{"value":"b@x","type":"work"},{"value":"c@x"}]`},
		{"merged and taken", merge("emails", []string{"c@x"}, []string{"A@X"}), `[{"value":"b@x","type":"work","primary":true},{"value":"c@x"}]`},
		{"by label", replace("emails.work", "w@x"), `[{"value":"a@x","type":"home","display":"A","primary":true},{"value":"w@x","type":"work"}]`},
		{"a new label", replace("emails.other", "o@x"), `[{"value":"a@x","type":"home","display":"A","primary":true},{"value":"b@x","type":"work"},{"value":"o@x","type":"other"}]`},
		{"a label that goes", replace("emails.home"), `[{"value":"b@x","type":"work"}]`},
		{"a part", replace("addresses.work.locality", "Linz"), `[{"type":"work","locality":"Linz","country":"AT"},{"type":"home","locality":"Graz"}]`},
		{"a part that goes", replace("addresses.work.locality"), `[{"type":"work","country":"AT"},{"type":"home","locality":"Graz"}]`},
		{"the last part", replace("addresses.home.locality"), `[{"type":"work","locality":"Vienna","country":"AT"}]`},
		{"no label, no primary", replace("roles", "admin", "writer"), `[{"value":"admin"},{"value":"writer"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := decode([]byte(before))
			if err != nil {
				t.Fatal(err)
			}
			list, err := edits(r, []target.Value{c.v})
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			s := &server{}
			after := clone(r).(resource)
			if err := s.apply(after, list[0], defaults); err != nil {
				t.Fatal(err)
			}
			var want any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if got := after.at(list[0].path); !reflect.DeepEqual(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			delete(after, list[0].attr)
			delete(r, list[0].attr)
			if !reflect.DeepEqual(after, r) {
				t.Errorf("more was changed: %v", after)
			}
		})
	}
	for _, v := range []target.Value{replace("name.familyName", "a", "b"), replace("emails.work", "a", "b"), replace("enterprise.manager", "1", "2"), replace("title", "\xff")} {
		list, err := edits(resource{}, []target.Value{v})
		if err == nil {
			err = (&server{}).apply(resource{}, list[0], defaults)
		}
		if err == nil {
			t.Errorf("%s took %q", v.Name, v.Values)
		}
	}
}

// TestTyped: what the schema calls a boolean or a number is sent as one.
func TestTyped(t *testing.T) {
	s := &server{attributes: map[string]definition{
		definitionKey("urn:x", "", "flag"): {kind: "boolean"}, definitionKey("urn:x", "", "size"): {kind: "integer"}, definitionKey("urn:x", "", "tags"): {kind: "string", multi: true},
	}}
	r := resource{}
	for name, values := range map[string][]string{"urn:x:flag": {"True"}, "urn:x:size": {"42"}, "urn:x:tags": {"one"}, "urn:x:other": {"1", "2"}} {
		list, err := edits(r, []target.Value{{Name: name, Values: values}})
		if err == nil {
			err = s.apply(r, list[0], defaults)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text, _ := json.Marshal(r)
	if want := `{"urn:x":{"flag":true,"other":["1","2"],"size":42,"tags":["one"]}}`; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	for name, value := range map[string]string{"urn:x:flag": "yes", "urn:x:size": "4 2", "urn:x:tags": ""} {
		list, err := edits(resource{}, []target.Value{{Name: name, Values: []string{value}}})
		if value == "" {
			if len(list) != 0 {
				t.Error("an empty text is a value")
			}
			continue
		}
		if err == nil {
			err = s.apply(resource{}, list[0], defaults)
		}
		if err == nil {
			t.Errorf("%s took %q", name, value)
		}
	}
}

// TestInjection: whatever stands in an attribute of a person, a filter asks for
// that text, a path is that path, and nothing else arrives.
func TestInjection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`" or userName pr or userName eq "`, `\`, `\"`, "a\nb", "\u2028", "<&>", `x" and "y`, "%22", "+", "a&count=1", "../Groups/1", "?x", "#"})).Draw(t, "value")
		filter := filterOf("userName", value)
		text, ok := strings.CutPrefix(filter.Get("filter"), "userName eq ")
		var back string
		if !ok || json.Unmarshal([]byte(text), &back) != nil || back != strings.ToValidUTF8(value, "\ufffd") {
			t.Fatalf("%q asks %s", value, filter.Get("filter"))
		}
		if strings.ContainsAny(encode(filter), "+&#") || strings.Count(encode(filter), "=") != 1 {
			t.Fatalf("%q asks %s", value, encode(filter))
		}
		if p := userPath(target.NativeID(value)); strings.ContainsAny(strings.TrimPrefix(p, "Users/"), "/?#") {
			t.Fatalf("%q is at %s", value, p)
		}
		w := &Target{dialect: defaults}
		ops := w.memberPatch([]string{value}, false).Operations
		if len(ops) != 1 || !strings.HasPrefix(ops[0].Path, `members[value eq "`) || json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimPrefix(ops[0].Path, "members[value eq "), "]")), &back) != nil {
			t.Fatalf("%q is removed by %v", value, ops)
		}
	})
}

// TestForms: whichever way is tried, the account is afterwards as it is to be, and
// a form that worked is the first from then on.
func TestForms(t *testing.T) {
	d := defaults
	r := firstRungs(d)
	if !slices.Equal(r.update, []form{byPath, noPath, whole}) || !slices.Equal(r.active, []form{byPath, noPath, byPathString, whole}) {
		t.Errorf("%v", r)
	}
	if got := lead(r.update, whole); !slices.Equal(got, []form{whole, byPath, noPath}) || fmt.Sprint(r.update) != "[1 2 3]" {
		t.Errorf("%v from %v", got, r.update)
	}
	for update, want := range map[string][]form{updatePatch: {byPath}, updateNoPath: {noPath}, updatePut: {whole}} {
		d.Update = update
		if got := firstRungs(d).update; !slices.Equal(got, want) {
			t.Errorf("%s: %v", update, got)
		}
	}
}
