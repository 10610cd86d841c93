package target

import "context"

// ProbeName begins the names of all that a probe makes; sixteen hexadecimal digits that
// are drawn at random follow.
const ProbeName = "rosterd-probe-"

// Prober is a target that can find out by trying what the system behind it does.
type Prober interface {
	// Probe makes accounts and an entitlement whose names begin with name, tries on
	// them what the system does, and deletes them again. It changes nothing that it
	// did not make, but deletes what a probe left that was killed before it could. Tell hears each step as it begins. With an error, and without,
	// what could not be deleted stands in the notes.
	Probe(ctx context.Context, name string, tell func(step string)) (Probed, error)
}

// Probed is what a probe found.
type Probed struct {
	// Table is the name of a table below the target's in the configuration, and
	// Settings what belongs there, as lines of TOML.
	Table    string
	Settings string
	// Notes are what no setting says. One that is Broken cannot be worked with.
	Notes []Note
}
