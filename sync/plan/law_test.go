package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// boundless lets everything go, so that properties are of the plan alone.
func boundless(r *rig) {
	all := &Limit{Count: 1e6}
	r.rules.Guard.MaxRemove, r.rules.Guard.MaxRevoke, r.rules.Guard.MaxCreate = all, all, all
	r.rules.Guard.MaxEnable, r.rules.Guard.MaxRename, r.rules.Guard.MaxUpdate = all, all, all
}

// shake moves the world at random: people, what they should have, and what
// others did in the target.
func shake(t *rapid.T, r *rig) {
	ents := []string{"Admins", "Publishers", "Readers", "Writers"}
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(ents), 0, 3, rapid.ID)
	for range rapid.IntRange(1, 8).Draw(t, "moves") {
		n := rapid.IntRange(1, 8).Draw(t, "who")
		if r.people[identity.Ordinal(n)] == nil {
			r.hire(n, some.Draw(t, "rights")...)
			r.match(n, "name", fmt.Sprintf("writer%d", n), rapid.SampledFrom([]string{"link", "report"}).Draw(t, "adopt"))
			continue
		}
		p := r.people[identity.Ordinal(n)]
		switch rapid.IntRange(0, 10).Draw(t, "move") {
		case 0:
			r.standing(n, identity.Standing(rapid.IntRange(0, 5).Draw(t, "standing")))
			p.Doubt = identity.NoDoubt
			if p.Standing == identity.Unknown {
				p.Doubt = identity.Doubt(rapid.IntRange(0, 4).Draw(t, "doubt"))
			}
		case 1:
			r.roles(n, some.Draw(t, "rights")...)
		case 2:
			r.attribute(n, "title", rapid.SampledFrom([]string{"Writer", "Author", "Boss"}).Draw(t, "title"))
		case 3:
			r.name(n, fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"writer", "author"}).Draw(t, "name"), rapid.IntRange(1, 8).Draw(t, "number")))
		case 4:
			r.entitled(n, rapid.Bool().Draw(t, "entitled"))
		case 5:
			p.Denial = nil
			if rapid.Bool().Draw(t, "denied") {
				p.Denial = &ledger.Denial{Person: p.Ordinal}
			}
		case 6:
			r.account(n).Invalid = rapid.SampledFrom([]string{"", "mail is blank"}).Draw(t, "invalid")
		case 7:
			for i := range r.account(n).Entitlements {
				e := &r.account(n).Entitlements[i]
				e.Roles, e.Doubt = nil, mapping.Doubt{Rule: rapid.SampledFrom([]string{"group", "coverage"}).Draw(t, "rule"), Text: "doubt"}
			}
		case 8:
			if list := r.mem.Accounts(); len(list) > 0 {
				a := rapid.SampledFrom(list).Draw(t, "account")
				a.Enabled = rapid.Bool().Draw(t, "enabled")
				a.Entitlements = some.Draw(t, "held")
				a.Attributes = map[string][]string{"title": {rapid.SampledFrom([]string{"Writer", "Boss"}).Draw(t, "drift")}}
				r.mem.Put(a)
			}
		case 9:
			if list := r.mem.Accounts(); len(list) > 0 {
				r.mem.Drop(rapid.SampledFrom(list).Draw(t, "account").ID)
			}
		case 10:
			name := fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"writer", "author", "guest"}).Draw(t, "foreign"), n)
			if !slices.ContainsFunc(r.mem.Accounts(), func(a target.Account) bool { return a.Name == name }) {
				r.mem.Put(target.Account{Name: name, Enabled: true, Entitlements: some.Draw(t, "held")})
			}
		}
	}
}

func randomRules(t *rapid.T) Rules {
	pick := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	r := DefaultRules()
	r.Drift = Drift{Attributes: pick("attributes", enforce, report), Lost: pick("lost", enforce, report), Extra: pick("extra", report, revoke),
		Disabled: keep, Missing: pick("missing", hold, recreate)}
	r.Leaver.Delete = map[string]string{"gone": pick("delete", never, "1s")}
	if rapid.Bool().Draw(t, "glass") {
		r.BreakGlass = []string{"account:writer1", "entitlement:Admins"}
	}
	if rapid.Bool().Draw(t, "protect") {
		r.Protect = []string{"account:writer2"}
	}
	return r
}

// random draws the rules and what the target is like.
func (r *rig) random(t *rapid.T) {
	r.rules = randomRules(t)
	if !rapid.Bool().Draw(t, "passwords") {
		return
	}
	r.rules.Password = Password{Generate: true, OnReturn: rapid.Bool().Draw(t, "on return")}
	if rapid.Bool().Draw(t, "password first") {
		r.caps = r.mem.PasswordFirst().Describe()
	}
}

// TestLaw03Pure: shuffled input gives the same plan and the same judgement, byte
// for byte, and nothing in the input is changed.
func TestLaw03Pure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.random(t)
		full := rapid.Bool().Draw(t, "full")
		for range 3 {
			shake(t, r)
			in := r.answer(r.input(full))
			in.Targets = append(in.Targets, Target{Name: "other", Rules: r.rules, Description: r.caps, New: true, Entitlements: r.ents})
			book := Book{Now: r.now, Targets: in.Targets, Spends: r.spends, Holds: r.holds, FirstFreeHold: r.next}
			before, mixed := bytesOf(t, in), shuffled(in, rapid.Uint64().Draw(t, "seed"))
			p := Make(in)
			v := Judge(p, book)
			if got := bytesOf(t, in); got != before {
				t.Fatalf("the input was changed:\n%s\n%s", before, got)
			}
			book2 := book
			book2.Targets = mixed.Targets
			book2.Holds, book2.Spends = slices.Clone(book.Holds), slices.Clone(book.Spends)
			slices.Reverse(book2.Holds)
			slices.Reverse(book2.Spends)
			q := Make(mixed)
			w := Judge(q, book2)
			if !reflect.DeepEqual(p, q) {
				t.Fatalf("shuffled input gave another plan:\n%v\n%v", bytesOf(t, p), bytesOf(t, q))
			}
			if !reflect.DeepEqual(v, w) {
				t.Fatalf("shuffled input gave another verdict:\n%+v\n%+v", v, w)
			}
			if a, b := textOf(t, p, v), textOf(t, q, w); a != b {
				t.Fatalf("another text:\n%s\n%s", a, b)
			}
			r.cycle(full)
		}
	})
}

func shuffled(in Input, seed uint64) Input {
	rng := rand.New(rand.NewPCG(seed, 1))
	in.People, in.Targets, in.Sources = slices.Clone(in.People), slices.Clone(in.Targets), slices.Clone(in.Sources)
	rng.Shuffle(len(in.People), func(i, j int) { in.People[i], in.People[j] = in.People[j], in.People[i] })
	rng.Shuffle(len(in.Targets), func(i, j int) { in.Targets[i], in.Targets[j] = in.Targets[j], in.Targets[i] })
	for i := range in.Targets {
		t := &in.Targets[i]
		t.Accounts, t.Entitlements = slices.Clone(t.Accounts), slices.Clone(t.Entitlements)
		rng.Shuffle(len(t.Accounts), func(i, j int) { t.Accounts[i], t.Accounts[j] = t.Accounts[j], t.Accounts[i] })
		rng.Shuffle(len(t.Entitlements), func(i, j int) { t.Entitlements[i], t.Entitlements[j] = t.Entitlements[j], t.Entitlements[i] })
	}
	return in
}

func bytesOf(t tb, v any) string {
	if in, is := v.(Input); is { // functions have no bytes
		v = []any{in.Now, in.People, in.Sources, in.Targets[0].Accounts, in.Targets[0].Entitlements, in.Targets[0].Owners, in.Targets[0].Rules}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}

func textOf(t tb, p Plan, v Verdict) string {
	var b bytes.Buffer
	if err := Text(&b, p, v, TextOptions{Verbose: true}); err != nil {
		t.Fatalf("%v", err)
	}
	if err := JSON(&b, p, v); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// TestLaw05OnlyWhatIsOurs: no sequence of cycles changes an account that is not
// ours, a break-glass account, or a protected one.
func TestLaw05OnlyWhatIsOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.random(t)
		boundless(r)
		for range 4 {
			shake(t, r)
			before := map[target.NativeID]target.Account{}
			for _, a := range r.mem.Accounts() {
				before[a.ID] = a
			}
			ours := map[target.NativeID]bool{}
			for _, l := range r.links {
				ours[l.Account] = true
			}
			_, v := r.cycle(rapid.Bool().Draw(t, "full"))
			for _, o := range slices.Concat(v.Cleared.Waves("wiki")...) {
				if o.Change.Verb == target.Link && o.Change.Account != "" {
					ours[o.Change.Account] = true
				}
			}
			g := newGuards(r.rules)
			after := map[target.NativeID]target.Account{}
			for _, a := range r.mem.Accounts() {
				after[a.ID] = a
			}
			for id, a := range before {
				untouchable := !ours[id] || g.breakGlass(a.Name, a.Entitlements) != "" || g.protected(a.Name, a.Entitlements) != ""
				if b, there := after[id]; untouchable && (!there || !reflect.DeepEqual(a, b)) {
					t.Fatalf("%+v was changed to %+v (there: %v)", a, b, there)
				}
			}
		}
	})
}

// TestLaw06DisableFirst: whoever left, and is not held back, ends without any
// right that the policy can name and disabled; whoever is unknown or invalid
// loses nothing; nothing is deleted that was not closed before.
func TestLaw06DisableFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		boundless(r)
		r.rules.Leaver.Delete = map[string]string{"gone": "1s"}
		for range 4 {
			shake(t, r)
			before := map[identity.Ordinal]ledger.Link{}
			accounts := map[target.NativeID]target.Account{}
			for who, l := range r.links {
				before[who] = l
			}
			for _, a := range r.mem.Accounts() {
				accounts[a.ID] = a
			}
			full := rapid.Bool().Draw(t, "full")
			p, v := r.cycle(full)
			for _, o := range slices.Concat(v.Cleared.Waves("wiki")...) {
				if o.Change.Verb == target.Delete && before[o.Change.Person].Phase != ledger.Closed {
					t.Fatalf("%s: its phase was %s", Words(o.Change), before[o.Change.Person].Phase)
				}
			}
			for i, s := range p.Subjects {
				a := r.seen(int(s.Person))
				// What others do to a closed account is the resync's to find.
				looked := full || before[s.Person].Phase == ledger.Open
				switch {
				case looked && s.Situation.Leaver() && v.Subjects[i].Stage != Held && a != nil && r.links[s.Person].Phase != ledger.Deleted:
					if a.Enabled || len(a.Entitlements) > 0 && len(s.Changes) > 0 {
						t.Fatalf("%s is %s and has %+v", s.Login, s.Situation, a)
					}
				case s.Situation == Unknown || s.Situation == Invalid || s.Situation == InDoubt:
					if l := before[s.Person]; l.Account != "" {
						if was, there := accounts[l.Account]; there && (a == nil || !reflect.DeepEqual(was, *a)) {
							t.Fatalf("%s is %s; %+v became %+v", s.Login, s.Situation, was, a)
						}
					}
				}
			}
		}
	})
}

// TestLaw10OneBadApple: one person who cannot be mapped or written changes
// nothing for the others, and loses nothing.
func TestLaw10OneBadApple(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.staff(6)
		for i := 2; i <= 6; i++ {
			r.attribute(i, "title", rapid.SampledFrom([]string{"Writer", "Author"}).Draw(t, "title"))
			r.roles(i, rapid.SampledFrom([]string{"Readers", "Writers"}).Draw(t, "right"))
		}
		p, _ := r.plan(true)
		clean := map[identity.Ordinal]Subject{}
		for _, s := range p.Subjects {
			clean[s.Person] = s
		}
		was := *r.seen(1)
		switch rapid.IntRange(0, 3).Draw(t, "bad") {
		case 0:
			r.people[1].Desired.Invalid = []string{"employeeType is blank"}
		case 1:
			r.account(1).Invalid = "mail is blank"
		case 2:
			r.name(1, "")
			r.mem.Drop(r.links[1].Account)
			was = target.Account{}
		case 3:
			r.name(1, "writer2")
			was.Name = "writer1"
		}
		r.roles(1)
		if rapid.Bool().Draw(t, "keeps") {
			r.roles(1, "Writers")
		}
		p, v := r.cycle(true)
		for _, s := range p.Subjects {
			if s.Person == 1 {
				if s.Park == nil {
					t.Fatalf("%s is not parked: %+v", s.Login, s)
				}
				continue
			}
			if !reflect.DeepEqual(s, clean[s.Person]) {
				t.Fatalf("%s was planned as %+v, and beside a bad apple as %+v", s.Login, clean[s.Person], s)
			}
		}
		if !v.Parked() {
			t.Fatalf("nothing says that somebody is parked")
		}
		if a := r.seen(1); a != nil && (a.Enabled != was.Enabled || a.Name != was.Name) {
			t.Fatalf("%+v became %+v", was, a)
		}
	})
}

// TestLaw11Idempotent: what was applied is not planned again, incremental or
// full, whatever happened before.
func TestLaw11Idempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.random(t)
		boundless(r)
		for range 4 {
			shake(t, r)
			// A name may have to wait for another that is parked, and a deletion
			// for the closing: each cycle gets nearer.
			r.cycle(true)
			for range 3 {
				r.now = r.now.Add(day)
				r.sources[0].LastComplete = r.now
				r.cycle(true)
			}
			for _, full := range []bool{true, false} {
				p, v := r.plan(full)
				if v.Pending() {
					t.Fatalf("full %v: still to do: %s", full, textOf(t, p, v))
				}
				if full {
					for _, s := range p.Subjects {
						if s.Link != nil {
							t.Fatalf("%s: the link is corrected again: %+v, was %+v", s.Login, *s.Link, r.links[s.Person])
						}
					}
				}
			}
			for _, l := range r.links {
				if l.Owed && l.Phase == ledger.Open && r.seen(int(l.Person)) != nil && r.inSync(l.Person) {
					t.Fatalf("%s is in sync, and has no password: %+v", l.Name, l)
				}
			}
			v1, h1 := versions(r.holds)
			r.cycle(true)
			if v2, h2 := versions(r.holds); v1 != v2 || h1 != h2 {
				t.Fatalf("holds moved: %s %s, then %s %s", v1, h1, v2, h2)
			}
		}
	})
}

func versions(holds []ledger.Hold) (string, string) {
	var ids, versions []string
	for _, h := range holds {
		ids, versions = append(ids, h.ID), append(versions, h.Version())
	}
	return fmt.Sprint(ids), fmt.Sprint(versions)
}

// Whatever is not held or parked converges on what is wanted.
func TestConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		boundless(r)
		r.rules.Drift.Extra, r.rules.Drift.Missing = revoke, recreate
		for range 3 {
			shake(t, r)
		}
		r.cycle(true)
		p, v := r.cycle(true)
		for i, s := range p.Subjects {
			if s.Situation != InSync || v.Subjects[i].Stage != Done {
				continue
			}
			a, want := r.seen(int(s.Person)), r.account(int(s.Person))
			var names []string
			for _, e := range want.Entitlements {
				if len(e.Roles) > 0 || slices.Contains(a.Entitlements, e.Name) {
					names = append(names, e.Name)
				}
			}
			if a.Name != want.Name || !slices.Equal(a.Entitlements, names) {
				t.Fatalf("%s is in sync with %+v and should have %+v", s.Login, a, want)
			}
		}
	})
}

// inSync says whether nothing is left to do for somebody.
func (r *rig) inSync(who identity.Ordinal) bool {
	p, v := r.plan(true)
	for i, s := range p.Subjects {
		if s.Person == who {
			return s.Situation == InSync && v.Subjects[i].Stage == Done
		}
	}
	return false
}
