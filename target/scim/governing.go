package scim

// Policy is what of the settings decides what an account is: whether its external
// ID is our mark, and whether it can be closed.
func (c *Config) Policy() any {
	d := c.withDefaults()
	return []any{d.Dialect.Mark, d.Dialect.Active == none}
}

// Reach takes how to get there from other settings.
func (c *Config) Reach(other any) {
	o, same := other.(*Config)
	if !same {
		return
	}
	mine := c.withDefaults().Dialect
	*c = *o
	theirs := c.withDefaults().Dialect
	c.Dialect.Mark = mine.Mark
	if (mine.Active == none) != (theirs.Active == none) {
		c.Dialect.Active = mine.Active
	}
}
