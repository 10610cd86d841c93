package mapping

import "fmt"

// excludes tells each role who excludes it. It is the one rule by which holding
// more takes something away, so it is always said by name.
func (m *compiler) excludes(roles []role) {
	for i, name := range m.roleNames {
		path := []string{"role", name, "excludes"}
		for _, j := range m.roles(path, m.config.Roles[name].Excludes) {
			text := fmt.Sprintf("role %s excludes %s", name, m.roleNames[j])
			roles[j].excludedBy = append(roles[j].excludedBy, roleStep{i, m.reason(text, path...)})
			for _, s := range roles[j].includedBy {
				if s.role == i {
					m.fail(path, "take it out of one of the two", "%s includes %s and excludes it", name, m.roleNames[j])
				}
			}
			for _, s := range roles[j].requires {
				if s.role == i {
					m.fail(path, "take it out of one of the two", "nobody can ever hold the role %q: it requires %s, which excludes it", m.roleNames[j], name)
				}
			}
		}
	}
}
