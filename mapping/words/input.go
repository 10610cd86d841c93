package words

import (
	"time"

	"github.com/rosterd/rosterd/mapping"
)

// Input is all that the page speaks of.
type Input struct {
	Policy *mapping.Policy
	// File is the name of the file that the policy was read from.
	File string
	// Since is when the policy came into force; zero: it is not in force.
	Since time.Time
	// Version tells this policy from another one.
	Version string
	// Sources and Targets have what is policy and does not stand in Policy, sorted
	// by name.
	Sources []Source
	Targets []Target
}

// Source is the directory that people come from.
type Source struct {
	Name string
	// Kind says what it is, in words.
	Kind string
	// Canaries and ClosedCanaries are entries that every read must show.
	Canaries, ClosedCanaries []string
	// MinPeople is the share of the largest complete listing that must be there.
	MinPeople string
	// VanishAfter is how long somebody must be absent.
	VanishAfter string
	// MaxRename is how many may come back under another ID at once.
	MaxRename int
}

// Target is one application.
type Target struct {
	Name, Kind          string
	Protect, BreakGlass []string
	// Delete has, by situation, how long after the closing an account is deleted;
	// what is not named is never.
	Delete map[string]string
	Drift  Drift
	Limits []Limit
	// Window is how long a change counts against its limit.
	Window string
	// First is "hold" or "apply": what becomes of the first plan.
	First string
}

// Drift is what is done about what somebody else changed in the application.
type Drift struct{ Attributes, Lost, Extra, Disabled, Missing string }

// Limit is how many accounts may be changed in one window, of those that we manage.
type Limit struct {
	// What is the name of the limit: max_remove.
	What           string
	Count, Percent float64
	// CapPercent and Ceiling bound it; nil: no cap.
	CapPercent, Ceiling *float64
}
