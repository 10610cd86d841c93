package plan

import "fmt"

// conflicts writes who holds roles together that a conflict parts.
func (t *text) conflicts(below bool) bool {
	if len(t.plan.Conflicts) == 0 {
		return false
	}
	if below {
		fmt.Fprintln(t.w)
	}
	fmt.Fprintln(t.w, t.paint(bold, "held together"))
	for i, c := range t.plan.Conflicts {
		if i == few && !t.o.Verbose {
			fmt.Fprintf(t.w, "    %s\n", t.paint(dim, fmt.Sprintf("… and %s more (-v shows all)", thousands(len(t.plan.Conflicts)-few))))
			break
		}
		hue := yellow
		if len(c.Excepted) > 0 {
			hue = dim
		}
		fmt.Fprintf(t.w, "  %s %s\n", t.paint(hue, "!"), clean(c.Text()))
	}
	return true
}

// DocumentConflict is somebody who holds roles that a conflict parts.
type DocumentConflict struct {
	Conflict string   `json:"conflict"`
	Person   uint64   `json:"person"`
	Login    string   `json:"login"`
	Roles    []string `json:"roles"`
	Action   string   `json:"action"`
	Where    string   `json:"where,omitempty"`
	Excepted string   `json:"excepted,omitempty"`
}

func documentConflict(c InConflict) DocumentConflict {
	d := DocumentConflict{Conflict: c.Conflict, Person: uint64(c.Person), Login: c.Login, Roles: c.Roles, Action: c.Action, Where: c.Where}
	for _, r := range c.Excepted {
		d.Excepted = r.Text
	}
	return d
}
