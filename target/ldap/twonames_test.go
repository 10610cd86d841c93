package ldap

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestOneGroupByTwoNames: a group that is two entitlements is given by the one and taken
// by the other. It is told, by whatever names: nothing is read, so nothing is taken.
func TestOneGroupByTwoNames(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers", "Readers")
	if err := e.dir.Modify("cn=Writers,"+inGroups, ldapd.Change{Op: ldapd.AddValues, Attr: "cn", Values: []string{"Authors"}}); err != nil {
		t.Fatal(err)
	}
	tg, ctx := e.target(t), t.Context()
	ref := mustCreate(t, tg, "writer1")
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	for _, both := range [][]string{{"Authors", "Writers"}, {"Writers", "writers"}, {"Writers", "cn=writers," + inGroups}, {"Readers", "Writers", "cn=Writers," + inGroups}} {
		scope := target.Scope{Entitlements: both}
		_, err := tg.Look(ctx, scope, []target.Query{{ID: ref.ID}})
		_, err2 := target.Collect(ctx, tg, scope)
		for _, err := range []error{err, err2} {
			if target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), "are one group") || hintOf(err) == "" {
				t.Errorf("%q: %v", both, err)
			}
		}
		notes, err := tg.Check(ctx, scope)
		told := err != nil && strings.Contains(err.Error(), "are one group")
		for _, n := range notes {
			told = told || n.Broken && strings.Contains(n.Text, "are one group")
		}
		if !told {
			t.Errorf("check of %q: %+v, %v", both, notes, err)
		}
	}
	called, err := tg.Called(ctx, []string{"Writers", "authors", "cn=writers," + inGroups, "Readers", "Nowhere", "cn=nowhere," + inGroups})
	if err != nil || len(called) != 4 || called["Writers"] != called["authors"] || called["Writers"] != called["cn=writers,"+inGroups] || called["Writers"] == called["Readers"] {
		t.Errorf("called %q, %v", called, err)
	}
	o, err := tg.Look(ctx, target.Scope{Entitlements: []string{"Readers", "Writers"}}, []target.Query{{ID: ref.ID}})
	if err != nil || len(o[0].Accounts[0].Entitlements) != 1 {
		t.Errorf("one name each: %+v, %v", o, err)
	}
}
