package config

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/tomltext"
)

// end is a moment from which something of the file does nothing any more.
type end struct {
	at   time.Time
	said tomltext.Problem
}

// ends notes when what the file says for a time is over. Loading has no clock: time
// makes no mistake of a file.
func (l *loader) ends() {
	note := func(at time.Time, message, hint string, path ...string) {
		l.config.ends = append(l.config.ends, end{at, l.d.Placed(problem.Problem{Path: path, Offset: -1, Message: message, Hint: hint, Warning: true})})
	}
	for _, x := range l.config.Policy.Exceptions() {
		if x.Until.Set() {
			note(x.Until.At, "it is over: it does nothing any more", "take it out, or write a later day if it is still meant", append(strings.Split(x.Called(), "."), "until")...)
		}
	}
	for name, at := range l.config.Policy.RoleEnds() {
		note(at, "the role is over: nobody holds it any more", "take it out with all that names it, or write a later day if it is still meant", "role", name, "until")
	}
	slices.SortFunc(l.config.ends, func(a, b end) int {
		return cmp.Or(strings.Compare(a.said.File, b.said.File), a.said.Line-b.said.Line, a.said.Column-b.said.Column)
	})
}

// Over are warnings of the exceptions and roles that are over at a moment. Such a
// file is as good as before; who reads it should know what in it is past.
func (c *Config) Over(now time.Time) (out Problems) {
	for _, e := range c.ends {
		if !now.Before(e.at) {
			out = append(out, e.said)
		}
	}
	return out
}
