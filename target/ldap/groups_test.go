package ldap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestRequestsThatAreTooLong: slapd hangs up on a request that is longer than it takes,
// and says nothing. It is sent in halves until all of it is done.
func TestRequestsThatAreTooLong(t *testing.T) {
	f := onSlapd(servers.StartSlapd(t, servers.SlapdConfig{
		Suffix: suffix, Debug: "stats", Access: rights, Global: []string{"sockbuf_max_incoming_auth 8191"},
		Users: []servers.User{{DN: "cn=rosterd," + suffix, Password: "let me in", Limits: "size=unlimited time=unlimited"}},
	}))
	tooLong(t, f)
}

func tooLong(t *testing.T, f *field) {
	const many = 300
	c := f.corner(t, entries.StyleMember, byAttribute, "Writers")
	var ldif strings.Builder
	for i := range many {
		fmt.Fprintf(&ldif, "dn: uid=writer%d,%s\nobjectClass: inetOrgPerson\nuid: writer%d\ncn: x\nsn: x\n\n", i, c.accounts, i)
	}
	if err := c.Modify(ldif.String()); err != nil {
		t.Fatal(err)
	}
	tg := c.target(t)
	l, err := target.Collect(t.Context(), tg, target.Scope{})
	if err != nil || len(l.Accounts()) != many {
		t.Fatalf("%d accounts, %v", len(l.Accounts()), err)
	}
	var refs []target.Ref
	for _, a := range l.Accounts() {
		refs = append(refs, target.Ref{ID: a.ID, Name: a.Name})
	}
	held := func() int { return len(c.search(t, c.groups, "(cn=Writers)", "member")[0].Get("member")) }
	before := c.writes()
	if errs := tg.Grant(t.Context(), "Writers", refs); errs != nil || held() != many+1 {
		t.Fatalf("granted: %d members, %v", held(), errs)
	}
	if n := c.writes() - before; n < 2 || n > 16 {
		t.Errorf("%d requests for %d members", n, many)
	}
	if errs := tg.Revoke(t.Context(), "Writers", refs); errs != nil || held() != 1 {
		t.Fatalf("revoked: %d members, %v", held(), errs)
	}
	if err := tg.Disable(t.Context(), refs[0]); err != nil {
		t.Error(err)
	}
}

// TestGroupsOfOtherKinds: a group with two kinds of members, one whose members follow
// from a search, one that is none, and one that is in another.
func TestGroupsOfOtherKinds(t *testing.T) { otherGroups(t, startSlapd(t)) }

func otherGroups(t *testing.T, f *field) {
	c := f.corner(t, entries.StyleMember, byAttribute, "Writers", "Readers")
	more := "dn: cn=Found," + c.groups + "\nobjectClass: groupOfURLs\ncn: Found\nmemberURL: ldap:///" + c.accounts + "??sub?(title=Writer)\n\n" +
		"dn: cn=Role," + c.groups + "\nobjectClass: organizationalRole\ncn: Role\n\n" +
		"dn: cn=Writers," + c.groups + "\nchangetype: modify\nadd: member\nmember: cn=Readers," + c.groups + "\n\n"
	if err := c.Modify(more); err != nil {
		t.Fatal(err)
	}
	tg, ctx := c.target(t), t.Context()
	ref := mustCreate(t, tg, "writer1")
	before := c.writes()
	for group, want := range map[string]struct {
		class target.Class
		says  string
	}{
		"Found": {target.Refused, "memberURL"}, "cn=Found," + c.groups: {target.Refused, "memberURL"},
		"Role": {target.Missing, "organizationalRole"}, "cn=Role," + c.groups: {target.Missing, "organizationalRole"},
		"Nobodies": {target.Missing, "make it"}, "cn=Nobodies," + c.groups: {target.Missing, "make it"},
	} {
		for _, errs := range [][]error{tg.Grant(ctx, group, []target.Ref{ref}), tg.Revoke(ctx, group, []target.Ref{ref})} {
			if len(errs) != 1 || target.ClassOf(errs[0]) != want.class || !strings.Contains(errs[0].Error()+hintOf(errs[0]), want.says) {
				t.Errorf("%s: class %v, %v, hint %q", group, target.ClassOf(errs[0]), errs, hintOf(errs[0]))
			}
		}
		notes, err := tg.Check(ctx, target.Scope{Entitlements: []string{group}})
		if err != nil || !slices.ContainsFunc(notes, func(n target.Note) bool { return n.Broken && strings.Contains(n.Text+n.Hint, want.says) }) {
			t.Errorf("check of %s: %+v, %v", group, notes, err)
		}
	}
	if n := c.writes() - before; n != 0 {
		t.Errorf("%d writes for what cannot be", n)
	}
	// Who is in Readers is not in Writers, though Readers is; and that stays so.
	member := func(group string) []string { return c.search(t, c.groups, "(cn="+group+")", "member")[0].Get("member") }
	if errs := tg.Grant(ctx, "Readers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	for _, do := range []func() []error{
		func() []error { return tg.Grant(ctx, "Writers", []target.Ref{ref}) },
		func() []error { return tg.Revoke(ctx, "Writers", []target.Ref{ref}) },
	} {
		if errs := do(); errs != nil || !slices.Contains(member("Writers"), "cn=Readers,"+c.groups) {
			t.Fatalf("%v, %q", errs, member("Writers"))
		}
	}
	if a := c.read(t); !slices.Equal(a[0].Entitlements, []string{"Readers"}) {
		t.Errorf("holds %q", a[0].Entitlements)
	}
	o, err := tg.Look(ctx, target.Scope{Entitlements: []string{"Readers", "Writers"}}, []target.Query{{ID: ref.ID}})
	if err != nil || !slices.Equal(o[0].Accounts[0].Entitlements, []string{"Readers"}) {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestRFC2307bis: a group of names that is a group of UNIX too keeps what is not
// looked after.
func TestRFC2307bis(t *testing.T) {
	c := startSlapd(t).corner(t, entries.StyleMember, byAttribute)
	c.cfg.Groups.Filter = "(objectClass=posixGroup)"
	if err := c.Modify("dn: cn=staff," + c.groups + "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: staff\ngidNumber: 7\nmember: cn=nobody\nmemberUid: root\n"); err != nil {
		t.Fatal(err)
	}
	tg, ctx := c.target(t), t.Context()
	ref := mustCreate(t, tg, "writer1")
	if errs := tg.Grant(ctx, "staff", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	g := c.search(t, c.groups, "(cn=staff)")[0]
	if !slices.Contains(g.Get("member"), "uid=writer1,"+c.accounts) || !slices.Equal(g.Get("memberUid"), []string{"root"}) {
		t.Errorf("%+v", g)
	}
}

// TestClassesOfAdopted: an entry that was taken over gets the object class that a value
// needs, with that value and not before.
func TestClassesOfAdopted(t *testing.T) { classes(t, startSlapd(t)) }

func classes(t *testing.T, f *field) {
	c := f.corner(t, entries.StyleMember, byAttribute)
	c.cfg.ObjectClasses = []string{"inetOrgPerson", "posixAccount"}
	tg, ctx := c.target(t), t.Context()
	id := c.put(t, target.Account{Name: "writer1", Attributes: map[string][]string{"cn": {"x"}, "sn": {"x"}}})
	ref := target.Ref{ID: id, Name: "writer1"}
	has := func() bool {
		return slices.ContainsFunc(c.search(t, c.accounts, "(uid=writer1)", "objectClass")[0].Get("objectClass"), func(class string) bool { return strings.EqualFold(class, "posixAccount") })
	}
	value := func(name, v string) target.Value { return target.Value{Name: name, Values: []string{v}} }
	if err := tg.Update(ctx, ref, []target.Value{value("title", "Writer")}); err != nil || has() {
		t.Fatalf("a title: has the class %v, %v", has(), err)
	}
	// The class needs more than this, so nothing is done, and the first error is told.
	err := tg.Update(ctx, ref, []target.Value{value("uidNumber", "7")})
	if target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), "uidNumber") || has() {
		t.Fatalf("half of it: has the class %v, %v", has(), err)
	}
	before := c.writes()
	err = tg.Update(ctx, ref, []target.Value{value("gidNumber", "7"), value("homeDirectory", "/home/writer1"), value("uidNumber", "7")})
	if err != nil || !has() || c.writes()-before != 2 {
		t.Fatalf("all of it: has the class %v, %v, %d writes", has(), err, c.writes()-before)
	}
}
