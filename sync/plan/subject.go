package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// matter is one person in one target while it is decided.
type matter struct {
	*desk
	p    *Person
	seen Seen
	// want is what the policy says; nil: nothing.
	want *mapping.Account
	// link is the link of an account that is there, as far as we know.
	link *ledger.Link
	// looked: the target answered. account is the linked account that it
	// showed; nil: it is not there.
	looked  bool
	account *target.Account
	// named: the account's name is settled, where it has to be unique.
	named bool
	s     Subject
}

// subject finds the situation, the first that applies, and the changes.
func (d *desk) subject(p *Person) Subject {
	m := &matter{desk: d, p: p, seen: p.Seen[d.t.Name], want: wanted(p.Desired.Accounts, d.t.Name)}
	m.s = Subject{Target: d.t.Name, Person: p.Ordinal, Login: called(p)}
	m.read()
	m.decide()
	m.finish()
	return m.s
}

// read puts link and observation beside each other.
func (m *matter) read() {
	if l := m.seen.Link; l != nil && l.Phase != ledger.Deleted {
		m.link = l
		m.s.Account = l.Name
	}
	if m.in.Assumed {
		m.assume()
		return
	}
	o := m.seen.Observed
	if o == nil || !o.Read.Valid() {
		return
	}
	m.looked = true
	if m.seen.Link == nil {
		return
	}
	for i := range o.Accounts {
		if o.Accounts[i].ID == m.seen.Link.Account {
			m.account = &o.Accounts[i]
		}
	}
	switch {
	case m.link == nil && m.account != nil:
		// We deleted it, and it is there again: it is ours to close.
		back := *m.seen.Link
		back.Phase = ledger.Closed
		if m.account.Enabled {
			back.Phase = ledger.Open
		}
		m.link = &back
	case m.link != nil && m.account == nil && len(o.Accounts) > 0:
		// An answer to another question than whether the linked account is there.
		m.looked = false
	}
	if m.account != nil {
		m.s.Account = m.account.Name
	}
}

func (m *matter) decide() {
	if m.seen.InDoubt {
		m.s.Situation, m.s.unread = InDoubt, true
		m.s.Why = "a change was sent and its outcome is not known"
		m.s.Look = m.query()
		return
	}
	standing := m.p.Desired.Standing
	m.s.Why = cmp.Or(m.p.Desired.Why, m.p.Why)
	switch {
	case m.p.Denial != nil:
		// A denial by hand needs no reading, so that nothing is unknown.
		m.s.Why = "offboarded"
		if m.p.Denial.By != "" {
			m.s.Why += " by " + m.p.Denial.By
		}
		if m.p.Denial.Reason != "" {
			m.s.Why += ": " + m.p.Denial.Exception().Why()
		}
		if m.p.Denial.Until.Set() {
			m.s.Why += ", " + m.p.Denial.Exception().End()
		}
	case m.p.Desired.Person == m.p.Ordinal && m.denied() != "":
		m.s.Why = m.denied()
	case m.p.Desired.Person != m.p.Ordinal:
		m.unknown("nothing was worked out for the person")
		return
	case m.barred():
		m.s.Why = rulesOf(m.want.Barred)
	case standing == identity.Unknown:
		m.doubted()
		m.deprive()
		return
	}
	if m.ignored() {
		return
	}
	switch {
	case m.p.Denial != nil, m.p.Desired.Person == m.p.Ordinal && m.denied() != "":
		m.leave(Offboarded, "", "")
	case m.barred():
		m.leave(Offboarded, "", "") // nothing is deleted of somebody who cannot be worked out
	case standing == identity.Gone:
		m.leave(Gone, "", "")
	case standing == identity.PresumedGone:
		m.leave(PresumedGone, "", "")
	case standing == identity.Disabled:
		m.leave(Disabled, "", "")
	case standing == identity.OutOfScope:
		m.leave(OutOfScope, "", "")
	case standing == identity.NotYet:
		m.notYet()
	case len(m.p.Desired.Invalid) > 0:
		m.invalid(strings.Join(m.p.Desired.Invalid, "; "))
		m.deprive()
	case m.want == nil:
		m.unknown("the policy says nothing of this target")
	case !m.want.Entitled && m.want.Doubt.Rule == string(RuleGroup) && m.link != nil:
		m.s.Why = m.want.Doubt.Text
		m.leave(Unentitled, RuleGroup, m.want.Doubt.Text)
	case !m.want.Entitled && m.want.Doubt.Any():
		m.unknown(m.want.Doubt.Text)
	case !m.want.Entitled:
		m.s.Why = m.unentitled()
		m.leave(Unentitled, "", "")
	case m.want.Invalid != "":
		m.invalid(m.want.Invalid)
		m.deprive()
	case m.link == nil:
		m.join()
	default:
		m.have()
	}
}

// unknown keeps everything as it is, earlier holds too.
func (m *matter) unknown(why string) {
	m.s.Situation, m.s.unread = Unknown, true
	m.s.Why = cmp.Or(why, m.s.Why)
}

// doubted is somebody of whom the read proves nothing. What only a person can
// settle is held for one.
func (m *matter) doubted() {
	switch m.p.Doubt {
	case identity.Rekeyed:
		m.unknown("")
		m.s.Situation, m.s.Held = Rekeyed, "rekeyed"
	case identity.SharedKey:
		m.unknown("")
		m.s.Held = "shared-key"
	case identity.Blackout:
		if m.link == nil || m.ignored() {
			m.unknown("")
			return
		}
		m.leave(Unknown, RuleBlackout, m.blackout())
	default:
		m.unknown("")
	}
}

func (m *matter) blackout() string {
	text := "everybody in one place vanished at once"
	if b := m.sources[m.p.Key.Source].Blackouts; len(b) > 0 {
		text = "everybody under " + strings.Join(slices.Sorted(slices.Values(b)), " and ") + " vanished at once"
	}
	return text
}

// ignored says whether this is a break-glass account, by what we know of it.
func (m *matter) ignored() bool {
	name, held := m.s.Account, []string(nil)
	if m.link != nil {
		for _, g := range m.link.Granted {
			held = append(held, g.Entitlement)
		}
	} else if m.want != nil && m.want.Entitled {
		name = m.want.Name
	}
	if m.account != nil {
		held = append(held, m.account.Entitlements...)
	}
	rule := m.guards.breakGlass(name, held)
	if rule == "" && m.link != nil {
		rule = m.guards.breakGlass(m.link.Name, nil)
	}
	if rule == "" {
		return false
	}
	m.s.Situation, m.s.Why = Ignored, "break_glass = "+rule
	return true
}

// invalid keeps the last good state.
func (m *matter) invalid(why string) {
	m.s.Situation, m.s.Why, m.s.unread = Invalid, why, true
	m.park("map attributes", "invalid", why, "correct the entry in the directory, or the rule in the file", time.Time{})
}

// park says that something cannot be done now. A zero next waits for somebody.
func (m *matter) park(subject, class, text, hint string, next time.Time) {
	m.s.Park = parked(m.t.Name, m.p.Ordinal, m.seen.Parked, m.in.Now, subject, class, text, hint, next)
}

func parked(name string, who identity.Ordinal, before *ledger.Parked, now time.Time, subject, class, text, hint string, next time.Time) *ledger.Parked {
	p := &ledger.Parked{Target: name, Person: who, Subject: subject, Class: class, Error: text, Hint: hint,
		Attempts: 1, Since: now, Next: next}
	if before != nil && before.Subject == subject {
		p.Attempts, p.Since = before.Attempts+1, before.Since
	}
	return p
}

// query asks for the account: the linked one, or what correlates.
func (m *matter) query() *target.Query {
	if m.link != nil && m.link.Account != "" {
		return &target.Query{ID: m.link.Account}
	}
	if l := m.seen.Link; l != nil && l.Account != "" && (m.want == nil || !m.want.Entitled) {
		return &target.Query{ID: l.Account}
	}
	q := &target.Query{}
	if m.want == nil {
		return q
	}
	named := false
	for _, w := range m.want.Match {
		if w.Value == "" {
			continue
		}
		q.Match = append(q.Match, target.Match{Attribute: w.Attribute, Value: w.Value})
		named = named || w.Attribute == m.t.Description.NameAttribute
	}
	if !named && m.want.Name != "" && m.want.Unique == nil {
		q.Match = append(q.Match, target.Match{Attribute: m.t.Description.NameAttribute, Value: m.want.Name})
	}
	return q
}

// look asks for a look if nobody looked yet.
func (m *matter) look() {
	if !m.looked {
		m.s.Look = m.query()
	}
}

// waits says whether something is held or failed, due or not: the link does not
// tell what.
func (m *matter) waits() bool { return m.seen.Waits || m.seen.Parked != nil }

// Unverified is the class of what a target said it did and does not show.
const Unverified = "unverified"

// unverified says whether something of ours there was not seen: what differs
// is then not known to be somebody else's doing.
func (m *matter) unverified() bool { return m.seen.Parked != nil && m.seen.Parked.Class == Unverified }

// retry says whether a failed change is due again.
func (m *matter) retry() bool {
	return m.seen.Parked != nil && !m.seen.Parked.Next.After(m.in.Now)
}

func (m *matter) note(format string, args ...any) {
	m.s.Notes = append(m.s.Notes, fmt.Sprintf(format, args...))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// change plans one change of the account.
func (m *matter) change(c Planned) {
	c.Change.Target, c.Change.Person = m.t.Name, m.p.Ordinal
	if c.Change.Verb != target.Create && c.Change.Account == "" && m.account != nil {
		c.Change.Account = m.account.ID
		if c.Change.Name == "" {
			c.Change.Name = m.account.Name
		}
	}
	c.Key = c.Change.Key()
	m.conflict(&c)
	if c.Because == nil {
		c.Because = explain(c.Reasons)
	}
	m.s.Changes = append(m.s.Changes, c)
}

// finish applies what holds for every situation.
func (m *matter) finish() {
	if m.s.Look != nil && m.t.Down != "" {
		m.s.Look, m.s.unread = nil, true
		m.park("look at the account", target.Transient.String(), m.t.Down, "see: rosterd check", later(m.in.Now, m.t.DownUntil))
	}
	if len(m.s.Names) > 0 && m.t.Down != "" {
		m.s.Names = nil
		m.park("look for a free name", target.Transient.String(), m.t.Down, "see: rosterd check", later(m.in.Now, m.t.DownUntil))
		m.s.Changes, m.s.unread = nil, true
	}
	if m.s.Look != nil || len(m.s.Names) > 0 {
		m.s.Changes, m.s.unread = nil, true
	}
	m.backOff()
	slices.Sort(m.s.Notes)
	m.s.Notes = slices.Compact(m.s.Notes)
}

// backOff marks what failed and is not due yet. A resync, or somebody who names
// the person, does not wait.
func (m *matter) backOff() {
	if m.seen.Parked == nil || m.in.Full || m.p.Named || m.retry() {
		return
	}
	for i := range m.s.Changes {
		c := &m.s.Changes[i]
		c.Parked = Words(c.Change) == m.seen.Parked.Subject || c.follows && m.s.Changes[0].Parked
	}
}
