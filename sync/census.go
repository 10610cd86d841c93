package sync

import (
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Census counts what a policy makes of the people who are known: nothing is read from
// the source or the targets.
type Census struct {
	// People are those who are there.
	People int
	// Roles are how many of them hold each role; nobody is 0.
	Roles map[string]int
	// Doubted are how many may or may not hold a role: a group of it was not read.
	Doubted map[string]int
	// Strange are the values that no rule names, by attribute, with how many have
	// them. Only attributes that are compared with written texts are looked at.
	Strange map[string]map[string]int
	// Lost are the names by which people refer to others, with how many refer by each, by
	// why nobody, or nobody who is known, is meant.
	Lost map[string]map[string]int
	// Unread are such attributes that were not read yet.
	Unread map[string]int
	// Renamed are groups that the policy calls as they were called once.
	Renamed []ledger.Pin
	// Systems are those in which we have accounts, by target.
	Systems map[string]string
}

// strangeValues is how many values of one attribute are kept.
const strangeValues = 1000

// Census takes it, of the policy of the file at hand, whether it governs or not.
func (e *Engine) Census() (Census, error) {
	e = e.Current()
	if e.Next != nil {
		e = e.Next
	}
	c := e.begin(Request{Verb: "check", DryRun: true})
	out := Census{Roles: map[string]int{}, Doubted: map[string]int{}, Strange: map[string]map[string]int{}, Lost: map[string]map[string]int{}, Unread: map[string]int{}}
	for _, name := range c.Policy.Roles() {
		out.Roles[name] = 0
	}
	c.input.Now = c.Now()
	var err error
	if c.known, err = c.knowledge(); err != nil {
		return out, err
	}
	for _, p := range c.report.Pins {
		if p.Status == ledger.PinRenamed {
			out.Renamed = append(out.Renamed, p)
		}
	}
	if out.Systems, err = c.systems(); err != nil {
		return out, err
	}
	asks := c.Policy.Asks()
	for _, s := range c.Sources {
		all, err := c.Store.Ordinals(s.Name())
		if err != nil {
			return out, err
		}
		for len(all) > 0 {
			chunk := all[:min(len(all), impactChunk)]
			all = all[len(chunk):]
			g, err := c.gather(chunk, c.known.named, c.Policy.References())
			if err != nil {
				return out, err
			}
			for _, p := range c.resolved(g) {
				if p.Desired.Standing != identity.Active {
					continue
				}
				out.People++
				for _, r := range p.Desired.Roles {
					out.Roles[r.Role]++
				}
				for _, r := range p.Desired.Doubts {
					out.Doubted[r.Role]++
				}
				for _, r := range g.refs[p.Ordinal] {
					if r.Why != "" {
						several(out.Lost, r.Why, r.Written)
					}
				}
				for _, a := range asks {
					values, there := p.Attributes.Get(a.Attribute)
					if there == identity.NotRead {
						out.Unread[a.Attribute]++
						continue
					}
					for _, v := range values {
						if !a.Knows(v) {
							several(out.Strange, a.Attribute, v)
						}
					}
				}
			}
		}
	}
	return out, nil
}

// several counts a value under a name.
func several(all map[string]map[string]int, name, value string) {
	if all[name] == nil {
		all[name] = map[string]int{}
	}
	if n := all[name][value]; n > 0 || len(all[name]) < strangeValues {
		all[name][value] = n + 1
	}
}

// systems are those in which accounts of ours are, as far as a target was ever met.
func (c *cycle) systems() (map[string]string, error) {
	out := map[string]string{}
	for _, t := range c.Targets {
		known, err := c.Store.Target(t.Name)
		if err != nil {
			return nil, err
		}
		if known.Identity != "" {
			out[t.Name] = known.Identity
		}
	}
	return out, nil
}
