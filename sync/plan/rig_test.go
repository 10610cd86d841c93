package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// noon is when tests begin.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// tb is what both testing.T and rapid.T are.
type tb interface {
	Helper()
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// rig is a small world round the plan: people, one target in memory, and what
// the state would remember.
type rig struct {
	t      tb
	now    time.Time
	mem    *memory.Target
	rules  Rules
	caps   target.Description
	fresh  bool // the target is new
	paused string
	// restored is why the state may be old.
	restored string
	down     string
	ents     []string
	people   map[identity.Ordinal]*Person
	links    map[identity.Ordinal]ledger.Link
	holds    []ledger.Hold
	spends   []ledger.Spend
	parked   map[identity.Ordinal]ledger.Parked
	next     int
	sources  []Source
	protect  bool
	// release names who is released.
	release identity.Ordinal
	doubt   identity.Ordinal
	fail    func(target.Change) bool
}

func newRig(t tb) *rig {
	mem, err := memory.New(memory.Config{}, "wiki")
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &rig{t: t, now: noon, mem: mem, rules: DefaultRules(), caps: mem.Describe(),
		ents: []string{"Admins", "Publishers", "Readers", "Writers"}, people: map[identity.Ordinal]*Person{},
		links: map[identity.Ordinal]ledger.Link{}, parked: map[identity.Ordinal]ledger.Parked{}, next: 1,
		sources: []Source{{Name: "corp", LastComplete: noon, People: 10, Peak: 10}}}
}

// hire adds an active person who should have an account with these
// entitlements, each from a role of the same name.
func (r *rig) hire(n int, ents ...string) *Person {
	who := identity.Ordinal(n)
	login := fmt.Sprintf("writer%d", n)
	p := &Person{Person: identity.Person{Ordinal: who, Key: identity.Key{Source: "corp", ID: identity.ID(login)}, Login: login,
		Standing: identity.Active, Since: noon.Add(-1000 * time.Hour)}}
	p.Desired = mapping.Desired{Person: who, Standing: identity.Active, Accounts: []mapping.Account{{Target: "wiki", Entitled: true,
		Because: []mapping.Reason{{Rule: "role.employee.when", Where: "rosterd.toml:12", Text: "employee: employeeType is staff"}}}}}
	r.people[who] = p
	r.name(n, login)
	r.attribute(n, "title", "Writer")
	r.roles(n, ents...)
	r.match(n, "name", login, "report")
	return p
}

func (r *rig) account(n int) *mapping.Account {
	return &r.people[identity.Ordinal(n)].Desired.Accounts[0]
}

func (r *rig) name(n int, name string) {
	r.account(n).Name = name
	r.set(n, mapping.Attribute{Name: "name", Values: []string{name}, Mode: mapping.Enforce,
		Reason: mapping.Reason{Rule: "target.wiki.attributes.name", Where: "rosterd.toml:30", Text: "login of the person"}})
}

func (r *rig) attribute(n int, name string, values ...string) {
	r.set(n, mapping.Attribute{Name: name, Values: values, Mode: mapping.Enforce,
		Reason: mapping.Reason{Rule: "target.wiki.attributes." + name, Where: "rosterd.toml:31", Text: name + " of the person"}})
}

func (r *rig) set(n int, a mapping.Attribute) {
	acc := r.account(n)
	acc.Attributes = slices.DeleteFunc(acc.Attributes, func(x mapping.Attribute) bool { return x.Name == a.Name })
	acc.Attributes = append(acc.Attributes, a)
	slices.SortFunc(acc.Attributes, func(a, b mapping.Attribute) int { return cmp.Compare(a.Name, b.Name) })
}

func (r *rig) roles(n int, ents ...string) {
	acc := r.account(n)
	acc.Entitlements = nil
	for _, e := range slices.Sorted(slices.Values(ents)) {
		acc.Entitlements = append(acc.Entitlements, mapping.Entitlement{Name: e, Roles: []string{"role-" + e},
			Because: []mapping.Reason{{Rule: "role.role-" + e + ".groups", Where: "rosterd.toml:20", Text: "role-" + e + ": member of cn=" + e}}})
	}
}

func (r *rig) match(n int, attribute, value, adopt string) {
	r.account(n).Match = []mapping.Match{{Attribute: attribute, Value: value, Adopt: adopt}}
}

// standing moves a person.
func (r *rig) standing(n int, s identity.Standing) {
	p := r.people[identity.Ordinal(n)]
	p.Standing, p.Desired.Standing, p.Since = s, s, r.now
	p.Desired.Why = map[identity.Standing]string{identity.Gone: "tombstone found", identity.PresumedGone: "absent from two complete listings",
		identity.Disabled: "employeeType is former", identity.OutOfScope: "found at ou=left"}[s]
}

// entitled takes the account away from an active person, or gives it back.
func (r *rig) entitled(n int, yes bool) { r.account(n).Entitled = yes }

func (r *rig) target() Target {
	t := Target{Name: "wiki", Rules: r.rules, Description: r.caps, New: r.fresh, Restored: r.restored, Entitlements: r.ents, Paused: r.paused, Down: r.down,
		Holders: map[string]int{}, Owners: map[target.NativeID]identity.Ordinal{}}
	for who, l := range r.links {
		t.Owners[l.Account] = who
		if l.Phase != ledger.Open {
			continue
		}
		t.Linked++
		for _, g := range l.Granted {
			for _, role := range g.Roles {
				t.Holders[role]++
			}
		}
	}
	return t
}

// input is what the plan is made of, for these people or for all.
func (r *rig) input(full bool, only ...int) Input {
	in := Input{Now: r.now, Full: full, Protected: r.protect, Targets: []Target{r.target()}, Sources: r.sources}
	for who, p := range r.people {
		if len(only) > 0 && !slices.Contains(only, int(who)) {
			continue
		}
		copied := *p
		seen := Seen{InDoubt: r.doubt == who, Released: r.release == who}
		if l, is := r.links[who]; is {
			l = ledger.Link(l)
			seen.Link = &l
		}
		if k, is := r.parked[who]; is {
			seen.Parked = &k
		}
		copied.Seen = map[string]Seen{"wiki": seen}
		in.People = append(in.People, copied)
	}
	slices.SortFunc(in.People, func(a, b Person) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return in
}

// answer does the looks that a plan asks for.
func (r *rig) answer(in Input) Input {
	r.t.Helper()
	scope := target.Scope{Entitlements: r.ents, Attributes: []string{"name", "title", "mail", "room"}}
	if in.Full {
		l, err := target.Collect(context.Background(), r.mem, scope)
		if err != nil {
			r.t.Fatalf("%v", err)
		}
		in.Targets[0].Accounts = l.Accounts()
	}
	looks := map[identity.Ordinal]target.Query{}
	for _, s := range Make(in).Subjects {
		if s.Look != nil {
			if len(s.Changes) > 0 {
				r.t.Errorf("%s: changes before the look: %v", s.Login, s.Changes)
			}
			looks[s.Person] = *s.Look
		}
	}
	for i := range in.People {
		p := &in.People[i]
		q, asked := looks[p.Ordinal]
		if !asked {
			continue
		}
		o, err := r.mem.Look(context.Background(), scope, []target.Query{q})
		if err != nil {
			r.t.Fatalf("%v", err)
		}
		s := p.Seen["wiki"]
		s.Observed = &o[0]
		p.Seen = map[string]Seen{"wiki": s}
	}
	return in
}

// plan draws and judges, as the cycle does up to that point.
func (r *rig) plan(full bool, only ...int) (Plan, Verdict) {
	r.t.Helper()
	in := r.answer(r.input(full, only...))
	p := Make(in)
	v := Judge(p, Book{Now: r.now, Targets: in.Targets, Spends: r.spends, Holds: r.holds, FirstFreeHold: r.next})
	return p, v
}

// cycle plans, stores and applies.
func (r *rig) cycle(full bool, only ...int) (Plan, Verdict) {
	r.t.Helper()
	p, v := r.plan(full, only...)
	r.holds, r.next = v.Holds, v.NextFreeHold
	for _, s := range p.Subjects {
		if s.Link != nil {
			r.links[s.Person] = *s.Link
		}
		if s.Park != nil {
			r.parked[s.Person] = *s.Park
		} else if full {
			delete(r.parked, s.Person)
		}
	}
	r.apply(v.Cleared)
	return p, v
}

func (r *rig) apply(c Cleared) {
	r.t.Helper()
	failed := map[identity.Ordinal]bool{}
	for _, wave := range c.Waves("wiki") {
		for _, o := range wave {
			if !failed[o.Change.Person] {
				failed[o.Change.Person] = !r.do(o)
			}
		}
	}
}

// do writes one order and remembers its outcome.
func (r *rig) do(o ledger.Order) bool {
	r.t.Helper()
	ctx := context.Background()
	ch := o.Change
	l := r.links[ch.Person]
	ref := target.Ref{ID: l.Account, Name: l.Name}
	if ch.Verb == target.Link {
		ref = target.Ref{ID: ch.Account, Name: ch.Name}
	}
	one := func(errs []error) error {
		if errs == nil {
			return nil
		}
		return errs[0]
	}
	var err error
	switch {
	case r.fail != nil && r.fail(ch):
		err = fmt.Errorf("refused")
	case ch.Verb == target.Create:
		ref, err = r.mem.Create(ctx, ch.Name, ch.Set, o.Mark)
	case ch.Verb == target.Link:
		err = r.mem.Link(ctx, ref, "ours")
	case ch.Verb == target.Update:
		err = r.mem.Update(ctx, ref, ch.Set)
	case ch.Verb == target.Rename:
		ref, err = r.mem.Rename(ctx, ref, ch.Name)
	case ch.Verb == target.Enable:
		err = r.mem.Enable(ctx, ref)
	case ch.Verb == target.Disable:
		err = r.mem.Disable(ctx, ref)
	case ch.Verb == target.Delete:
		err = r.mem.Delete(ctx, ref)
	case ch.Verb == target.SetPassword:
		if l.Owner != ledger.Created || !l.Owed {
			r.t.Errorf("law 5: a password of %s is set, of an account that is not ours or needs none: %+v", ch.Name, l)
		}
		err = r.mem.SetPassword(ctx, ref, target.Password{Text: secret.NewText("Canary.4711")})
	case ch.Verb == target.Grant:
		err = one(r.mem.Grant(ctx, ch.Entitlement, []target.Ref{ref}))
	case ch.Verb == target.Revoke:
		err = one(r.mem.Revoke(ctx, ch.Entitlement, []target.Ref{ref}))
	}
	for i := range r.holds {
		if r.holds[i].ID == o.Approval && err == nil {
			r.holds[i].Approved = slices.DeleteFunc(r.holds[i].Approved, func(k target.Key) bool { return k == ch.Key() })
		}
	}
	if err != nil {
		if r.fail == nil && target.ClassOf(err) != target.Exists {
			r.t.Fatalf("%s: %v", Words(ch), err)
		}
		r.parked[ch.Person] = ledger.Parked{Target: "wiki", Person: ch.Person, Subject: Words(ch), Error: err.Error(), Attempts: 1,
			Since: r.now, Next: r.now.Add(time.Hour)}
		return false
	}
	r.spends = append(r.spends, o.Spends...)
	r.links[ch.Person] = l.After(o, ledger.Outcome{Done: true, Verified: true, Account: ref}, r.now)
	return true
}

// approve approves a hold, or the part that is about these people.
func (r *rig) approve(id string, only ...int) {
	r.t.Helper()
	for i := range r.holds {
		h := &r.holds[i]
		if h.ID != id {
			continue
		}
		for _, k := range h.Keys {
			if len(only) == 0 || slices.Contains(only, int(k.Person)) {
				h.Approved = append(h.Approved, k.Key)
			}
		}
		if len(only) == 0 {
			h.Status = ledger.Approved
			switch Rule(h.Rule) {
			case RuleFirst:
				r.fresh = false
			case RuleRestored:
				r.restored = ""
			}
		}
		h.ApprovedBy, h.Expires = "admin", r.now.Add(24*time.Hour)
		return
	}
	r.t.Fatalf("no hold %s in %v", id, r.holds)
}

func (r *rig) reject(id string) {
	for i := range r.holds {
		if h := &r.holds[i]; h.ID == id {
			h.Status = ledger.Rejected
			for _, k := range h.Keys {
				h.Refused = append(h.Refused, k.Key)
			}
		}
	}
}

// seen is the account of a person in the target.
func (r *rig) seen(n int) *target.Account {
	l, is := r.links[identity.Ordinal(n)]
	if !is {
		return nil
	}
	for _, a := range r.mem.Accounts() {
		if a.ID == l.Account {
			return &a
		}
	}
	return nil
}

// subject finds a person in a plan.
func subjectOf(t tb, p Plan, n int) Subject {
	t.Helper()
	for _, s := range p.Subjects {
		if s.Person == identity.Ordinal(n) {
			return s
		}
	}
	t.Fatalf("person %d is not in the plan", n)
	return Subject{}
}

func stageOf(t tb, p Plan, v Verdict, n int) Standing {
	t.Helper()
	for i, s := range p.Subjects {
		if s.Person == identity.Ordinal(n) {
			return v.Subjects[i]
		}
	}
	t.Fatalf("person %d is not in the plan", n)
	return Standing{}
}

// said are the changes of a subject in words.
func said(s Subject) []string {
	out := []string{}
	for _, c := range s.Changes {
		out = append(out, Words(c.Change))
	}
	return out
}

func wantWords(t tb, s Subject, words ...string) {
	t.Helper()
	if !slices.Equal(said(s), words) {
		t.Errorf("%s: changes %q, want %q", s.Login, said(s), words)
	}
}

// staff hires n people with Writers and gives them their accounts.
func (r *rig) staff(n int) {
	r.t.Helper()
	guard := r.rules.Guard
	r.rules.Guard.First = apply
	for i := 1; i <= n; i++ {
		r.hire(i, "Writers")
	}
	_, v := r.cycle(false)
	if v.Held() {
		r.t.Fatalf("hiring was held: %v", v.Holds)
	}
	r.rules.Guard = guard
	if got := r.target().Linked; got != n {
		r.t.Fatalf("%d accounts, want %d", got, n)
	}
	r.spends = nil
}

// leave makes people leave for good.
func (r *rig) leave(from, to int) {
	for i := from; i <= to; i++ {
		r.standing(i, identity.Gone)
	}
}

func holdIDs(holds []ledger.Hold) []string {
	out := []string{}
	for _, h := range holds {
		out = append(out, fmt.Sprintf("%s %s %s %d", h.ID, h.Rule, h.Status, len(h.Keys)))
	}
	return out
}
