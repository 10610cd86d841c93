package ledger

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/target"
)

var then = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestDigestOf(t *testing.T) {
	same := [][]string{{"a", "b"}, {"b", "a"}, {"a", "b", "a"}}
	for _, s := range same {
		if DigestOf(s) != DigestOf(same[0]) {
			t.Errorf("%q differs from %q", s, same[0])
		}
	}
	seen := map[Digest][]string{}
	for _, s := range [][]string{nil, {""}, {"a"}, {"b"}, {"a", "b"}, {"ab"}, {"a", "", "b"}, {"A"}, {"a\x00b"}} {
		if other, twice := seen[DigestOf(s)]; twice {
			t.Errorf("%q and %q have one digest", s, other)
		}
		seen[DigestOf(s)] = s
	}
	list := []string{"b", "a"}
	if DigestOf(list); !slices.Equal(list, []string{"b", "a"}) {
		t.Error("the values were sorted in place")
	}
}

// A life of an account: what each order leaves behind.
func TestAfter(t *testing.T) {
	now := then
	var l Link
	do := func(ch target.Change, out Outcome, o Order) Link {
		t.Helper()
		now = now.Add(time.Hour)
		ch.Person, ch.Target = 7, "wiki"
		o.Change = ch
		out.Done = true
		before, copied := l, l
		copied.Granted, before.Granted = slices.Clone(l.Granted), l.Granted
		l = l.After(o, out, now)
		if !reflect.DeepEqual(before, copied) {
			t.Errorf("%s changed the link it was given", ch.Verb)
		}
		return l
	}
	set := func(name string, values ...string) []target.Value {
		return []target.Value{{Name: name, Values: values}}
	}

	do(target.Change{Verb: target.Create, Name: "writer7", Set: set("title", "Writer")}, Outcome{Account: target.Ref{ID: "41", Name: "writer7"}, Verified: true}, Order{})
	want := Link{Person: 7, Target: "wiki", Account: "41", Name: "writer7", Called: "writer7", Owner: Created, Phase: Open, PhaseSince: now,
		Written: map[string]Digest{"title": DigestOf([]string{"Writer"})}, Verified: now}
	if !reflect.DeepEqual(l, want) {
		t.Fatalf("created: %+v", l)
	}
	created := now
	do(target.Change{Verb: target.Grant, Account: "41", Entitlement: "Writers"}, Outcome{}, Order{Roles: []string{"writer"}})
	granted := now
	do(target.Change{Verb: target.Grant, Account: "41", Entitlement: "Publishers"}, Outcome{}, Order{Roles: []string{"manager"}})
	do(target.Change{Verb: target.Grant, Account: "41", Entitlement: "Writers"}, Outcome{}, Order{Roles: []string{"manager", "writer"}})
	if g := l.Granted; len(g) != 2 || g[0].Entitlement != "Publishers" || !g[1].Since.Equal(granted) || len(g[1].Roles) != 2 {
		t.Fatalf("granted: %+v", g)
	}
	if DigestOf([]string{"a"}) == MergedDigest([]string{"a"}) || DigestOf([]string{"a"}) == SeenDigest([]string{"a"}) {
		t.Fatal("values alone count as those beside others, or as somebody else's")
	}
	do(target.Change{Verb: target.Update, Account: "41", Set: set("title")}, Outcome{}, Order{})
	if l.Written["title"] != DigestOf(nil) || !l.Verified.Equal(created) {
		t.Fatalf("updated: %+v", l)
	}
	do(target.Change{Verb: target.Rename, Account: "41", OldName: "writer7", Name: "author7"}, Outcome{Account: target.Ref{ID: "cn=author7"}}, Order{})
	if l.Name != "author7" || l.Called != "author7" || l.Account != "cn=author7" {
		t.Fatalf("renamed: %+v", l)
	}
	do(target.Change{Verb: target.Disable, Account: "41"}, Outcome{}, Order{Situation: "gone"})
	closed := now
	do(target.Change{Verb: target.Revoke, Account: "41", Entitlement: "Publishers"}, Outcome{}, Order{Situation: "gone"})
	if l.Phase != Closed || l.Cause != "gone" || !l.PhaseSince.Equal(closed) || len(l.Granted) != 1 {
		t.Fatalf("closed: %+v", l)
	}
	do(target.Change{Verb: target.Disable, Account: "41"}, Outcome{}, Order{Situation: "offboarded"})
	if !l.PhaseSince.Equal(closed) || l.Cause != "offboarded" {
		t.Fatalf("closed again: %+v", l)
	}
	do(target.Change{Verb: target.Enable, Account: "41"}, Outcome{}, Order{})
	if l.Phase != Open || l.Cause != "" || !l.PhaseSince.Equal(now) {
		t.Fatalf("enabled: %+v", l)
	}
	do(target.Change{Verb: target.Delete, Account: "41"}, Outcome{}, Order{Situation: "gone"})
	if l.Phase != Deleted || l.Granted != nil || l.Written != nil || l.Account == "" {
		t.Fatalf("deleted: %+v", l)
	}
	do(target.Change{Verb: target.Link, Account: "52", Name: "writer7"}, Outcome{}, Order{Approval: "h3"})
	if !reflect.DeepEqual(l, Link{Person: 7, Target: "wiki", Account: "52", Name: "writer7", Called: "writer7", Owner: Adopted, By: "h3", Phase: Open, PhaseSince: now}) {
		t.Fatalf("adopted: %+v", l)
	}
	do(target.Change{Verb: target.Grant, Account: "52", Entitlement: "Writers"}, Outcome{}, Order{Roles: []string{"writer"}})
	marked := l
	do(target.Change{Verb: target.Link, Account: "52", Name: "another"}, Outcome{}, Order{Approval: "h4"})
	if !reflect.DeepEqual(l, marked) {
		t.Fatalf("the mark was written anew, and the link became %+v", l)
	}
	do(target.Change{Verb: target.Link, Account: "53", Name: "writer7"}, Outcome{}, Order{Shut: true})
	if l.By != "policy" || l.Account != "53" || l.Granted != nil || l.Phase != ClosedElsewhere || l.Cause != ClosedThere {
		t.Fatalf("adopted closed: %+v", l)
	}
}

// What was not done leaves the link as it is, and no order shares memory with
// the link that it came from.
func TestAfterNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Link{Person: 1, Phase: Open, Written: map[string]Digest{"title": {1}}, Granted: []Granted{{Entitlement: "B", Roles: []string{"r"}}}}
		want := Link{Person: 1, Phase: Open, Written: map[string]Digest{"title": {1}}, Granted: []Granted{{Entitlement: "B", Roles: []string{"r"}}}}
		ch := target.Change{Verb: target.Verb(rapid.IntRange(1, 9).Draw(t, "verb")), Set: []target.Value{{Name: "title", Values: []string{"x"}}},
			Entitlement: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "entitlement")}
		if got := l.After(Order{Change: ch}, Outcome{Verified: true}, then); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s was not done and gave %+v", ch.Verb, got)
		}
		got := l.After(Order{Change: ch, Roles: []string{"q"}}, Outcome{Done: true}, then)
		for i := range got.Granted {
			got.Granted[i].Entitlement = "changed"
		}
		for k := range got.Written {
			got.Written[k] = Digest{9}
		}
		if !reflect.DeepEqual(l, want) {
			t.Fatalf("%s shares memory: %+v", ch.Verb, l)
		}
	})
}
