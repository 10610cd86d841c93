package scimd

import "testing"

// FuzzFilter: whatever is asked for, a filter is understood or refused, and what is
// understood judges any resource.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "x"`, `emails[type eq "work" and value co "@"]`, `not (active eq true) or title pr`, EnterpriseUser + `:department eq "Content"`,
		`id eq "1" and members eq "2"`, `((`, `userName eq`, `meta.lastModified gt "2026"`, `name.familyName sw "\u00e9"`,
	} {
		f.Add(s)
	}
	resources := []map[string]any{
		{}, {"userName": "x", "active": true, "emails": []any{map[string]any{"value": "a@b", "type": "work"}, "plain"}, "name": map[string]any{"familyName": "é"}},
		{"userName": 5, "emails": "none", "name": []any{1}, "members": []any{nil, map[string]any{"value": 7}}, EnterpriseUser: "x"},
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []Kind{Users, Groups} {
			pass, err := parseFilter(text, scope{attributes: schemas[kind].attributes, schema: schemas[kind]})
			if (pass == nil) == (err == nil) {
				t.Fatalf("%q: neither a filter nor a refusal, or both", text)
			}
			if err != nil {
				continue
			}
			for _, r := range resources {
				pass(r)
			}
		}
	})
}
