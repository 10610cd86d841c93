package ldap

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestLaw01NeverFromTheBeginningAgain: a listing that somebody has seen the
// beginning of is not begun again on another connection.
func TestLaw01NeverFromTheBeginningAgain(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute)
	tg := e.target(t)
	for i := range 5 {
		mustCreate(t, tg, fmt.Sprintf("writer%d", i))
	}
	e.faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Base: inAccounts, After: 2, Do: ldapd.Drop, Times: 1})
	seen := map[target.NativeID]bool{}
	done, err := tg.List(t.Context(), target.Scope{}, func(a target.Account) error {
		if seen[a.ID] {
			t.Errorf("%s came twice", a.Name)
		}
		seen[a.ID] = true
		return nil
	})
	if err == nil || done.Valid() {
		t.Fatalf("a listing that was cut off: %v", err)
	}
}

// TestLaw01NoMoveDuringAListing: with two containers, an account that moves
// from the one to the other while they are read would be in neither.
func TestLaw01NoMoveDuringAListing(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove)
	tg := e.target(t)
	ref := mustCreate(t, tg, "writer1")
	moved := make(chan error, 1)
	_, err := tg.List(t.Context(), target.Scope{}, func(target.Account) error {
		go func() { moved <- tg.Disable(t.Context(), ref) }()
		select {
		case err := <-moved:
			return fmt.Errorf("moved in the middle of the listing: %w", err)
		case <-time.After(50 * time.Millisecond):
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-moved; err != nil {
		t.Fatal(err)
	}
	if e.read(t)[0].Enabled {
		t.Fatal("not disabled in the end")
	}
}

// TestBatchEndsWithTheServer: what was sent and answered is done, what was sent
// and not answered is in doubt, and what was not sent is neither. A server that hung up
// is asked what it has done, and the rest goes in halves.
func TestBatchEndsWithTheServer(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers")
	e.cfg.IdleTimeout = impatient
	tg := e.target(t)
	var refs []target.Ref
	for i := range 1300 {
		name := fmt.Sprintf("writer%d", i)
		refs = append(refs, e.put(t, "uid="+name+","+inAccounts, map[string][]string{"uid": {name}, "cn": {name}, "sn": {name}}))
	}
	for _, c := range []struct {
		fault        ldapd.Fault
		second, last target.Class
		requests     int
	}{
		{ldapd.Fault{Do: ldapd.Hang}, target.InDoubt, target.Transient, 2},
		{ldapd.Fault{Do: ldapd.Drop}, 0, 0, 6},
		{ldapd.Fault{Do: ldapd.Drop, Applied: true}, 0, 0, 4},
		{ldapd.Fault{Code: ldapd.Busy}, target.Transient, target.Transient, 2},
		{ldapd.Fault{Code: ldapd.InsufficientAccessRights}, target.Denied, target.Denied, 2},
	} {
		e.setMembers(t, "Writers", "cn=nobody")
		e.faults().Clear()
		e.faults().ResetCounts()
		c.fault.Op, c.fault.Skip, c.fault.Times = ldapd.OpModify, 1, 1
		e.faults().Add(c.fault)
		errs := tg.Grant(t.Context(), "Writers", refs)
		if len(errs) != len(refs) && (errs != nil || c.last != 0) {
			t.Fatalf("%+v: %d answers", c.fault, len(errs))
		}
		if n := len(e.members(t, "Writers")); c.last == 0 && n != len(refs)+1 {
			t.Errorf("%+v: %d members", c.fault, n)
		}
		for i, err := range errs {
			want := []target.Class{0, c.second, c.last}[i/entries.MembersPerWrite]
			if got := target.ClassOf(err); got != want {
				t.Fatalf("%+v: account %d: class %v, want %v (%v)", c.fault, i, got, want, err)
			}
		}
		if n := e.faults().Count(ldapd.OpModify); n != c.requests {
			t.Errorf("%+v: %d requests, want %d", c.fault, n, c.requests)
		}
	}
	// It hangs up each time: that has an end, and what is in doubt is the last that was sent.
	e.setMembers(t, "Writers", "cn=nobody")
	e.faults().Clear()
	e.faults().ResetCounts()
	e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Do: ldapd.Drop})
	errs := tg.Grant(t.Context(), "Writers", refs)
	count := map[target.Class]int{}
	for _, err := range errs {
		count[target.ClassOf(err)]++
	}
	if n := e.faults().Count(ldapd.OpModify); n > 12 || count[target.InDoubt] != 1 || count[target.Transient] != len(refs)-1 {
		t.Errorf("%d requests, %v", n, count)
	}
}

// TestLookWhereTheServerComparesOtherwise: blanks do not count in an ISDN
// number, which we do not know. The account is found all the same, among many
// queries too.
func TestLookWhereTheServerComparesOtherwise(t *testing.T) {
	f := startSlapd(t)
	c := f.corner(t, entries.StyleMember, byAttribute)
	tg := c.target(t)
	id := c.put(t, target.Account{Name: "writer1", Attributes: map[string][]string{"cn": {"x"}, "sn": {"x"}, "internationalISDNNumber": {"12 34"}}})
	var queries []target.Query
	for _, v := range []string{"99", "1234", "98"} {
		queries = append(queries, target.Query{Match: []target.Match{{Attribute: "internationalISDNNumber", Value: v}}})
	}
	got, err := tg.Look(t.Context(), target.Scope{}, queries)
	if err != nil {
		t.Fatal(err)
	}
	if len(got[1].Accounts) != 1 || got[1].Accounts[0].ID != id || len(got[0].Accounts)+len(got[2].Accounts) > 0 {
		t.Fatalf("found %+v", got)
	}
}

// TestRenameToANameElsewhere: a name is taken by a closed account too.
func TestRenameToANameElsewhere(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove)
	tg := e.target(t)
	one, two := mustCreate(t, tg, "writer1"), mustCreate(t, tg, "writer2")
	if err := tg.Disable(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	if _, err := tg.Rename(t.Context(), one, "Writer2"); target.ClassOf(err) != target.Exists {
		t.Fatalf("renamed to the name of a closed account: %v", err)
	}
	if _, err := tg.Rename(t.Context(), one, "  "); target.ClassOf(err) != target.Refused {
		t.Fatal("renamed to blanks")
	}
}

// TestManyLooks: above the number that are looked at one by one the groups are
// read whole; both ways say the same.
func TestManyLooks(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Readers", "Writers")
	tg := e.target(t)
	var refs []target.Ref
	var queries []target.Query
	for i := range entries.FewLooks + 10 {
		ref := mustCreate(t, tg, fmt.Sprintf("writer%02d", i))
		refs, queries = append(refs, ref), append(queries, target.Query{ID: ref.ID})
	}
	if err := errors.Join(append(tg.Grant(t.Context(), "Writers", refs[5:]), tg.Grant(t.Context(), "Readers", refs[:20])...)...); err != nil {
		t.Fatal(err)
	}
	scope := target.Scope{Entitlements: []string{"Readers", "Writers"}}
	many, err := tg.Look(t.Context(), scope, queries)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		one, err := tg.Look(t.Context(), scope, []target.Query{q})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if i < 20 {
			want = append(want, "Readers")
		}
		if i >= 5 {
			want = append(want, "Writers")
		}
		a, b := many[i].Accounts[0].Entitlements, one[0].Accounts[0].Entitlements
		if !slices.Equal(a, want) || !slices.Equal(b, want) {
			t.Fatalf("account %d: %q among many, %q alone, want %q", i, a, b, want)
		}
	}
}

// TestLookOnceMore: a look that a closed connection cut off is done again from
// nothing.
func TestLookOnceMore(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers")
	tg := e.target(t)
	one, two := mustCreate(t, tg, "writer1"), mustCreate(t, tg, "writer2")
	var queries []target.Query
	for _, ref := range []target.Ref{one, two} {
		queries = append(queries, target.Query{Match: []target.Match{{Attribute: "uid", Value: ref.Name}}})
	}
	e.faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Base: inGroups, Do: ldapd.Drop, Times: 1})
	got, err := tg.Look(t.Context(), target.Scope{Entitlements: []string{"Writers"}}, queries)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range got {
		if len(o.Accounts) != 1 {
			t.Errorf("query %d found %d accounts", i, len(o.Accounts))
		}
	}
}

// TestLaw05LeftoversAreNotAnHeirs: what is revoked from an account that is gone
// is not taken from the one that has its name now.
func TestLaw05LeftoversAreNotAnHeirs(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleMemberUID} {
		e := embed(t, style, byAttribute, "Writers")
		tg := e.target(t)
		ctx := t.Context()
		gone := mustCreate(t, tg, "writer1")
		if errs := tg.Grant(ctx, "Writers", []target.Ref{gone}); errs != nil {
			t.Fatal(errs)
		}
		held := e.members(t, "Writers")
		if err := e.dir.Delete("uid=writer1," + inAccounts); err != nil {
			t.Fatal(err)
		}
		// Nobody has the name: it goes.
		if errs := tg.Revoke(ctx, "Writers", []target.Ref{gone}); errs != nil {
			t.Fatal(errs)
		}
		if got := e.members(t, "Writers"); len(got) != len(held)-1 {
			t.Fatalf("%s: the group holds %q", style, got)
		}
		// Somebody else has it: it stays.
		e.put(t, "uid=writer1,"+inAccounts, map[string][]string{"uid": {"writer1"}, "cn": {"x"}, "sn": {"x"}})
		e.setMembers(t, "Writers", held...)
		if errs := tg.Revoke(ctx, "Writers", []target.Ref{gone}); errs != nil {
			t.Fatal(errs)
		}
		if err := tg.Delete(ctx, gone); err != nil {
			t.Fatal(err)
		}
		e.wantMembers(t, "Writers", held...)
	}
}

// TestFilter: what the filter does not admit is no account, though its name is
// taken, and one that stops to fit is still found by its ID.
func TestFilter(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute)
	e.cfg.Filter = "(&(objectClass=inetOrgPerson)(!(title=robot)))"
	tg := e.target(t)
	ctx := t.Context()
	robot := e.put(t, "uid=robot,"+inAccounts, map[string][]string{"uid": {"robot"}, "cn": {"x"}, "sn": {"x"}, "title": {"robot"}})
	l, err := target.Collect(ctx, tg, target.Scope{})
	if err != nil || len(l.Accounts()) != 0 {
		t.Fatalf("listed %+v, %v", l.Accounts(), err)
	}
	got, err := tg.Look(ctx, target.Scope{}, []target.Query{{Match: []target.Match{{Attribute: "uid", Value: "robot"}}}, {ID: robot.ID}})
	if err != nil || len(got[0].Accounts) != 0 || len(got[1].Accounts) != 1 {
		t.Fatalf("found %+v, %v", got, err)
	}
	if _, err := tg.Create(ctx, "Robot", person("x"), ""); target.ClassOf(err) != target.Exists {
		t.Fatalf("created beside it: %v", err)
	}
}
