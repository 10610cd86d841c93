package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Password is [target.NAME.initial_password], as far as it is policy: whether new
// accounts get a password from us, and what it is like.
type Password struct {
	Generate bool `toml:"generate"`
	// Length in characters; 0: DefaultLength.
	Length int `toml:"length"`
	// MustChange: who logs in with it has to choose another.
	MustChange bool `toml:"must_change"`
	// OnReturn: who comes back to an account that was closed gets another.
	OnReturn bool `toml:"on_return"`
}

// The lengths that a password may have.
const (
	DefaultLength = 24
	minLength     = 20
	maxLength     = 128
)

func (p Password) validate(path []string, report problem.Report) {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	if p.Length != 0 && (p.Length < minLength || p.Length > maxLength) {
		report.At(at("length"), fmt.Sprintf("must be from %d to %d", minLength, maxLength), fmt.Sprintf("leave it out for %d", DefaultLength))
	}
	if !p.Generate && (p.Length != 0 || p.MustChange || p.OnReturn) {
		report.At(path, "no password is made, so nothing else of it means anything", "write generate = true, or leave the table out")
	}
}

// Chars is how long a password is.
func (p Password) Chars() int { return cmp.Or(p.Length, DefaultLength) }

// suits reports what the file asks of passwords that a target cannot do.
func (p Password) suits(d target.Description, path []string, report problem.Report) {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	switch {
	case p.Generate && !d.Passwords:
		report.At(at("generate"), fmt.Sprintf("no password can be set in this target of kind %s", d.Kind), "docs/passwords.md says where one can, and what that needs")
	case !p.Generate && d.PasswordFirst:
		report.At(append(slices.Clone(path[:len(path)-1]), "kind"), "new accounts here are closed until they have a password, and nobody sets one",
			"write generate = true in its initial_password, or say how they are open without one: without_password")
	case p.Generate && p.MustChange && !d.MustChange:
		report.At(at("must_change"), fmt.Sprintf("this target of kind %s cannot ask for another password", d.Kind), "leave it out; docs/passwords.md says where it can, and what that needs")
	}
}

// passwords says whether accounts that we make here get a password from us.
func (d *desk) passwords() bool { return d.t.Rules.Password.Generate && d.t.Description.Passwords }

// firstPassword plans what a new account still needs before somebody can use it. All
// else comes before it, so that one who has the password finds everything there.
func (m *matter) firstPassword() {
	opens := Planned{Change: target.Change{Verb: target.Enable, Name: m.want.Name}, Reasons: m.want.Because, follows: true, opening: true}
	if m.passwords() {
		p := m.password()
		p.follows = true
		p.Change.Name = m.want.Name
		m.change(p)
		opens.After = []target.Key{m.last().Key}
	}
	if m.t.Description.PasswordFirst {
		m.change(opens)
	}
}

func (m *matter) password() Planned {
	return Planned{Change: target.Change{Verb: target.SetPassword}, Because: []string{"the account has no password that anybody knows"}}
}

func (m *matter) last() *Planned { return &m.s.Changes[len(m.s.Changes)-1] }

// unopened says whether the account was made closed, and never opened since.
func unopened(l *ledger.Link) bool { return l.Phase == ledger.Closed && l.Cause == ledger.Unopened }

// openFirst opens an account that was made closed. What its creation brings needs no
// limit of its own.
func (m *matter) openFirst(d *difference) {
	d.changed = true
	opens := Planned{Change: target.Change{Verb: target.Enable}, Reasons: m.want.Because, opening: true}
	if d.link.Owed && m.passwords() {
		m.change(m.password())
		opens.After = []target.Key{m.last().Key}
	}
	m.change(opens)
}

// owed plans the password of an account that is open, or about to be, and for which
// none was handed over. It is ours to set only where we made the account.
func (m *matter) owed(d *difference, returned bool) {
	if !m.passwords() || d.link.Owner != ledger.Created || unopened(&d.link) {
		return
	}
	enabling := slices.IndexFunc(m.s.Changes, func(c Planned) bool { return c.Change.Verb == target.Enable })
	renew := returned && m.t.Rules.Password.OnReturn && enabling >= 0
	switch {
	case !d.link.Owed && !renew, enabling < 0 && d.link.Phase != ledger.Open:
		return
	}
	d.changed = true
	p := m.password()
	if renew {
		p.Because = []string{"the account was closed, and who comes back gets another password"}
	}
	switch {
	case enabling < 0:
		m.change(p)
	case d.link.Owed && m.t.Description.PasswordFirst:
		// It left before it ever had one, and cannot be opened without.
		p.With = m.s.Changes[enabling].Key
		m.change(p)
		m.s.Changes[enabling].After = append(m.s.Changes[enabling].After, m.last().Key)
	default:
		m.s.Changes[enabling].Owed = true // whatever happens between the two
		p.After, p.follows = []target.Key{m.s.Changes[enabling].Key}, true
		m.change(p)
	}
}

// owes says whether a look is needed to set a password that is owed.
func (m *matter) owes(l *ledger.Link) bool {
	return unopened(l) || l.Owed && m.passwords() && l.Owner == ledger.Created && l.Phase == ledger.Open
}
