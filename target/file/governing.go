package file

// Policy is the attribute that names an account; the path says where they are.
func (c *Config) Policy() any { return c.NameAttribute }

// Reach takes the path from other settings.
func (c *Config) Reach(other any) {
	if o, same := other.(*Config); same {
		c.Path = o.Path
	}
}
