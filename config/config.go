package config

import (
	"github.com/rosterd/rosterd/internal/handover"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// Config is a configuration without mistakes. It is not changed after Load.
type Config struct {
	// File is the path that was read, and Text what stood there, with all files that
	// it names: Parse takes it.
	File string
	Text []byte

	Schedule Schedule
	State    State
	Control  Control
	// Includes are files of others, by the name of the table.
	Includes map[string]Include
	Sources  map[string]*Source
	Targets  map[string]*Target
	// Policy is compiled; its reasons name the lines of File.
	Policy *mapping.Policy
	// Hash identifies all that is policy, Policy and what stands beside it:
	// limits, protection, whom the sources read. Two files with the same hash
	// govern alike.
	Hash string
	// Digest tells one file from another, whatever of it is policy; comments and
	// layout do not count.
	Digest string
	// Main is the digest of the main file without those that it names.
	Main string

	ends []end // by place
}

// State is [state].
type State struct {
	// Path of the state file.
	Path string `toml:"path"`
	// KeepLeavers is how long a person who is gone is remembered.
	KeepLeavers span.Duration `toml:"keep_leavers"`
	// KeepJournal is how long closed months of the journal are kept.
	KeepJournal span.Duration `toml:"keep_journal"`
}

// Control is [control]: the socket at which whoever holds the state does what
// others ask for.
type Control struct {
	// Socket is the path.
	Socket string `toml:"socket"`
	// Look and Decide are who may ask for what: names of users, "@" and names of
	// groups, or "*" for everybody on the machine. Root and the user that holds
	// the state always may.
	Look   []string `toml:"look"`
	Decide []string `toml:"decide"`
}

// Source is one [source.NAME].
type Source struct {
	Name string
	// Kind is the name in the table of kinds; Options are what its New made,
	// filled from the file.
	Kind    string
	Options Validator
	Guard   SourceGuard
	Person  mapping.SourcePerson
}

// SourceGuard is [source.NAME.guard]: what must be so for a read to be believed.
type SourceGuard struct {
	// Canaries are DNs of entries that every complete read shows.
	Canaries []string `toml:"canaries"`
	// ClosedCanaries are DNs of people whom every complete read shows as closed by
	// an administrator.
	ClosedCanaries []string `toml:"closed_canaries"`
	// MinPeople is the share of the largest complete listing that must be there.
	MinPeople Percent `toml:"min_people"`
	// VanishAfter is how long a person must be absent before a second complete
	// listing makes them presumed gone.
	VanishAfter span.Duration `toml:"vanish_after"`
	// MaxRename is how many IDs may be replaced under equal keys in one listing.
	MaxRename RenameLimit `toml:"max_rename"`
}

// RenameLimit is a number of people.
type RenameLimit struct {
	Count int `toml:"count"`
}

// Target is one [target.NAME].
type Target struct {
	Name string
	// Kind is the name in the table of kinds; Options are what its New made,
	// filled from the file.
	Kind    string
	Options Validator
	Rules   plan.Rules
	// Rate is how many writes a second are sent at most; 0: as many as go.
	Rate float64
	// Concurrency is how many writes are under way at once.
	Concurrency int
	// VerifyWithin is how long what was written may take to be seen.
	VerifyWithin span.Duration
	// HandOver says how the passwords of new accounts are handed over.
	HandOver handover.Config
}

// Validator is the Config of a kind: a pointer to a struct with toml tags.
type Validator interface {
	// Validate reports every mistake, without I/O. The path is that of the
	// table: {"target", "wiki"}.
	Validate(path []string, report problem.Report)
}

// Kind is one kind of source or target.
type Kind struct {
	// New returns options with their defaults.
	New func() Validator
	// NameAttribute is the attribute that is an account's name under these
	// options; nil for kinds of source.
	NameAttribute func(options Validator) string
	// Describe says what a target under these options can do, so that what the file asks
	// for and it cannot is a mistake; nil, or without a kind: nothing is known.
	Describe func(options Validator) target.Description
}

// Kinds are all kinds that there are, by the word in the configuration.
type Kinds struct{ Sources, Targets map[string]Kind }
