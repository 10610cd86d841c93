package mapping

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
