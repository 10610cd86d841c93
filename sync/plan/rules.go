package plan

import (
	"time"

	"github.com/rosterd/rosterd/internal/span"
)

// Rules are what one [target] says of leavers, drift and limits. They are
// decoded into the zero value and then completed by WithDefaults: a limit that
// is written replaces the default whole, so that a key left out of it is no cap.
type Rules struct {
	// Protect and BreakGlass are patterns "account:GLOB" or "entitlement:GLOB".
	// They stand in [target.NAME.account].
	Protect    []string `toml:"protect"`
	BreakGlass []string `toml:"break_glass"`
	Leaver     Leaver   `toml:"leaver"`
	Drift      Drift    `toml:"drift"`
	Guard      Guard    `toml:"guard"`
	Password   Password `toml:"initial_password"`
}

// Leaver says when the closed account of a leaver is deleted.
type Leaver struct {
	// Delete has "never" or a length of time ("30d"), by situation: gone,
	// out-of-scope or unentitled. What is not named is never deleted.
	Delete map[string]string `toml:"delete"`
}

// Grace is how long after its closing an account is deleted, and whether it is
// at all.
func (l Leaver) Grace(s Situation) (time.Duration, bool) {
	text, ok := l.Delete[s.String()]
	if !ok || text == never || !deletable(s) {
		return 0, false
	}
	d, err := span.Parse(text)
	return d, err == nil
}

// Drift says what is done about what somebody else changed in the target.
type Drift struct {
	Attributes string `toml:"attributes"` // enforce | report
	Lost       string `toml:"lost"`       // enforce | report
	Extra      string `toml:"extra"`      // report | revoke
	Disabled   string `toml:"disabled"`   // keep
	Missing    string `toml:"missing"`    // hold | recreate
}

// Guard are the limits of one target.
type Guard struct {
	MaxRemove *Limit `toml:"max_remove"`
	MaxRevoke *Limit `toml:"max_revoke"`
	MaxCreate *Limit `toml:"max_create"`
	MaxEnable *Limit `toml:"max_enable"`
	MaxRename *Limit `toml:"max_rename"`
	MaxUpdate *Limit `toml:"max_update"`
	// Window is how long a change counts against its limit.
	Window span.Duration `toml:"window"`
	// First is what becomes of the first plan of a new target: hold or apply.
	First string `toml:"first"`
}

// Limit is how many accounts may be changed in one window. Percentages are of
// the accounts that are managed there, or of the holders of the role.
type Limit struct {
	Count   float64 `toml:"count"`
	Percent float64 `toml:"percent"`
	// CapPercent and Ceiling bound what Count and Percent allow; nil: no cap.
	CapPercent *float64 `toml:"cap_percent"`
	Ceiling    *float64 `toml:"ceiling"`
}

// Of is the limit among n: at least one, and not rounded.
func (l Limit) Of(n int) float64 {
	limit := max(l.Count, l.Percent*float64(n)/100)
	if l.CapPercent != nil {
		limit = min(limit, *l.CapPercent*float64(n)/100)
	}
	if l.Ceiling != nil {
		limit = min(limit, *l.Ceiling)
	}
	return max(1, limit)
}

const (
	never    = "never"
	enforce  = "enforce"
	report   = "report"
	revoke   = "revoke"
	keep     = "keep"
	hold     = "hold"
	recreate = "recreate"
	apply    = "apply"
)

// DefaultRules are those of a target that says nothing.
func DefaultRules() Rules { return Rules{}.WithDefaults() }

// WithDefaults fills in what the file does not say.
func (r Rules) WithDefaults() Rules {
	text := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	text(&r.Drift.Attributes, enforce)
	text(&r.Drift.Lost, enforce)
	text(&r.Drift.Extra, report)
	text(&r.Drift.Disabled, keep)
	text(&r.Drift.Missing, hold)
	text(&r.Guard.First, hold)
	limit := func(l **Limit, d Limit) {
		if *l == nil {
			*l = &d
		}
	}
	cap30, ceiling := 30.0, 200.0
	g := &r.Guard
	limit(&g.MaxRemove, Limit{Count: 5, Percent: 5, CapPercent: &cap30, Ceiling: &ceiling})
	limit(&g.MaxRevoke, Limit{Count: 3, Percent: 25})
	limit(&g.MaxCreate, Limit{Count: 50, Percent: 20})
	limit(&g.MaxEnable, Limit{Count: 5, Percent: 5})
	limit(&g.MaxRename, Limit{Count: 5, Percent: 5})
	limit(&g.MaxUpdate, Limit{Count: 50, Percent: 20})
	if g.Window == 0 {
		g.Window = span.Duration(24 * time.Hour)
	}
	return r
}
