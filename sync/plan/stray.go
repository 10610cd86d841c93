package plan

import "github.com/rosterd/rosterd/target"

// Stray is an enabled account of a target that is nobody's, and about which somebody has
// to decide. Class is Lost (it carries the mark of somebody who is not in the directory),
// Left (it looks like that of somebody who left) or OtherMark (of somebody here, by the
// mark of another state).
type Stray struct {
	Account target.NativeID
	Class   Class
}

// strays finds them, where the target was listed.
func (d *desk) strays(subjects []Subject) []Stray {
	var out []Stray
	for _, m := range d.t.Marked {
		switch {
		case !m.Account.Enabled, m.Mark.Target != "":
		case !m.Mark.Person.Valid():
			out = append(out, Stray{m.Account.ID, Lost})
		case !m.Mark.Ours:
			out = append(out, Stray{m.Account.ID, OtherMark})
		}
	}
	for i := range subjects {
		if !subjects[i].left {
			continue
		}
		for _, a := range subjects[i].found {
			if _, marked := d.marks[a.ID]; a.Enabled && !marked {
				out = append(out, Stray{a.ID, Left})
			}
		}
	}
	return out
}
