package mapping

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Resolve says what the person should have, and why. The result shares memory
// with the policy and the subject: nobody may change it.
func (p *Policy) Resolve(s Subject) Desired {
	d, _ := p.resolve(s)
	return d
}

// resolve also tells whether something asked for the instant.
func (p *Policy) resolve(s Subject) (d Desired, dated bool) {
	sc := p.scope(s)
	x := p.excepts(s)
	held := p.hold(sc, x)
	d = Desired{Person: s.Person.Ordinal, Standing: s.Person.Standing, Why: s.Person.Why, Since: s.Person.Since}
	p.stand(&d, s, sc)
	count := 0
	for i := range held {
		if held[i].yes {
			count++
		}
	}
	d.Roles = make([]Held, 0, count)
	for i := range held {
		switch h := &held[i]; {
		case h.yes:
			d.Roles = append(d.Roles, Held{Role: p.roles[i].name, Because: h.because})
		case h.why != nil:
			d.Doubts = append(d.Doubts, Doubtful{Role: p.roles[i].name, Doubt: h.why.doubt()})
		}
	}
	d.Accounts = make([]Account, len(p.targets))
	for i := range p.targets {
		d.Accounts[i] = p.targets[i].account(held, p.roleNames, sc, d.Standing)
	}
	x.tell(&d, p, sc)
	p.deprive(&d, held, sc, x)
	d.Conflicts, d.Apart = p.Conflicts(d), p.apart(d)
	d.Next = sc.next
	return d, sc.dated
}

// stand applies what the policy says of people in the source: who counts as
// disabled, or has not begun, and who cannot be decided.
func (p *Policy) stand(d *Desired, s Subject, sc *scope) {
	src := p.sources[s.Person.Key.Source]
	p.timely(d, s, src.dates, sc)
	if src.disabled != nil && d.Standing == identity.Active {
		switch v := src.disabled.decide(sc); {
		case v.why != nil:
			d.Invalid = append(d.Invalid, "disabled cannot be decided: "+v.why.text)
		case v.yes:
			d.Standing, d.Why = identity.Disabled, "disabled: "+src.disabled.because(sc)
		}
	}
	if d.Standing.Left() || d.Standing == identity.NotYet {
		return
	}
	if s.Person.Doubt == identity.SharedKey {
		d.Invalid = append(d.Invalid, sharedKey)
	}
	for _, r := range src.required {
		switch sl := &sc.slots[r.slot]; {
		case sl.presence == identity.NotRead:
			d.Invalid = append(d.Invalid, "the required attribute "+r.name+" was not read")
		case !slices.ContainsFunc(sl.values, func(v string) bool { return strings.TrimSpace(v) != "" }):
			d.Invalid = append(d.Invalid, "the required attribute "+r.name+" is blank")
		}
	}
}

const sharedKey = "another entry has the same key"

// timely applies the dates of somebody who is in the source. One of whom another
// carries the key is in doubt, and not in whether their time is over.
func (p *Policy) timely(d *Desired, s Subject, dates []date, sc *scope) {
	doubted := d.Standing == identity.Unknown && s.Person.Doubt == identity.SharedKey
	if d.Standing != identity.Active && d.Standing != identity.Disabled && !doubted {
		return
	}
	v := s.Person.Validity.And(p.validity(dates, sc))
	for _, b := range []*identity.Bound{&v.From, &v.Until} {
		if b.Set() {
			b.At = b.At.In(p.zone) // as people here write it
		}
	}
	d.Validity = v
	if v.IsZero() || d.Standing == identity.Disabled {
		return
	}
	is := v.At(s.Now)
	sc.dated = true
	sc.flips(is.Next)
	if doubted && is.Standing != identity.Disabled {
		return
	}
	d.Standing = is.Standing
	if is.Since.After(d.Since) {
		d.Since = is.Since
	}
	if is.Standing == identity.Active {
		d.Invalid = append(d.Invalid, v.Unread...)
		return
	}
	d.Why = is.Why
}

// scope looks up what the expressions may ask for.
func (p *Policy) scope(s Subject) *scope {
	sc := &scope{now: s.Now, slots: make([]slot, len(p.slots)), groups: make([]groupState, len(p.groups)), references: s.References}
	for i, name := range p.slots {
		sl := &sc.slots[i]
		sl.values, sl.presence = s.Person.Attributes.Get(name)
	}
	for i, at := range p.groupOrder {
		sc.groups[at].why = p.unpinned[i]
	}
	for i, pin := range s.Pins {
		at, ok := p.pinned(i, pin.Written)
		if !ok {
			continue
		}
		g := groupState{}
		for _, m := range s.Memberships {
			if m.Group == pin.Group && pin.Group.Valid() {
				g.yes, g.path = true, m.Path
				break
			}
		}
		if !g.yes && !pin.Status.Sound() {
			g.why = &fault{faultGroup, "the group " + pin.Written + " " + pinText(pin.Status)}
		}
		sc.groups[at] = g
	}
	return sc
}

// pinned is the place of a pin's group in the scope. Pins come in the order of
// Groups as a rule.
func (p *Policy) pinned(i int, written string) (int, bool) {
	if i < len(p.groups) && p.groups[i] == written {
		return p.groupOrder[i], true
	}
	at, ok := p.groupIndex[written]
	return at, ok
}

func pinText(s ledger.PinStatus) string {
	switch s {
	case ledger.PinMissing:
		return "is missing"
	case ledger.PinEmptied:
		return "has lost all its members"
	case ledger.PinReplaced:
		return "was replaced by another of that name"
	}
	return "is " + s.String()
}

// holding is what is known of the person in one role.
type holding struct {
	verdict
	// own are the reasons of the role's own rules, if those give it.
	own     []Reason
	because []Reason
}

// hold decides every role. What a role depends on is decided before it.
func (p *Policy) hold(sc *scope, x *excepts) []holding {
	held := make([]holding, len(p.roles))
	for _, i := range p.order {
		r, h := &p.roles[i], &held[i]
		h.verdict = r.own(sc)
		if h.yes {
			h.own = r.reasons(sc)
		}
		if by := x.granted(i); len(by) > 0 {
			h.verdict, h.own = verdict{yes: true}, slices.Concat(h.own, by)
		}
		for _, parent := range r.includedBy {
			h.verdict = h.or(held[parent.role].verdict)
		}
		for _, other := range r.requires {
			h.verdict = h.and(held[other.role].verdict)
		}
		for _, other := range r.excludedBy {
			h.verdict = h.and(held[other.role].not())
		}
		if len(x.denied(i)) > 0 || !h.no() && !r.term.holds(sc) {
			h.verdict = verdict{}
		}
		if h.yes {
			h.because = p.chain(held, i)
		}
	}
	return held
}

// own is what the role's groups and condition say.
func (r *role) own(sc *scope) verdict {
	if !r.grouped && r.when == nil {
		return verdict{yes: r.birthright}
	}
	v := verdict{yes: true}
	if r.grouped {
		v = verdict{}
		for _, g := range r.groups {
			v = v.or(sc.groups[g.group].verdict)
		}
	}
	if r.when != nil && !v.no() {
		v = v.and(r.when.decide(sc))
	}
	return v
}

// reasons are those of the role's own rules: every group, and the condition.
func (r *role) reasons(sc *scope) []Reason {
	size := 1
	for _, g := range r.groups {
		if sc.groups[g.group].yes {
			size++
		}
	}
	out := make([]Reason, 0, size)
	for _, g := range r.groups {
		state := &sc.groups[g.group]
		if !state.yes {
			continue
		}
		reason := g.reason
		if reason.Path = state.path; len(state.path) > 1 {
			reason.Text += " through "
			for i, step := range state.path[:len(state.path)-1] {
				if i > 0 {
					reason.Text += ", "
				}
				reason.Text += step.Name
			}
		}
		out = append(out, reason)
	}
	if r.when != nil {
		reason := r.because
		reason.Text = r.when.because(sc)
		out = append(out, reason)
	}
	if r.birthright {
		out = append(out, r.because)
	}
	return out
}

// chain is every reason why a role is held: its own, then the roles that
// include it with theirs, each role once, and what each of these requires and its
// dates.
func (p *Policy) chain(held []holding, i int) []Reason {
	r := &p.roles[i]
	if len(r.includedBy) == 0 && len(r.requires) == 0 && r.term.isZero() {
		return held[i].own
	}
	out := make([]Reason, 0, 6)
	seen := make([]bool, len(held))
	var walk func(i int)
	walk = func(i int) {
		seen[i] = true
		out = append(out, held[i].own...)
		out = append(out, p.roles[i].term.reasons()...)
		for _, s := range p.roles[i].requires {
			out = append(out, s.reason)
		}
		for _, s := range p.roles[i].includedBy {
			if !held[s.role].yes {
				continue
			}
			out = append(out, s.reason)
			if !seen[s.role] {
				walk(s.role)
			}
		}
	}
	walk(i)
	return out
}
