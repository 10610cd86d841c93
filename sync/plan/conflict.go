package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// conflict notes a right that would come by a role which the policy does not
// want beside another one, and holds it where the policy says so. A right that
// some other role gives as well is nobody's conflict.
func (m *matter) conflict(c *Planned) {
	if c.Change.Verb != target.Grant {
		return
	}
	for _, k := range m.p.Desired.Conflicts {
		if len(c.Roles) == 0 || slices.ContainsFunc(c.Roles, func(r string) bool { return !slices.Contains(k.Roles, r) }) {
			continue
		}
		text := fmt.Sprintf("%s are held together, against conflict.%s (%s)", strings.Join(k.Roles, " and "), k.Conflict, k.Where)
		m.note("%s", text)
		if k.Action == hold && c.Rule == "" {
			c.Rule, c.Text = RuleConflict, "rights of roles that exclude each other would be given"
		}
	}
}
