package mapping

import "time"

// Config is the configuration that the policy was compiled from, for those who
// put it into words. It must not be changed.
func (p *Policy) Config() Config { return p.config }

// Where gives file:line of a key of the configuration; "" if it is not known.
func (p *Policy) Where(path ...string) string {
	if p.where == nil {
		return ""
	}
	return p.where(path...)
}

// RoleEnds are the first moments at which nobody holds a role any more, of the roles
// that have an end.
func (p *Policy) RoleEnds() map[string]time.Time {
	out := map[string]time.Time{}
	for _, r := range p.roles {
		if !r.term.until.IsZero() {
			out[r.name] = r.term.until
		}
	}
	return out
}
