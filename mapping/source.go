package mapping

// source is what a person is in one source.
type source struct {
	required []shown
	disabled *condition
	dates    []date
	where    string // of disabled
}

func (m *compiler) source(name string, c SourcePerson) source {
	path := func(key string) []string { return []string{"source", name, "person", key} }
	for _, a := range []struct{ key, attribute string }{
		{"login", c.Login}, {"mail", c.Mail}, {"name", c.Name}, {"key", c.Key},
	} {
		if a.attribute != "" {
			m.person(path(a.key), a.attribute)
		}
	}
	var out source
	for _, r := range c.Required {
		if slot := m.person(path("required"), r); slot >= 0 {
			out.required = append(out.required, shown{slot: slot, name: r})
		}
	}
	out.dates = m.dates(c, path)
	if c.Disabled != "" {
		out.disabled = m.condition(c.Disabled, "in disabled: what it makes true takes rights away", path("disabled"))
		if out.disabled != nil && out.disabled.key == "true" {
			m.fail(path("disabled"), "say of whom it is true: person.NAME == \"x\"", "everybody would be disabled")
		}
		if m.where != nil {
			out.where = m.where(path("disabled")...)
		}
	}
	return out
}
