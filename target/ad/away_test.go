package ad

import (
	"testing"

	"github.com/rosterd/rosterd/target"
)

// TestLaw02MovedOutOfTheBaseIsNotGone: an account that somebody moved to another part of
// the domain is found by its ID, closed there, and neither listed nor found by its name.
func TestLaw02MovedOutOfTheBaseIsNotGone(t *testing.T) {
	e := embed(t, three...)
	e.config.WithoutPassword = withRandom
	ctx, tg := t.Context(), newTarget(t, e.config)
	ref, err := tg.Create(ctx, "writer1", nil, "m")
	if err != nil {
		t.Fatal(err)
	}
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	e.add(t, "OU=chiefs,"+suffix, map[string][]string{"objectClass": {"organizationalUnit"}})
	if err := e.dir.Rename("CN=writer1,"+inAccounts, "CN=writer1", true, "OU=chiefs,"+suffix); err != nil {
		t.Fatal(err)
	}
	tg = newTarget(t, e.config) // one that has not seen where it was
	scope := target.Scope{Entitlements: three}
	look := func(q target.Query) []target.Account {
		t.Helper()
		o, err := tg.Look(ctx, scope, []target.Query{q})
		if err != nil {
			t.Fatal(err)
		}
		return o[0].Accounts
	}
	if a := look(target.Query{ID: ref.ID}); len(a) != 1 || !a[0].Enabled || len(a[0].Entitlements) != 1 {
		t.Fatalf("moved away: %+v", a)
	}
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if errs := tg.Revoke(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	if a := look(target.Query{ID: ref.ID}); len(a) != 1 || a[0].Enabled || len(a[0].Entitlements) != 0 {
		t.Fatalf("closed there: %+v", a)
	}
	if a := look(target.Query{Match: []target.Match{{Attribute: samAccountName, Value: "writer1"}}}); len(a) != 0 {
		t.Fatalf("by name: %+v", a)
	}
}
