package ldap

import (
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestLaw02MovedOutOfTheBaseIsNotGone: whoever moves an account out of the containers
// of accounts does not take it from us: it is found by its ID, closed and stripped.
func TestLaw02MovedOutOfTheBaseIsNotGone(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers")
	tg := e.target(t)
	ctx := t.Context()
	ref := mustCreate(t, tg, "writer1")
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	const now = "uid=writer1,ou=chiefs," + suffix
	if err := e.dir.Add("ou=chiefs,"+suffix, map[string][]string{"objectClass": {"organizationalUnit"}}); err != nil {
		t.Fatal(err)
	}
	if err := e.dir.Rename("uid=writer1,"+inAccounts, "uid=writer1", true, "ou=chiefs,"+suffix); err != nil {
		t.Fatal(err)
	}
	if err := e.dir.Modify("cn=Writers,"+inGroups, ldapd.Change{Op: ldapd.ReplaceValues, Attr: "member", Values: []string{"cn=nobody", now}}); err != nil {
		t.Fatal(err)
	}
	tg = e.target(t) // one that has not seen where it was
	scope := target.Scope{Entitlements: []string{"Writers"}}
	look := func() target.Observation {
		o, err := tg.Look(ctx, scope, []target.Query{{ID: ref.ID}})
		if err != nil {
			t.Fatal(err)
		}
		return o[0]
	}
	if o := look(); len(o.Accounts) != 1 || !o.Accounts[0].Enabled || len(o.Accounts[0].Entitlements) != 1 || o.Accounts[0].Reference != now {
		t.Fatalf("moved away: %+v", o)
	}
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if errs := tg.Revoke(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	if o := look(); len(o.Accounts) != 1 || o.Accounts[0].Enabled || len(o.Accounts[0].Entitlements) != 0 {
		t.Fatalf("closed there: %+v", o)
	}
	// By anything but its ID nobody is found there, and nobody is listed.
	o, err := tg.Look(ctx, scope, []target.Query{{Match: []target.Match{{Attribute: "uid", Value: "writer1"}}}})
	if err != nil || len(o[0].Accounts) != 0 {
		t.Fatalf("by name: %+v, %v", o, err)
	}
	if err := tg.Update(ctx, ref, []target.Value{{Name: "container", Values: []string{inAccounts}}}); err != nil {
		t.Fatal(err)
	}
	if o := look(); len(o.Accounts) != 1 || o.Accounts[0].Reference != "uid=writer1,"+inAccounts {
		t.Fatalf("fetched back: %+v", o)
	}
	if err := e.dir.Delete("uid=writer1," + inAccounts); err != nil {
		t.Fatal(err)
	}
	if o := look(); !o.Read.Valid() || len(o.Accounts) != 0 {
		t.Fatalf("deleted: %+v", o)
	}
}
