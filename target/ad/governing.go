package ad

import "slices"

// Policy is what of the settings decides what an account is; the rest says how to
// get there.
func (c *Config) Policy() any {
	d := c.withDefaults()
	return []any{d.Base, slices.Sorted(slices.Values(d.ObjectClasses)), d.Filter, d.Containers, d.WithoutPassword, d.Groups, d.Mark}
}

// Reach takes how to get there from other settings.
func (c *Config) Reach(other any) {
	o, same := other.(*Config)
	if !same {
		return
	}
	mine := *c
	*c = *o
	c.Base, c.ObjectClasses, c.Filter, c.WithoutPassword = mine.Base, mine.ObjectClasses, mine.Filter, mine.WithoutPassword
	c.Containers, c.Groups, c.Mark = mine.Containers, mine.Groups, mine.Mark
}
