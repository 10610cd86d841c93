package ldap

import "slices"

// Policy is what of the settings decides what an account is and how it is
// closed; the rest says how to get there.
func (c *Config) Policy() any {
	d := c.withDefaults()
	return []any{d.Base, d.RDN, slices.Sorted(slices.Values(d.ObjectClasses)), d.Filter, d.Containers, d.Disable, d.Groups, d.Mark, d.IDAttribute}
}

// Reach takes how to get there from other settings.
func (c *Config) Reach(other any) {
	o, same := other.(*Config)
	if !same {
		return
	}
	mine := *c
	*c = *o
	c.Base, c.RDN, c.ObjectClasses, c.Filter, c.Containers, c.Disable = mine.Base, mine.RDN, mine.ObjectClasses, mine.Filter, mine.Containers, mine.Disable
	c.Groups, c.Mark, c.IDAttribute = mine.Groups, mine.Mark, mine.IDAttribute
}
