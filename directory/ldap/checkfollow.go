package ldap

import "github.com/rosterd/rosterd/directory"

// following reports how changes will be seen, and why not in a better way.
func (c *checking) following(r *reading) {
	if c.source.cfg.Changes == changesFull {
		c.note(directory.Fine, "", `everything is read each time: changes = "full"`)
		return
	}
	engine := r.cursor.cursor.Engine
	for _, d := range r.cursor.declined {
		level := directory.Fine
		if engine == "" || hintOf(d.err) != "" {
			level = directory.Warning
		}
		if d.engine == "" {
			c.note(level, hintOf(d.err), "changes are not followed: %v", d.err)
		} else {
			c.note(level, hintOf(d.err), "changes are not followed by %s: %v", d.engine, d.err)
		}
	}
	switch {
	case engine == "":
		c.note(directory.Warning, "", "everything is read each time")
	case r.cursor.cursor.Deletes:
		c.note(directory.Fine, "", "changes are followed by %s, deletions too", engine)
	default:
		c.note(directory.Fine, "", "changes are followed by %s; who was deleted is found by listing IDs ([schedule] sweep)", engine)
	}
}
