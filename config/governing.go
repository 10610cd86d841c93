package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/sync/plan"
)

// Governing is implemented by options of a kind of which a part is policy: who
// is read, what an account is. The rest says how to get there, and is taken from
// the file at hand whatever policy is in force.
type Governing interface {
	// Policy is that part, as a value that JSON writes the same way each time.
	Policy() any
	// Reach takes all but the policy from other options of the same kind.
	Reach(other any)
}

// policyForm is part of the hash: what a policy is may be another thing in a
// later version.
const policyForm = "rosterd policy 2"

// digest identifies what the file says that is policy: whom it reads, what it
// gives and takes, what it protects and the limits. Comments, layout, schedules,
// addresses, secrets, time-outs and rates are none.
func (c *Config) digest() (string, error) {
	type source struct {
		Kind    string
		Options any
		Guard   SourceGuard
	}
	type target struct {
		Kind    string
		Options any
		Rules   plan.Rules
	}
	basis := struct {
		Form, Mapping string
		Sources       map[string]source
		Targets       map[string]target
	}{policyForm, c.Policy.Hash(), map[string]source{}, map[string]target{}}
	for name, s := range c.Sources {
		guard := s.Guard
		guard.Canaries, guard.ClosedCanaries = slices.Sorted(slices.Values(guard.Canaries)), slices.Sorted(slices.Values(guard.ClosedCanaries))
		basis.Sources[name] = source{s.Kind, policyOf(s.Options), guard}
	}
	for name, t := range c.Targets {
		rules := t.Rules
		rules.Protect, rules.BreakGlass = slices.Sorted(slices.Values(rules.Protect)), slices.Sorted(slices.Values(rules.BreakGlass))
		basis.Targets[name] = target{t.Kind, policyOf(t.Options), rules}
	}
	text, err := json.Marshal(basis)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func policyOf(options Validator) any {
	if g, is := options.(Governing); is {
		return g.Policy()
	}
	return nil
}

// Under is the configuration with the policy of another, and all that is none of
// it from this one: schedules, addresses, secrets, rates. A target that this
// file does not name is left out. The other one is used up by it.
func (c *Config) Under(force *Config) *Config {
	out := *c
	out.Policy, out.Hash, out.Text = force.Policy, force.Hash, force.Text
	out.Sources, out.Targets = maps.Clone(force.Sources), map[string]*Target{}
	for name, s := range out.Sources {
		if here := c.Sources[name]; here != nil && here.Kind == s.Kind {
			s.Options = reached(s.Options, here.Options)
		}
	}
	for name, t := range force.Targets {
		here := c.Targets[name]
		if here == nil {
			continue
		}
		if here.Kind == t.Kind {
			t.Options = reached(t.Options, here.Options)
		}
		t.Rate, t.Concurrency, t.VerifyWithin = here.Rate, here.Concurrency, here.VerifyWithin
		if here.HandOver.IsSet() {
			t.HandOver = here.HandOver
		}
		out.Targets[name] = t
	}
	return &out
}

func reached(options, here Validator) Validator {
	g, is := options.(Governing)
	if !is {
		return here // nothing of them is policy
	}
	g.Reach(here)
	return options
}

// Kin says whether two sources read the same people in the same way, so that one
// reader can do for both.
func (s *Source) Kin() (string, error) {
	guard := [][]string{slices.Sorted(slices.Values(s.Guard.Canaries)), slices.Sorted(slices.Values(s.Guard.ClosedCanaries))}
	text, err := json.Marshal([]any{s.Name, s.Kind, policyOf(s.Options), s.Person, guard})
	return string(text), err
}

// Kin is the same for targets.
func (t *Target) Kin() (string, error) {
	text, err := json.Marshal([]any{t.Name, t.Kind, policyOf(t.Options)})
	return string(text), err
}
