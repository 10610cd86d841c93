package scim

// Policy is what of the settings decides what an account is: whether its external
// ID is our mark, whether it can be closed, and whether it takes a password.
func (c *Config) Policy() any {
	d := c.withDefaults()
	return []any{d.Dialect.Mark, d.Dialect.Active == none, d.Dialect.Passwords}
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
	c.Dialect.Mark, c.Dialect.Passwords = mine.Mark, mine.Passwords
	if (mine.Active == none) != (theirs.Active == none) {
		c.Dialect.Active = mine.Active
	}
}
