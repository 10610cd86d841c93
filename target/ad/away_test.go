package ad

import (
	"slices"
	"strings"
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

// TestCheckTellsOfGuardedGroups: who is put into one is protected, and no leaver is
// closed any more without being asked for by name.
func TestCheckTellsOfGuardedGroups(t *testing.T) {
	e := embed(t, three...)
	told := func() bool {
		notes, err := newTarget(t, e.config).Check(t.Context(), target.Scope{Entitlements: three})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(notes, func(n target.Note) bool {
			return strings.Contains(n.Text, "guards 1 of 3 groups, CN=Readers,") && n.Hint != ""
		})
	}
	if told() {
		t.Error("told of a group that is not guarded")
	}
	e.set(t, "CN=Writers,"+inGroups, adminCount, "0") // it was
	if told() {
		t.Error("told of a group that is not guarded any more")
	}
	e.set(t, "CN=Readers,"+inGroups, adminCount, "1")
	if !told() {
		t.Error("not told of a group that is")
	}
}

// TestLaw02UnreadSwitchIsNotOpen: an account whose userAccountControl may not be read is
// neither open nor closed.
func TestLaw02UnreadSwitchIsNotOpen(t *testing.T) {
	e := embed(t, three...)
	tg := newTarget(t, e.config)
	ref, err := tg.Create(t.Context(), "writer1", nil, "m")
	if err != nil {
		t.Fatal(err)
	}
	e.faults().HideAttribute(admin, userAccountControl)
	if o, err := tg.Look(t.Context(), target.Scope{}, []target.Query{{ID: ref.ID}}); target.ClassOf(err) != target.Denied {
		t.Errorf("%+v, %v", o, err)
	}
	if err := tg.Enable(t.Context(), ref); target.ClassOf(err) != target.Denied {
		t.Error(err)
	}
}
