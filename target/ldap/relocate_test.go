package ldap

import (
	"errors"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

func (e *embedded) wantMembers(t *testing.T, group string, want ...string) {
	t.Helper()
	if got := sorted(e.members(t, group)); !slices.Equal(got, sorted(want)) {
		t.Fatalf("%s holds %q, want %q", group, got, sorted(want))
	}
}

// TestLaw05NobodyInherits: what is left in a group of somebody who had the name
// before gives the account that has it now nothing.
func TestLaw05NobodyInherits(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleUniqueMember, entries.StyleMemberUID} {
		e := embed(t, style, byMove, "Writers", "Readers")
		tg := e.target(t)
		ctx := t.Context()
		nobody, stands := []string{"cn=nobody"}, func(name, in string) string { return "uid=" + name + "," + in }
		if style == entries.StyleMemberUID {
			nobody, stands = nil, func(name, _ string) string { return name }
		}
		e.setMembers(t, "Writers", append([]string{stands("old", inAccounts), stands("older", inAccounts)}, nobody...)...)
		// Created under the name.
		ref := mustCreate(t, tg, "old")
		e.wantMembers(t, "Writers", append(nobody, stands("older", inAccounts))...)
		// Renamed to the name; what it holds comes along, and nothing else.
		if errs := tg.Grant(ctx, "Readers", []target.Ref{ref}); errs != nil {
			t.Fatal(errs)
		}
		// Whoever was called so before held that too: it stays all the same.
		e.setMembers(t, "Readers", append(e.members(t, "Readers"), stands("older", inAccounts))...)
		ref, err := tg.Rename(ctx, ref, "older")
		if err != nil {
			t.Fatal(err)
		}
		e.wantMembers(t, "Writers", nobody...)
		e.wantMembers(t, "Readers", append(nobody, stands("older", inAccounts))...)
		if style != entries.StyleMemberUID {
			// Moved to where the name stood before.
			e.setMembers(t, "Writers", append(nobody, stands("older", inLeft))...)
			if err := tg.Disable(ctx, ref); err != nil {
				t.Fatal(err)
			}
			e.wantMembers(t, "Writers", nobody...)
			e.wantMembers(t, "Readers", append(nobody, stands("older", inLeft))...)
		}
		// Deleted by somebody else, who forgot the groups.
		if err := e.dir.Delete(stands2(e, t, ref)); err != nil {
			t.Fatal(err)
		}
		e.setMembers(t, "Readers", append(nobody, stands("older", inAccounts))...)
		if err := tg.Delete(ctx, ref); err != nil {
			t.Fatal(err)
		}
		e.wantMembers(t, "Readers", nobody...)
	}
}

// stands2 is the DN of an account.
func stands2(e *embedded, t *testing.T, ref target.Ref) string {
	t.Helper()
	for _, x := range e.entries(t) {
		if slices.Contains(x.Get("entryUUID"), string(ref.ID)) {
			return x.DN
		}
	}
	t.Fatalf("no account %q", ref.Name)
	return ""
}

// TestLaw05WriteMeetsTheAccountThatWasMeant: an account is known by its ID. One
// that has taken its name meanwhile is not touched.
func TestLaw05WriteMeetsTheAccountThatWasMeant(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers")
	tg := e.target(t)
	ctx := t.Context()
	ref := mustCreate(t, tg, "writer1")
	if err := e.dir.Rename("uid=writer1,"+inAccounts, "uid=elsewhere", true, "ou=sub,"+inAccounts); err != nil {
		t.Fatal(err)
	}
	stranger := e.put(t, "uid=writer1,"+inAccounts, map[string][]string{"uid": {"writer1"}, "cn": {"x"}, "sn": {"x"}})
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	for _, a := range e.read(t) {
		if mine := a.ID == ref.ID; a.Enabled == mine || (len(a.Entitlements) == 1) != mine {
			t.Errorf("%s (ours: %v) is enabled %v and holds %q", a.Name, mine, a.Enabled, a.Entitlements)
		}
	}
	if err := tg.Delete(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if err := tg.Delete(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if all := e.read(t); len(all) != 1 || all[0].ID != stranger.ID {
		t.Fatalf("left: %+v", all)
	}
}

// TestLaw07InterruptedMoveIsFinished: a move whose groups did not follow is
// finished by the same call.
func TestLaw07InterruptedMoveIsFinished(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove, "Writers")
	tg := e.target(t)
	ctx := t.Context()
	ref := mustCreate(t, tg, "writer1")
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	fail := func() {
		e.faults().Clear()
		e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: ldapd.Busy, Times: 1})
	}
	fail()
	if err := tg.Disable(ctx, ref); target.ClassOf(err) != target.InDoubt {
		t.Fatalf("class %v: %v", target.ClassOf(err), err)
	}
	e.wantMembers(t, "Writers", "cn=nobody", "uid=writer1,"+inAccounts)
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	e.wantMembers(t, "Writers", "cn=nobody", "uid=writer1,"+inLeft)
	fail()
	if _, err := tg.Rename(ctx, ref, "writer2"); target.ClassOf(err) != target.InDoubt {
		t.Fatalf("class %v: %v", target.ClassOf(err), err)
	}
	if _, err := tg.Rename(ctx, ref, "writer2"); err != nil {
		t.Fatal(err)
	}
	e.wantMembers(t, "Writers", "cn=nobody", "uid=writer2,"+inLeft)
}

// TestDNsInOddShapes: adopted accounts lie deeper, have RDNs of several parts,
// or are named by another attribute.
func TestDNsInOddShapes(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove, "Writers")
	tg := e.target(t)
	ctx := t.Context()
	attrs := func() map[string][]string {
		return map[string][]string{"uid": {"alias", "writer1"}, "cn": {"The Writer"}, "sn": {"x"}}
	}
	for before, after := range map[string]string{
		"uid=writer1,ou=sub," + inAccounts:        "uid=writer2,ou=sub," + inAccounts,
		"cn=The Writer+uid=writer1," + inAccounts: "cn=The Writer+uid=writer2," + inAccounts,
		"cn=The Writer,ou=sub," + inAccounts:      "cn=The Writer,ou=sub," + inAccounts,
	} {
		a := attrs()
		if before[:2] == "cn" && before[13] == ',' {
			a["uid"] = []string{"writer1"}
		}
		ref := e.put(t, before, a)
		ref.Name = "writer1"
		if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
			t.Fatal(errs)
		}
		o, err := tg.Look(ctx, target.Scope{Attributes: []string{"UID"}, Entitlements: []string{"Writers"}}, []target.Query{{Match: []target.Match{{Attribute: "uid", Value: "writer1"}}}})
		if err != nil || len(o[0].Accounts) != 1 || o[0].Accounts[0].Name != "writer1" || len(o[0].Accounts[0].Entitlements) != 1 {
			t.Fatalf("%s: %+v, %v", before, o, err)
		}
		if _, err := tg.Rename(ctx, ref, "writer2"); err != nil {
			t.Fatalf("%s: %v", before, err)
		}
		e.wantMembers(t, "Writers", "cn=nobody", after)
		o, err = tg.Look(ctx, target.Scope{}, []target.Query{{ID: ref.ID}})
		if err != nil || o[0].Accounts[0].Name != "writer2" {
			t.Fatalf("%s: %+v, %v", before, o, err)
		}
		if err := errors.Join(tg.Disable(ctx, ref), tg.Enable(ctx, ref), tg.Delete(ctx, ref)); err != nil {
			t.Fatalf("%s: %v", before, err)
		}
		e.wantMembers(t, "Writers", "cn=nobody")
	}
}

// TestNamesOfClosedAccounts: a name is taken wherever in the managed containers
// it is.
func TestNamesOfClosedAccounts(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove)
	e.cfg.Groups = Groups{}
	tg := e.target(t)
	for _, in := range []string{"ou=sub," + inAccounts, inLeft} {
		ref := e.put(t, "uid=Taken,"+in, map[string][]string{"uid": {"Taken"}, "cn": {"x"}, "sn": {"x"}})
		if _, err := tg.Create(t.Context(), "taken", person("x"), ""); target.ClassOf(err) != target.Exists {
			t.Errorf("in %s: %v", in, err)
		}
		if err := tg.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if d := tg.Describe(); d.Entitlements {
		t.Error("entitlements without groups")
	}
	if errs := tg.Grant(t.Context(), "Writers", []target.Ref{mustCreate(t, tg, "writer1")}); target.ClassOf(errs[0]) != target.Refused {
		t.Errorf("a grant without groups: %v", errs)
	}
}

// TestLaw05HealingTakesNothingFromAnHeir: memberships of the place where an
// account was belong to whoever is there now.
func TestLaw05HealingTakesNothingFromAnHeir(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove, "Writers")
	tg := e.target(t)
	ctx := t.Context()
	ref := mustCreate(t, tg, "writer1")
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"writer1", "writer0"} {
		in := inAccounts
		if name == "writer0" {
			in = inLeft
		}
		e.put(t, "uid="+name+","+in, map[string][]string{"uid": {name}, "cn": {"x"}, "sn": {"x"}})
	}
	held := []string{"cn=nobody", "uid=writer0," + inLeft, "uid=writer1," + inAccounts}
	e.setMembers(t, "Writers", held...)
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if _, err := tg.Rename(ctx, target.Ref{ID: ref.ID, Name: "writer0"}, "writer1"); err != nil {
		t.Fatal(err)
	}
	e.wantMembers(t, "Writers", held...)
}
