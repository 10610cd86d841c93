package plan

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// mess is an application in any state: numbers and mails that are shared, missing or
// given again, marks that are true, copied, of others, of nobody, of another target.
func mess(t *rapid.T) (*rig, Input) {
	r := newRig(t)
	r.rules.Protect, r.rules.BreakGlass = []string{"account:svc*"}, []string{"account:glass*"}
	people := rapid.IntRange(1, 6).Draw(t, "people")
	few := rapid.IntRange(0, 4)
	for n := 1; n <= people; n++ {
		r.hire(n)
		r.account(n).Match = []mapping.Match{{Attribute: "room", Value: fmt.Sprint(few.Draw(t, "number")), Adopt: "link"},
			{Attribute: "mail", Value: fmt.Sprint(few.Draw(t, "mail")), Adopt: rapid.SampledFrom([]string{"link", "report"}).Draw(t, "adopt")}}
		switch rapid.IntRange(0, 5).Draw(t, "standing") {
		case 0:
			r.standing(n, identity.Disabled)
			r.entitled(n, false)
		case 1:
			r.entitled(n, false)
		case 2:
			r.standing(n, identity.Unknown)
		}
	}
	var marked []Marked
	accounts := rapid.IntRange(0, 8).Draw(t, "accounts")
	for i := range accounts {
		a := target.Account{Name: rapid.SampledFrom([]string{"a", "svc", "glass"}).Draw(t, "name") + fmt.Sprint(i), Enabled: rapid.Bool().Draw(t, "enabled"),
			Attributes: map[string][]string{"room": {fmt.Sprint(few.Draw(t, "number"))}, "mail": {fmt.Sprint(few.Draw(t, "mail"))}}}
		a.ID = r.mem.Put(a)
		switch rapid.IntRange(0, 4).Draw(t, "mark") {
		case 0:
			who := identity.Ordinal(rapid.IntRange(0, people).Draw(t, "whose"))
			marked = append(marked, Marked{a, Mark{Person: who, State: rapid.SampledFrom([]string{"lost", "else"}).Draw(t, "state"), Named: who.Valid() || rapid.Bool().Draw(t, "named")}})
		case 1:
			marked = append(marked, Marked{a, Mark{State: "own", Ours: true, Target: "pages"}})
		case 2:
			who := identity.Ordinal(rapid.IntRange(1, people).Draw(t, "owner"))
			if _, has := r.links[who]; !has && r.people[who].Standing == identity.Active {
				r.links[who] = ledger.Link{Person: who, Target: "wiki", Account: a.ID, Name: a.Name, Owner: ledger.Created, Phase: ledger.Open}
			}
		}
	}
	in := r.input(true)
	in.Adoption = &Adoption{Recover: rapid.Bool().Draw(t, "recover"), States: []string{"lost"}}
	if rapid.Bool().Draw(t, "by mail") {
		in.Adoption.Match = []string{"mail"}
	}
	in.Adoption.Stale = map[target.NativeID]bool{} // marks of ours that are to be renewed
	for _, l := range r.links {
		in.Adoption.Stale[l.Account] = rapid.Bool().Draw(t, "stale")
	}
	in.Targets[0].Marked = marked
	return r, r.answer(in)
}

// Whatever the mess: what is linked is nobody else's, is found beyond doubt, and is
// claimed by nobody else; and each account is told of.
func TestLawAdoptLinksOnlyWhatIsBeyondDoubt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, in := mess(t)
		marks := map[target.NativeID]Mark{}
		for _, m := range in.Targets[0].Marked {
			marks[m.Account.ID] = m.Mark
		}
		owners := map[target.NativeID]identity.Ordinal{}
		for who, l := range r.links {
			owners[l.Account] = who
		}
		got := Adopt(in)
		told, linked, persons := map[target.NativeID]bool{}, map[target.NativeID]bool{}, map[identity.Ordinal]int{}
		for _, f := range got.Findings {
			told[f.Account.ID] = true
			for _, a := range f.Accounts {
				told[a.ID] = true
			}
			if persons[f.Person]++; f.Person.Valid() && persons[f.Person] > 1 {
				t.Fatalf("%s is told of twice: %+v", f.Login, f)
			}
			if f.Class != Exact && f.Class != Renewed && f.Why == "" {
				t.Fatalf("no reason: %+v", f)
			}
			if f.Link == nil {
				continue
			}
			a, k := f.Account, marks[f.Account.ID]
			matches := func(who identity.Ordinal, attribute string) bool {
				return slices.ContainsFunc(r.account(int(who)).Match, func(m mapping.Match) bool {
					return (attribute == "" || m.Attribute == attribute) && a.Attributes[m.Attribute][0] == m.Value
				})
			}
			switch {
			case linked[a.ID]:
				t.Fatalf("%s is linked twice", a.Name)
			case f.Class == Renewed && owners[a.ID] == f.Person && in.Adoption.Stale[a.ID] && a.Name[0] == 'a':
				linked[a.ID] = true
				continue
			case owners[a.ID].Valid():
				t.Fatalf("%s belongs to %s already", a.Name, owners[a.ID])
			case a.Name[0] != 'a':
				t.Fatalf("%s is protected, and would be linked", a.Name)
			case k.Target != "" || k.State == "else" || k.State != "" && !in.Adoption.Recover:
				t.Fatalf("%s is managed by somebody else: %+v", a.Name, k)
			case k.Person.Valid() && k.Person != f.Person:
				t.Fatalf("%s carries the mark of %s, and would be of %s", a.Name, k.Person, f.Person)
			case k.Person != f.Person && !matches(f.Person, ""):
				t.Fatalf("%s is found for %s by nothing", a.Name, f.Login)
			case k.Person != f.Person && (r.people[f.Person].Standing != identity.Active || !r.account(int(f.Person)).Entitled):
				t.Fatalf("%s would be of %s, who should have none", a.Name, f.Login)
			}
			linked[a.ID] = true
			for _, m := range in.Targets[0].Marked {
				if m.Mark.Person == f.Person && m.Account.ID != a.ID && (m.Mark.State == "lost" || k.Person == f.Person) && k.Person != 0 {
					t.Fatalf("%s is not the only one with the mark of %s", a.Name, f.Login)
				}
			}
			for who := range r.people {
				_, has := r.links[who]
				rival := who != f.Person && !has && r.people[who].Standing == identity.Active && r.account(int(who)).Entitled
				if rival && k.Person != f.Person && f.By == "mail" && matches(who, "room") {
					t.Fatalf("%s is found by mail for %s, and by number for %s", a.Name, f.Login, r.people[who].Login)
				}
			}
		}
		for _, a := range in.Targets[0].Accounts {
			if !told[a.ID] && !owners[a.ID].Valid() {
				t.Fatalf("nothing is told of %s", a.Name)
			}
		}
		if !slices.IsSortedFunc(got.Findings, compareFindings) {
			t.Fatal("the findings are not sorted")
		}
	})
}
