package ldap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// setMembers makes the group hold exactly those.
func (e *embedded) setMembers(t *testing.T, group string, members ...string) {
	t.Helper()
	if err := e.dir.Modify("cn="+group+","+inGroups, ldapd.Change{Op: ldapd.ReplaceValues, Attr: e.style, Values: members}); err != nil {
		t.Fatal(err)
	}
}

// TestPlaceholder: a group that may not be empty keeps a member that is nobody.
func TestPlaceholder(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleUniqueMember} {
		for _, placeholder := range []string{"", "self", "cn=nobody," + suffix} {
			e := embed(t, style, byAttribute, "Writers")
			e.cfg.Groups.Placeholder = placeholder
			tg := e.target(t)
			want := placeholder
			if want == "" || want == entries.PlaceholderSelf {
				want = "cn=Writers," + inGroups
			}
			one, two := mustCreate(t, tg, "writer1"), mustCreate(t, tg, "writer2")
			dn1 := "uid=writer1," + inAccounts
			e.setMembers(t, "Writers", dn1, "uid=writer2,"+inAccounts)
			revoke := func(refs ...target.Ref) {
				t.Helper()
				if err := errors.Join(tg.Revoke(t.Context(), "Writers", refs)...); err != nil {
					t.Fatal(err)
				}
			}
			revoke(one, two)
			if got := e.members(t, "Writers"); !slices.Equal(got, []string{want}) {
				t.Fatalf("%s, %q: the group holds %q, want %q", style, placeholder, got, want)
			}
			l, err := target.Collect(t.Context(), tg, target.Scope{Entitlements: []string{"Writers"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range l.Accounts() {
				if len(a.Entitlements) > 0 {
					t.Fatalf("%s holds %q through a placeholder", a.Name, a.Entitlements)
				}
			}
			if errs := tg.Grant(t.Context(), "Writers", []target.Ref{one}); errs != nil {
				t.Fatal(errs)
			}
			before := e.faults().Count(ldapd.AnyWrite)
			revoke(one)
			if n := e.faults().Count(ldapd.AnyWrite) - before; n != 1 {
				t.Errorf("%d writes where the placeholder was there already", n)
			}
			if got := e.members(t, "Writers"); !slices.Equal(got, []string{want}) {
				t.Fatalf("the second time the group holds %q, want %q", got, want)
			}
			// A deletion does not leave a group without members either.
			e.setMembers(t, "Writers", dn1)
			if err := tg.Delete(t.Context(), one); err != nil {
				t.Fatal(err)
			}
			if got := e.members(t, "Writers"); !slices.Equal(got, []string{want}) {
				t.Fatalf("after the deletion the group holds %q, want %q", got, want)
			}
		}
	}
}

// TestWritesAreCounted: no change, no write; and as few as the protocol allows.
func TestWritesAreCounted(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers", "Readers")
	tg := e.target(t)
	var refs []target.Ref
	for i := range 1000 {
		name := fmt.Sprintf("writer%d", i)
		refs = append(refs, e.put(t, "uid="+name+","+inAccounts, map[string][]string{"uid": {name}, "cn": {name}, "sn": {name}}))
	}
	count := func(want int, what string, f func() []error) {
		t.Helper()
		before := e.faults().Count(ldapd.AnyWrite)
		if err := errors.Join(f()...); err != nil {
			t.Fatal(err)
		}
		if got := e.faults().Count(ldapd.AnyWrite) - before; got != want {
			t.Errorf("%s: %d writes, want %d", what, got, want)
		}
	}
	ctx := t.Context()
	count(2, "1,000 new members", func() []error { return tg.Grant(ctx, "Writers", refs) })
	if n := len(e.members(t, "Writers")); n != 1001 {
		t.Fatalf("%d members", n)
	}
	count(0, "the same again", func() []error { return tg.Grant(ctx, "Writers", refs) })
	count(0, "one of them again", func() []error { return tg.Grant(ctx, "Writers", refs[7:8]) })
	count(1, "300 away", func() []error { return tg.Revoke(ctx, "Writers", refs[:300]) })
	count(1, "400, of which 300 are missing", func() []error { return tg.Grant(ctx, "Writers", refs[:400]) })
	count(2, "all away", func() []error { return tg.Revoke(ctx, "Writers", refs) })
	count(0, "all away again", func() []error { return tg.Revoke(ctx, "Writers", refs) })
	if got := e.members(t, "Writers"); !slices.Equal(got, []string{"cn=nobody"}) {
		t.Fatalf("the group holds %q", got)
	}
	one := func(f func() error) func() []error { return func() []error { return []error{f()} } }
	title := []target.Value{{Name: "title", Values: []string{"a", "b"}}, {Name: "displayName", Values: []string{"W"}}}
	count(1, "two attributes", one(func() error { return tg.Update(ctx, refs[0], title) }))
	count(0, "the same attributes", one(func() error { return tg.Update(ctx, refs[0], title) }))
	count(1, "disable", one(func() error { return tg.Disable(ctx, refs[0]) }))
	count(0, "disable again", one(func() error { return tg.Disable(ctx, refs[0]) }))
	count(1, "create", one(func() error { _, err := tg.Create(ctx, "fresh", person("x"), "m"); return err }))
	count(0, "a group that is not there", one(func() error {
		errs := tg.Grant(ctx, "Nobodies", refs[:2])
		if len(errs) != 2 || target.ClassOf(errs[0]) != target.Missing {
			return fmt.Errorf("errors: %v", errs)
		}
		return nil
	}))
}

// TestLaw10OneBadApple: one member that the server refuses does not keep the
// others out, in a small batch and in a large one.
func TestLaw10OneBadApple(t *testing.T) {
	for _, n := range []int{5, 40} {
		f := startSlapd(t)
		c := f.corner(t, entries.StyleMemberUID, byAttribute, "Writers")
		tg := c.target(t)
		var refs []target.Ref
		for i := range n {
			name := fmt.Sprintf("writer%d", i)
			if i == 2 {
				name = "Zoë" // not an IA5String
			}
			refs = append(refs, mustCreate(t, tg, name))
		}
		errs := tg.Grant(t.Context(), "Writers", refs)
		if len(errs) != n {
			t.Fatalf("%d answers: %v", len(errs), errs)
		}
		for i, err := range errs {
			if (i == 2) != (err != nil) {
				t.Errorf("account %d: %v", i, err)
			}
		}
		if target.ClassOf(errs[2]) != target.Refused {
			t.Errorf("class %v: %v", target.ClassOf(errs[2]), errs[2])
		}
		g := c.search(t, c.groups, "(cn=Writers)", "memberUid")
		if got := len(g[0].Get("memberUid")); got != n-1 {
			t.Errorf("%d members, want %d", got, n-1)
		}
		if errs := tg.Revoke(t.Context(), "Writers", refs); errs != nil {
			t.Errorf("revoke: %v", errs)
		}
	}
}

// TestRevokeSpelledDifferently: a member is taken out as it is written there.
func TestRevokeSpelledDifferently(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleUniqueMember} {
		e := embed(t, style, byAttribute, "Writers")
		tg := e.target(t)
		ref := mustCreate(t, tg, "writer1")
		spelled := "UID=Writer1,  ou=Accounts," + strings.ToUpper(suffix)
		if style == entries.StyleUniqueMember {
			spelled += "#'0101'B"
		}
		e.setMembers(t, "Writers", "cn=nobody", spelled)
		o, err := tg.Look(t.Context(), target.Scope{Entitlements: []string{"Writers"}}, []target.Query{{ID: ref.ID}})
		if err != nil {
			t.Fatal(err)
		}
		if style == entries.StyleMember && len(o[0].Accounts[0].Entitlements) != 1 {
			t.Errorf("%s: not seen as a holder", style)
		}
		if errs := tg.Revoke(t.Context(), "Writers", []target.Ref{ref}); errs != nil {
			t.Fatal(errs)
		}
		if got := e.members(t, "Writers"); !slices.Equal(got, []string{"cn=nobody"}) {
			t.Errorf("%s: the group holds %q", style, got)
		}
	}
}

// TestEntitlementsByDN: two groups of one name are told apart by their DNs, and
// the name alone is an error.
func TestEntitlementsByDN(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers")
	if err := e.dir.Add("ou=site,"+inGroups, map[string][]string{"objectClass": {"organizationalUnit"}}); err != nil {
		t.Fatal(err)
	}
	second := "cn=Writers,ou=site," + inGroups
	if err := e.dir.Add(second, map[string][]string{"objectClass": {"groupOfNames"}, "member": {"cn=nobody"}}); err != nil {
		t.Fatal(err)
	}
	tg := e.target(t)
	ref := mustCreate(t, tg, "writer1")
	if errs := tg.Grant(t.Context(), "Writers", []target.Ref{ref}); target.ClassOf(errs[0]) != target.Refused || hintOf(errs[0]) == "" {
		t.Fatalf("a name that two groups have: %v", errs)
	}
	if l, err := target.Collect(t.Context(), tg, target.Scope{Entitlements: []string{"Writers"}}); err == nil {
		t.Fatalf("listed %d", len(l.Accounts()))
	}
	if errs := tg.Grant(t.Context(), second, []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	scope := target.Scope{Entitlements: sorted([]string{second, "cn=Writers," + inGroups})}
	l, err := target.Collect(t.Context(), tg, scope)
	if err != nil || !slices.Equal(l.Accounts()[0].Entitlements, []string{second}) {
		t.Fatalf("%+v, %v", l.Accounts(), err)
	}
	o, err := tg.Look(t.Context(), scope, []target.Query{{ID: ref.ID}})
	if err != nil || !slices.Equal(o[0].Accounts[0].Entitlements, []string{second}) {
		t.Fatalf("%+v, %v", o, err)
	}
}
