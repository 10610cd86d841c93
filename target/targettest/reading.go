package targettest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// listed lists and compares with the truth, account by account.
func (b *bench) listed(scope target.Scope) {
	b.t.Helper()
	l, err := target.Collect(b.t.Context(), b.Target, scope)
	b.ok(err)
	truth := b.Read(b.t)
	if len(l.Accounts()) != len(truth) {
		b.t.Fatalf("listed %d accounts of %d", len(l.Accounts()), len(truth))
	}
	for _, want := range truth {
		o := l.Look(target.Query{ID: want.ID})
		if len(o.Accounts) != 1 {
			b.t.Fatalf("account %q is not in the listing", want.Name)
		}
		b.wantSeen(o.Accounts[0], want, scope)
	}
}

// wantSeen compares what a target showed with the truth, within the scope.
func (b *bench) wantSeen(got, truth target.Account, scope target.Scope) {
	b.t.Helper()
	want := truth
	want.Attributes, want.Entitlements = map[string][]string{}, nil
	for _, name := range scope.Attributes {
		if v := truth.Attributes[name]; len(v) > 0 {
			want.Attributes[name] = v
		}
	}
	for _, e := range truth.Entitlements {
		if slices.Contains(scope.Entitlements, e) {
			want.Entitlements = append(want.Entitlements, e)
		}
	}
	if show(got) != show(want) {
		b.t.Fatalf("seen  %s\ntruth %s", show(got), show(want))
	}
	if !slices.IsSorted(got.Entitlements) {
		b.t.Fatalf("the entitlements are not sorted: %q", got.Entitlements)
	}
}

func (b *bench) several() []target.Ref {
	b.t.Helper()
	refs := []target.Ref{
		b.put("outsider", value(b.h.Single[0], "from elsewhere")),
		b.create("writer1", value(b.h.Single[0], "one"), value(b.h.Multi, "b", "a", "c")),
		b.create("writer2", value(b.h.Single[1], "two")),
	}
	if b.h.Want.Entitlements {
		b.granted(b.Target.Grant(b.t.Context(), b.h.Entitlements[0], refs[1:]))
		b.granted(b.Target.Grant(b.t.Context(), b.h.Entitlements[1], refs[1:2]))
	}
	if b.h.Want.CanDisable {
		b.ok(b.Target.Disable(b.t.Context(), refs[2]))
	}
	return refs
}

func (b *bench) granted(errs []error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

func listComplete(b *bench) {
	b.listed(b.scope) // nobody
	b.several()
	b.listed(b.scope)
	for i := range 30 {
		b.put(fmt.Sprintf("bulk%02d", i))
	}
	b.listed(b.scope)
}

func listFails(b *bench) {
	b.several()
	done, err := b.Target.List(cancelled(), b.scope, func(target.Account) error { return nil })
	if err == nil || done.Valid() {
		b.t.Fatalf("a cancelled listing: %v, valid: %v", err, done.Valid())
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	seen := 0
	done, err = b.Target.List(ctx, b.scope, func(target.Account) error { seen++; cancel(); return nil })
	if err == nil || done.Valid() {
		b.t.Fatalf("a listing cancelled after its first account: %v, valid: %v", err, done.Valid())
	}
	stop := errors.New("stop here")
	for at := 1; at <= 3; at++ {
		seen = 0
		done, err = b.Target.List(b.t.Context(), b.scope, func(target.Account) error {
			if seen++; seen == at {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || done.Valid() || seen != at {
			b.t.Fatalf("an error at account %d: %v, valid: %v, %d accounts", at, err, done.Valid(), seen)
		}
	}
	b.listed(b.scope) // and it still works
}

func listScope(b *bench) {
	b.several()
	b.listed(target.Scope{})
	b.listed(target.Scope{Attributes: []string{b.h.Multi}, Entitlements: b.h.entitlements()[:min(1, len(b.h.entitlements()))]})
}

func lookByID(b *bench) {
	for _, ref := range b.several() {
		o := b.look(target.Query{ID: ref.ID, Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: "outsider"}}})
		if len(o.Accounts) != 1 || o.By != (target.Match{}) {
			b.t.Fatalf("by ID: %d accounts, by %+v", len(o.Accounts), o.By)
		}
		b.wantSeen(o.Accounts[0], b.must(ref.ID), b.scope)
	}
	absent := b.create("absent")
	b.ok(b.Target.Delete(b.t.Context(), absent))
	if o := b.look(target.Query{ID: absent.ID}); len(o.Accounts) != 0 {
		b.t.Fatalf("found %+v, which was deleted", o.Accounts)
	}
	if o := b.look(target.Query{ID: "*"}); len(o.Accounts) != 0 {
		b.t.Fatalf("the ID * found %d accounts", len(o.Accounts))
	}
}

func lookByMatch(b *bench) {
	refs := b.several()
	name, single := b.h.Want.NameAttribute, b.h.Single[0]
	twin := b.put("twin", value(single, "one"))
	for _, c := range []struct {
		match []target.Match
		want  []target.NativeID
		by    target.Match
	}{
		{[]target.Match{{Attribute: name, Value: "writer2"}}, []target.NativeID{refs[2].ID}, target.Match{Attribute: name, Value: "writer2"}},
		{[]target.Match{{Attribute: single, Value: "from elsewhere"}}, []target.NativeID{refs[0].ID}, target.Match{Attribute: single, Value: "from elsewhere"}},
		{[]target.Match{{Attribute: single, Value: "one"}}, []target.NativeID{refs[1].ID, twin.ID}, target.Match{Attribute: single, Value: "one"}},
		{[]target.Match{{Attribute: single, Value: "nobody has it"}, {Attribute: name, Value: "twin"}, {Attribute: name, Value: "writer1"}}, []target.NativeID{twin.ID}, target.Match{Attribute: name, Value: "twin"}},
		{[]target.Match{{Attribute: b.h.Multi, Value: "a"}}, []target.NativeID{refs[1].ID}, target.Match{Attribute: b.h.Multi, Value: "a"}},
		{[]target.Match{{Attribute: name, Value: "nobody"}}, nil, target.Match{}},
		{[]target.Match{{Attribute: name, Value: "*"}, {Attribute: single, Value: "*"}, {Attribute: single, Value: ""}, {Attribute: single, Value: "on*"}, {Attribute: single, Value: "x)(objectClass=*"}}, nil, target.Match{}},
		{nil, nil, target.Match{}},
	} {
		o := b.look(target.Query{Match: c.match})
		var got []target.NativeID
		for _, a := range o.Accounts {
			got = append(got, a.ID)
			b.wantSeen(a, b.must(a.ID), b.scope)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) || o.By != c.by {
			b.t.Fatalf("match %+v found %q by %+v, want %q by %+v", c.match, got, o.By, c.want, c.by)
		}
	}
	// Whether a name is taken is asked without regard to case.
	o := b.look(target.Query{Alike: true, Match: []target.Match{{Attribute: name, Value: "TWIN"}}})
	if len(o.Accounts) != 1 || o.Accounts[0].ID != twin.ID {
		b.t.Fatalf("alike TWIN are %+v", o.Accounts)
	}
	if o := b.look(target.Query{Alike: true, Match: []target.Match{{Attribute: name, Value: "NOBODY"}}}); len(o.Accounts) != 0 {
		b.t.Fatalf("alike NOBODY are %+v", o.Accounts)
	}
}

func lookOrder(b *bench) {
	refs := b.several()
	var queries []target.Query
	var want []target.NativeID
	for i := range 250 {
		ref := refs[i%3]
		switch i % 5 {
		case 0:
			queries, want = append(queries, target.Query{Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: ref.Name}}}), append(want, ref.ID)
		case 1:
			queries, want = append(queries, target.Query{Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: "nobody"}}}), append(want, "")
		default:
			queries, want = append(queries, target.Query{ID: ref.ID}), append(want, ref.ID)
		}
	}
	got, err := b.Target.Look(b.t.Context(), b.scope, queries)
	b.ok(err)
	if len(got) != len(queries) {
		b.t.Fatalf("%d answers to %d queries", len(got), len(queries))
	}
	for i, o := range got {
		if !o.Read.Valid() {
			b.t.Fatalf("answer %d has no proof", i)
		}
		if want[i] == "" && len(o.Accounts) > 0 || want[i] != "" && (len(o.Accounts) != 1 || o.Accounts[0].ID != want[i]) {
			b.t.Fatalf("answer %d to %+v: %+v", i, queries[i], o.Accounts)
		}
	}
	if got, err = b.Target.Look(b.t.Context(), b.scope, nil); err != nil || len(got) != 0 {
		b.t.Fatalf("no query: %d answers, %v", len(got), err)
	}
}

// lookListing: the plan may ask the listing instead of the target.
func lookListing(b *bench) {
	refs := b.several()
	scope := b.scope
	l, err := target.Collect(b.t.Context(), b.Target, scope)
	b.ok(err)
	for _, q := range []target.Query{
		{ID: refs[1].ID}, {ID: "no such ID"},
		{Match: []target.Match{{Attribute: b.h.Single[0], Value: "one"}}},
		{Match: []target.Match{{Attribute: b.h.Single[0], Value: "ONE"}}},
		{Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: "Writer1"}}},
		{Match: []target.Match{{Attribute: b.h.Multi, Value: "c"}}},
	} {
		direct, listed := b.look(q), l.Look(q)
		if len(direct.Accounts) != len(listed.Accounts) || direct.By != listed.By {
			b.t.Fatalf("%+v: the target finds %d by %+v, its listing %d by %+v", q, len(direct.Accounts), direct.By, len(listed.Accounts), listed.By)
		}
		for i := range direct.Accounts {
			if show(direct.Accounts[i]) != show(listed.Accounts[i]) {
				b.t.Fatalf("%+v:\n target  %s\n listing %s", q, show(direct.Accounts[i]), show(listed.Accounts[i]))
			}
		}
	}
}

// lookAfterWrites: a look is never answered from before the last write, of
// ours or of somebody else's.
func lookAfterWrites(b *bench) {
	refs := b.several()
	find := func(attribute, value string, want ...target.NativeID) {
		b.t.Helper()
		var got []target.NativeID
		for _, a := range b.look(target.Query{Match: []target.Match{{Attribute: attribute, Value: value}}}).Accounts {
			got = append(got, a.ID)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			b.t.Fatalf("%s %q finds %q, want %q", attribute, value, got, want)
		}
	}
	name, single := b.h.Want.NameAttribute, b.h.Single[0]
	find(name, "fresh")
	fresh := b.create("fresh", value(single, "new"))
	find(name, "fresh", fresh.ID)
	find(single, "new", fresh.ID)
	b.ok(b.Target.Update(b.t.Context(), fresh, []target.Value{value(single, "newer")}))
	find(single, "new")
	find(single, "newer", fresh.ID)
	b.Set(b.t, fresh.ID, value(single, "newest"))
	find(single, "newer")
	find(single, "newest", fresh.ID)
	if b.h.Want.CanRename {
		var err error
		fresh, err = b.Target.Rename(b.t.Context(), fresh, "fresher")
		b.ok(err)
		find(name, "fresh")
		find(name, "fresher", fresh.ID)
	}
	if b.h.Want.CanDelete { // the first that we made, so that others come after it
		b.ok(b.Target.Delete(b.t.Context(), refs[1]))
		find(name, refs[1].Name)
		for _, ref := range []target.Ref{refs[0], refs[2], fresh} {
			b.wantSeen(b.byID(ref.ID), b.must(ref.ID), b.scope)
			find(name, ref.Name, ref.ID)
		}
		b.listed(b.scope)
	}
}

// lookIsACopy: what a reader does to an account it was given changes nothing.
func lookIsACopy(b *bench) {
	b.several()
	spoil := func(a target.Account) {
		for name, v := range a.Attributes {
			for i := range v {
				v[i] = "spoiled"
			}
			a.Attributes[name] = nil
		}
		for i := range a.Entitlements {
			a.Entitlements[i] = "spoiled"
		}
	}
	_, err := b.Target.List(b.t.Context(), b.scope, func(a target.Account) error { spoil(a); return nil })
	b.ok(err)
	for _, a := range b.Read(b.t) {
		spoil(b.byID(a.ID))
	}
	b.listed(b.scope)
}

func lookFails(b *bench) {
	refs := b.several()
	got, err := b.Target.Look(cancelled(), b.scope, []target.Query{{ID: refs[0].ID}, {ID: refs[1].ID}})
	if err == nil || got != nil {
		b.t.Fatalf("a cancelled look: %v, %d answers", err, len(got))
	}
}
