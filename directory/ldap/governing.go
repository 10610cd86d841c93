package ldap

import "slices"

// Policy is what of the settings decides who is read and as whom; the rest says
// how to get there.
func (c *Config) Policy() any {
	d := c.withDefaults(named(c.Server))
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	d.People.Bases, d.Groups.Bases, d.Groups.Members = sorted(d.People.Bases), sorted(d.Groups.Bases), sorted(d.Groups.Members)
	out := []any{d.People, d.Groups, d.IDAttribute, sorted(d.IgnoreReferrals)}
	if d.AccountState != nil {
		out = append(out, believed(d.AccountState))
	}
	return out
}

// Reach takes how to get there from other settings.
func (c *Config) Reach(other any) {
	o, same := other.(*Config)
	if !same {
		return
	}
	mine := *c
	*c = *o
	c.Server = mine.Server // what is left out follows from it
	c.People, c.Groups, c.IDAttribute, c.IgnoreReferrals = mine.People, mine.Groups, mine.IDAttribute, mine.IgnoreReferrals
	c.Person, c.Canaries, c.ClosedCanaries, c.AccountState = mine.Person, mine.Canaries, mine.ClosedCanaries, mine.AccountState
}
