package ad

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
)

func value(name string, values ...string) target.Value {
	return target.Value{Name: name, Values: values}
}

func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func mustCreate(t *testing.T, tg *Target, name string, set ...target.Value) target.Ref {
	t.Helper()
	ref, err := tg.Create(t.Context(), name, set, "")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// see is the account as the kind shows it.
func see(t *testing.T, tg *Target, scope target.Scope, id target.NativeID) target.Account {
	t.Helper()
	o, err := tg.Look(t.Context(), scope, []target.Query{{ID: id}})
	must(t, err)
	if len(o[0].Accounts) != 1 {
		t.Fatalf("%d accounts with the ID %s", len(o[0].Accounts), id)
	}
	return o[0].Accounts[0]
}

// random is a domain whose accounts are open from the beginning.
func random(t *testing.T, groups ...string) (*embedded, *Target) {
	t.Helper()
	e := embed(t, groups...)
	e.config.WithoutPassword = withRandom
	return e, newTarget(t, e.config)
}

// TestOtherBitsStay: disabling and enabling change one bit, and nothing is written on
// top of what somebody else changed meanwhile.
func TestOtherBitsStay(t *testing.T) {
	e, tg := random(t)
	ref := mustCreate(t, tg, "writer1")
	dn := entryOf(t, e, ref.ID).DN
	bits := func() string { return entryOf(t, e, ref.ID).Get(userAccountControl)[0] }
	e.set(t, dn, userAccountControl, "66048") // the password does not expire
	must(t, tg.Disable(t.Context(), ref))
	if got := bits(); got != "66050" {
		t.Fatalf("disabled: %s", got)
	}
	must(t, tg.Enable(t.Context(), ref))
	if got := bits(); got != "66048" {
		t.Fatalf("enabled: %s", got)
	}
	// The value that was read is not there any more when the write arrives.
	e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Do: ldapd.Answer, Code: ldapd.NoSuchAttribute, Diagnostic: "00002085: AttErr: DSID-03151717", Times: 1})
	before := e.requests()
	must(t, tg.Disable(t.Context(), ref))
	if n := e.requests() - before; n != 2 || bits() != "66050" {
		t.Fatalf("%d requests, and the bits are %s", n, bits())
	}
	change := control().Turn(recordOf(userAccountControl, "66048"), false)
	if len(change) != 2 || !slices.Equal(change[0].Values, []string{"66048"}) || !slices.Equal(change[1].Values, []string{"66050"}) {
		t.Fatalf("the change is %+v: it must name the value that was read", change)
	}
}

// TestHiddenBits: who may not see userAccountControl knows of nobody whether they are
// disabled.
func TestHiddenBits(t *testing.T) {
	e, tg := random(t)
	ref := mustCreate(t, tg, "writer1")
	e.faults().HideAttribute(admin, userAccountControl)
	_, err := tg.Look(t.Context(), target.Scope{}, []target.Query{{ID: ref.ID}})
	if target.ClassOf(err) != target.Denied || !strings.Contains(hint(err), userAccountControl) {
		t.Fatalf("class %v, %v, hint %q", target.ClassOf(err), err, hint(err))
	}
	if _, err := target.Collect(t.Context(), tg, target.Scope{}); target.ClassOf(err) != target.Denied {
		t.Fatalf("a listing: %v", err)
	}
}

// TestProtected: an account that the domain guards says so.
func TestProtected(t *testing.T) {
	e, tg := random(t)
	for name, c := range map[string]struct {
		attribute, value string
		want             bool
	}{
		"plain":  {"title", "x", false},
		"was":    {adminCount, "0", false},
		"admin":  {adminCount, "1", true},
		"system": {criticalObject, "TRUE", true},
		"lower":  {criticalObject, "true", true},
		"user":   {criticalObject, "FALSE", false},
		"more":   {adminCount, "2", true},
	} {
		ref := mustCreate(t, tg, name)
		e.set(t, entryOf(t, e, ref.ID).DN, c.attribute, c.value)
		if got := see(t, tg, target.Scope{}, ref.ID).Protected; got != c.want {
			t.Errorf("%s: protected is %v", name, got)
		}
	}
}

// TestPrimaryGroup: membership in the primary group stands in the account. It is
// held, given for nothing, and cannot be taken.
func TestPrimaryGroup(t *testing.T) {
	e, tg := random(t, three...)
	ref, other := mustCreate(t, tg, "writer1"), mustCreate(t, tg, "writer2")
	for _, g := range []string{"Writers", "Readers"} {
		must(t, errors.Join(tg.Grant(t.Context(), g, []target.Ref{ref, other})...))
	}
	group, _ := e.dir.Get("CN=Writers," + inGroups)
	sid := group.Get(objectSID)[0]
	rid := int(sid[len(sid)-4]) | int(sid[len(sid)-3])<<8
	e.set(t, entryOf(t, e, ref.ID).DN, primaryGroupID, fmt.Sprint(rid))
	if group, _ = e.dir.Get("CN=Writers," + inGroups); len(group.Get("member")) != 1 {
		t.Fatalf("the members are %q: the domain takes out whose primary group it is", group.Get("member"))
	}
	scope := target.Scope{Entitlements: three}
	want := []string{"Readers", "Writers"}
	if got := see(t, tg, scope, ref.ID).Entitlements; !slices.Equal(got, want) {
		t.Errorf("one look: %q", got)
	}
	listing, err := target.Collect(t.Context(), tg, scope)
	must(t, err)
	for _, a := range listing.Accounts() {
		if !slices.Equal(a.Entitlements, want) {
			t.Errorf("%s in the listing: %q", a.Name, a.Entitlements)
		}
	}
	before := e.requests()
	must(t, errors.Join(tg.Grant(t.Context(), "Writers", []target.Ref{ref})...))
	if e.requests() != before {
		t.Error("what is so already was written")
	}
	errs := tg.Revoke(t.Context(), "Writers", []target.Ref{ref, other})
	if len(errs) != 2 || target.ClassOf(errs[0]) != target.Refused || !strings.Contains(hint(errs[0]), "primary group") || errs[1] != nil {
		t.Fatalf("revoked: %v", errs)
	}
	if got := see(t, tg, scope, other.ID).Entitlements; !slices.Equal(got, []string{"Readers"}) {
		t.Errorf("the other holds %q", got)
	}
}

// TestTakenInTheDomain: a name, or a userPrincipalName, that somebody elsewhere in the
// domain has is told before anything is written, with who has it.
func TestTakenInTheDomain(t *testing.T) {
	e, tg := random(t)
	e.add(t, "CN=Outsider,CN=Users,"+suffix, map[string][]string{"objectClass": {"user"}, samAccountName: {"writer1"}, userPrincipalName: {"one@lab.example"}})
	e.add(t, "CN=Machine,CN=Users,"+suffix, map[string][]string{"objectClass": {"group"}, samAccountName: {"machine"}})
	before := e.requests()
	for _, c := range []struct {
		name string
		set  []target.Value
		want target.Class
		text string
	}{
		{"writer1", nil, target.Exists, "CN=Outsider"},
		{"Writer1", nil, target.Exists, "CN=Outsider"},
		{"machine", nil, target.Exists, "CN=Machine"},
		{"writer2", []target.Value{value(userPrincipalName, "ONE@lab.example")}, target.Refused, "CN=Outsider"},
		{"a-name-of-21-letters-", nil, target.Refused, "20"},
	} {
		_, err := tg.Create(t.Context(), c.name, c.set, "")
		if target.ClassOf(err) != c.want || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: class %v: %v", c.name, target.ClassOf(err), err)
		}
	}
	if e.requests() != before {
		t.Error("something was written")
	}
	one, two := mustCreate(t, tg, "writer3", value(userPrincipalName, "three@lab.example")), mustCreate(t, tg, "writer4")
	before = e.requests()
	if err := tg.Update(t.Context(), two, []target.Value{value(userPrincipalName, "Three@lab.example")}); target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), "=writer3,OU=accounts") || hint(err) == "" {
		t.Errorf("another's userPrincipalName: %v", err)
	}
	if _, err := tg.Rename(t.Context(), two, "writer1"); target.ClassOf(err) != target.Exists {
		t.Errorf("renamed to the name of somebody elsewhere: %v", err)
	}
	if e.requests() != before {
		t.Error("something was written")
	}
	must(t, tg.Update(t.Context(), one, []target.Value{value(userPrincipalName, "THREE@lab.example")})) // its own
}

// TestTitle: entries are named by cn, which is no name of an account: it may be an
// expression, changes by itself, and two of one place cannot share it.
func TestTitle(t *testing.T) {
	e, tg := random(t, "Writers")
	ctx := t.Context()
	ref := mustCreate(t, tg, "writer1", value("cn", ` Ada "A", Writer`))
	must(t, errors.Join(tg.Grant(ctx, "Writers", []target.Ref{ref})...))
	title := func(id target.NativeID) string { return identity.MustDN(entryOf(t, e, id).DN).RDN()[0].Value }
	if got := title(ref.ID); got != ` Ada "A", Writer` {
		t.Fatalf("the entry is called %q", got)
	}
	_, err := tg.Create(ctx, "writer2", []target.Value{value("cn", ` Ada "A", Writer`)}, "")
	if target.ClassOf(err) != target.Refused || !strings.Contains(hint(err), "cn") {
		t.Errorf("a second one: class %v, %v, hint %q", target.ClassOf(err), err, hint(err))
	}
	two := mustCreate(t, tg, "writer2")
	if got := title(two.ID); got != "writer2" {
		t.Errorf("without an expression the entry is called %q", got)
	}
	for _, set := range []target.Value{value("cn"), value("cn", "a", "b"), value("cn", "")} {
		if err := tg.Update(ctx, two, []target.Value{set}); target.ClassOf(err) != target.Refused {
			t.Errorf("cn = %q: %v", set.Values, err)
		}
	}
	if err := tg.Update(ctx, two, []target.Value{value("cn", ` Ada "A", Writer`)}); target.ClassOf(err) != target.Refused || hint(err) == "" {
		t.Errorf("renamed to the title of another: %v", err)
	}
	before := e.requests()
	must(t, tg.Update(ctx, ref, []target.Value{value("cn", "Ada B")}))
	must(t, tg.Update(ctx, ref, []target.Value{value("cn", "Ada B")}))
	if n := e.requests() - before; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	a := see(t, tg, target.Scope{Entitlements: []string{"Writers"}}, ref.ID)
	if title(ref.ID) != "Ada B" || a.Name != "writer1" || !slices.Equal(a.Entitlements, []string{"Writers"}) {
		t.Errorf("after the change: %q, %+v", title(ref.ID), a)
	}
	// A rename of the account changes the title where that was its name.
	for _, c := range []struct {
		ref        target.Ref
		name, want string
	}{{ref, "ada", "Ada B"}, {two, "writer3", "writer3"}, {two, "Writer3", "Writer3"}} {
		now, err := tg.Rename(ctx, target.Ref{ID: c.ref.ID}, c.name)
		must(t, err)
		if got := title(now.ID); got != c.want || see(t, tg, target.Scope{}, now.ID).Name != c.name {
			t.Errorf("renamed to %s: the entry is called %q", c.name, got)
		}
	}
	// Cut off between the two, it is finished by the next try.
	e.faults().Add(ldapd.Fault{Op: ldapd.OpRename, Do: ldapd.Answer, Code: ldapd.Busy, Times: 1})
	was := target.Ref{ID: two.ID, Name: "Writer3"}
	if _, err := tg.Rename(ctx, was, "writer5"); target.ClassOf(err) != target.Transient {
		t.Fatalf("in the middle: %v", err)
	}
	_, err = tg.Rename(ctx, was, "writer5")
	must(t, err)
	if got := title(two.ID); got != "writer5" {
		t.Errorf("finished: the entry is called %q", got)
	}
	// Where another is called so, the account is renamed all the same.
	mustCreate(t, tg, "x", value("cn", "writer6"))
	_, err = tg.Rename(ctx, target.Ref{ID: two.ID, Name: "writer5"}, "writer6")
	must(t, err)
	if got := title(two.ID); got != "writer5" || see(t, tg, target.Scope{}, two.ID).Name != "writer6" {
		t.Errorf("the entry is called %q", got)
	}
}

// TestLongGroups: the members of a group come in parts. All of them count, for what is
// held and for what is left to do.
func TestLongGroups(t *testing.T) {
	e, tg := random(t, "Writers")
	e.dir.AD.MaxValRange = 7
	var refs []target.Ref
	for i := range 40 {
		refs = append(refs, mustCreate(t, tg, fmt.Sprintf("writer%02d", i)))
	}
	must(t, errors.Join(tg.Grant(t.Context(), "Writers", refs)...))
	held := func() (n int) {
		t.Helper()
		listing, err := target.Collect(t.Context(), tg, target.Scope{Entitlements: []string{"Writers"}})
		must(t, err)
		for _, a := range listing.Accounts() {
			n += len(a.Entitlements)
		}
		return n
	}
	if n := held(); n != 40 {
		t.Fatalf("%d of 40 hold it", n)
	}
	before := e.requests()
	must(t, errors.Join(tg.Grant(t.Context(), "Writers", refs)...))
	if e.requests() != before {
		t.Error("what is so already was written")
	}
	must(t, errors.Join(tg.Revoke(t.Context(), "Writers", refs[:35])...))
	if n := held(); n != 5 {
		t.Fatalf("%d hold it, want 5", n)
	}
	// A part that comes again and again is no listing.
	must(t, errors.Join(tg.Grant(t.Context(), "Writers", refs)...))
	e.faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Do: ldapd.StuckRange})
	if _, err := target.Collect(t.Context(), tg, target.Scope{Entitlements: []string{"Writers"}}); err == nil {
		t.Fatal("a group that cannot be read to its end gave a listing")
	}
}

// TestBaseIsTheDomain: the references of a domain to its other parts are none to
// accounts.
func TestBaseIsTheDomain(t *testing.T) {
	e := embed(t, "Writers")
	e.config.Base, e.config.Groups.Base, e.config.WithoutPassword = suffix, suffix, withRandom
	tg := newTarget(t, e.config)
	ref := mustCreate(t, tg, "writer1")
	must(t, errors.Join(tg.Grant(t.Context(), "Writers", []target.Ref{ref})...))
	listing, err := target.Collect(t.Context(), tg, target.Scope{Entitlements: []string{"Writers"}})
	must(t, err)
	if a := listing.Accounts(); len(a) != 1 || len(a[0].Entitlements) != 1 {
		t.Fatalf("listed %+v", a)
	}
}

// TestIDsThatAreNone: a text that is no GUID finds nobody, alone and among others.
func TestIDsThatAreNone(t *testing.T) {
	_, tg := random(t)
	ref := mustCreate(t, tg, "writer1")
	o, err := tg.Look(t.Context(), target.Scope{}, []target.Query{{ID: "*"}, {ID: ref.ID}, {ID: "writer1"}})
	must(t, err)
	if len(o[0].Accounts)+len(o[2].Accounts) > 0 || len(o[1].Accounts) != 1 {
		t.Fatalf("found %+v", o)
	}
	if err := tg.Disable(t.Context(), target.Ref{ID: "*", Name: "writer1"}); target.ClassOf(err) != target.Missing {
		t.Fatalf("disabled: %v", err)
	}
}
