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

// TestLaw05TwoEntriesOfOneID: where two entries show the same ID nobody can say which
// one is ours, and neither is touched.
func TestLaw05TwoEntriesOfOneID(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute)
	e.cfg.IDAttribute, e.cfg.Mark = "employeeNumber", ""
	for _, name := range []string{"writer1", "writer2"} {
		e.put(t, "uid="+name+","+inAccounts, map[string][]string{"uid": {name}, "cn": {"x"}, "sn": {"x"}, "employeeNumber": {"7"}})
	}
	tg := e.target(t)
	if o, err := tg.Look(t.Context(), target.Scope{}, []target.Query{{ID: "7"}}); target.ClassOf(err) != target.Refused {
		t.Errorf("%+v, %v", o, err)
	}
	if err := tg.Disable(t.Context(), target.Ref{ID: "7"}); target.ClassOf(err) != target.Refused {
		t.Error(err)
	}
	for _, a := range e.read(t) {
		if !a.Enabled {
			t.Errorf("%s was closed", a.Name)
		}
	}
}
