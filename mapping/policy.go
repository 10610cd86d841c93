package mapping

import (
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Policy is a compiled configuration. It is immutable.
type Policy struct {
	attributes []string // lower case, sorted
	references []string // lower case, sorted
	groups     []string // as written, sorted
	slots      []string // attributes in the order in which expressions know them
	groupIndex map[string]int
	groupOrder []int    // the place of each of groups in a scope
	unpinned   []*fault // what to say of each of groups that has no pin
	roles      []role   // sorted by name
	roleNames  []string // of roles
	order      []int    // of roles: what a role depends on comes before it
	conflicts  []conflict
	exceptions []exception // sorted
	people     []string    // whom they name, as written, sorted
	sources    map[string]source
	zone       *time.Location // of dates
	dated      bool           // there are dates in it, beside those of the sources
	targets    []targetPolicy // sorted by name
	hash       string
	config     Config                      // as written
	where      func(path ...string) string // of a key; may be nil
}

// Subject is one person, as far as the policy looks at people.
type Subject struct {
	Person identity.Person
	// Now is the instant for which dates are looked at.
	Now time.Time
	// Memberships are those in groups that the policy names.
	Memberships []identity.Membership
	// Pins of the person's source: one for each of Groups. A group without a
	// pin was not looked at, and is in doubt.
	Pins []ledger.Pin
	// Meant are those of People that mean this person and nobody else, Rivals
	// those that may mean others too.
	Meant, Rivals []string
	// Decided are the exceptions about the person that were decided by hand.
	Decided []ledger.Exception
	// References are those whom the attributes of References name. One that is not
	// here was not looked for.
	References []Reference
}

// Attributes are the person attributes that the rules and the sources name, in
// lower case, sorted. A read must cover them.
func (p *Policy) Attributes() []string { return slices.Clone(p.attributes) }

// Groups are the DNs of the groups that the policy names, as they are written,
// sorted.
func (p *Policy) Groups() []string { return slices.Clone(p.groups) }

// Targets are the names of the targets, sorted.
func (p *Policy) Targets() []string {
	out := make([]string, len(p.targets))
	for i := range p.targets {
		out[i] = p.targets[i].name
	}
	return out
}

// Entitlements are all that the policy can name in the target, sorted.
func (p *Policy) Entitlements(target string) []string {
	t := p.target(target)
	if t == nil {
		return nil
	}
	out := make([]string, len(t.entitlements))
	for i := range t.entitlements {
		out[i] = t.entitlements[i].name
	}
	return out
}

// AttributeNames are the account attributes that the policy computes in the
// target, sorted.
func (p *Policy) AttributeNames(target string) []string {
	t := p.target(target)
	if t == nil {
		return nil
	}
	out := make([]string, len(t.attributes))
	for i := range t.attributes {
		out[i] = t.attributes[i].name
	}
	return out
}

// Matches are the attributes by which accounts of the target are found, in order.
func (p *Policy) Matches(target string) []string {
	t := p.target(target)
	if t == nil {
		return nil
	}
	out := make([]string, len(t.match))
	for i, m := range t.match {
		out[i] = t.attributes[m.rule].name
	}
	return out
}

// Unique says whether the policy makes names unique anywhere, and Reserve for how
// long it keeps those of the target from others.
func (p *Policy) Unique() bool {
	return slices.ContainsFunc(p.targets, func(t targetPolicy) bool { return t.unique() != nil })
}

// Reserve is for how long names of the target are kept from others; zero where
// they are not made unique.
func (p *Policy) Reserve(target string) time.Duration {
	if t := p.target(target); t != nil && t.unique() != nil {
		return t.unique().reserve
	}
	return 0
}

// UniqueIn says whether names of accounts are made unique in the target.
func (p *Policy) UniqueIn(target string) bool {
	t := p.target(target)
	return t != nil && t.unique() != nil
}

func (t *targetPolicy) unique() *uniqueRule {
	if t.nameRule < 0 {
		return nil
	}
	return t.attributes[t.nameRule].unique
}

func (p *Policy) target(name string) *targetPolicy {
	for i := range p.targets {
		if p.targets[i].name == name {
			return &p.targets[i]
		}
	}
	return nil
}

// Hash identifies what the policy means: it does not depend on comments, on
// the order in which things are written, on layout or on descriptions.
func (p *Policy) Hash() string { return p.hash }
