package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/sync/plan"
)

func (l *loader) targets(report problem.Report) {
	names := l.names("target", report)
	l.policy.Targets = map[string]mapping.Target{}
	if len(names) == 0 {
		l.d.Bind([]string{"target"}, &l.config.Targets)
		report(problem.Problem{Path: []string{"target"}, Offset: -1, Warning: true,
			Message: "no target: rosterd will read and change nothing", Hint: "write [target.NAME]; the example file shows what belongs there"})
	}
	for _, n := range names {
		t, policy := l.target(n, report)
		l.config.Targets[n] = t
		l.policy.Targets[n] = policy
	}
}

const (
	defaultConcurrency = 4
	maxConcurrency     = 64
	defaultVerify      = time.Minute
)

// targetTable is what every [target.NAME] has beside its policy and the options
// of its kind.
type targetTable struct {
	Kind         *string        `toml:"kind"`
	Rate         *float64       `toml:"rate"`
	Concurrency  *int           `toml:"concurrency"`
	VerifyWithin *span.Duration `toml:"verify_within"`
	Leaver       *plan.Leaver   `toml:"leaver"`
	Drift        *plan.Drift    `toml:"drift"`
	Guard        *plan.Guard    `toml:"guard"`
	Account      accountTable   `toml:"account"`
	Password     passwordTable  `toml:"initial_password"`
}

// passwordTable is [target.NAME.initial_password]: what is policy of it, and how what
// is made is handed over, which is none.
type passwordTable struct {
	Generate   *bool          `toml:"generate"`
	Length     *int           `toml:"length"`
	MustChange *bool          `toml:"must_change"`
	OnReturn   *bool          `toml:"on_return"`
	Command    *[]string      `toml:"command"`
	Age        *[]string      `toml:"age"`
	Folder     *string        `toml:"folder"`
	Timeout    *span.Duration `toml:"timeout"`
}

// accountTable is the part of [target.NAME.account] that is no policy.
type accountTable struct {
	Protect    *[]string `toml:"protect"`
	BreakGlass *[]string `toml:"break_glass"`
}

func (l *loader) target(name string, report problem.Report) (*Target, mapping.Target) {
	path := []string{"target", name}
	at := func(key string) []string { return append(slices.Clone(path), key) }
	t := &Target{Name: name, Concurrency: defaultConcurrency, VerifyWithin: span.Duration(defaultVerify)}
	var policy mapping.Target
	made, given := &t.Rules.Password, &t.HandOver
	common := targetTable{
		&t.Kind, &t.Rate, &t.Concurrency, &t.VerifyWithin, &t.Rules.Leaver, &t.Rules.Drift, &t.Rules.Guard,
		accountTable{&t.Rules.Protect, &t.Rules.BreakGlass},
		passwordTable{&made.Generate, &made.Length, &made.MustChange, &made.OnReturn, &given.Command, &given.Age, &given.Folder, &given.Timeout},
	}
	t.Options = l.bind(path, &t.Kind, l.kinds.Targets, report, &common, &policy)
	t.Rules = t.Rules.WithDefaults()
	t.Rules.Validate(path, report)
	switch {
	case t.Rules.Password.Generate:
		t.HandOver.Validate(at("initial_password"), report)
	case t.HandOver.IsSet() || t.HandOver.Timeout != 0:
		report.At(at("initial_password"), "it says how passwords are handed over, and none is made", "write generate = true, or leave the table out")
	}
	if t.Rate < 0 {
		report.At(at("rate"), "cannot be negative", "write how many writes a second are allowed; leave it out for no limit")
	}
	if t.Concurrency < 1 || t.Concurrency > maxConcurrency {
		report.At(at("concurrency"), fmt.Sprintf("must be from 1 to %d", maxConcurrency), fmt.Sprintf("leave it out for %d writes at once", defaultConcurrency))
	}
	if t.Options != nil {
		t.Options.Validate(path, report)
		if named := l.kinds.Targets[t.Kind].NameAttribute; named != nil {
			policy.NameAttribute = named(t.Options)
		}
		if can := l.kinds.Targets[t.Kind].Describe; can != nil {
			if d := can(t.Options); d.Kind != "" {
				t.Rules.Suits(d, path, report)
				policy.Path = d.Path
			}
		}
		if a, is := t.Options.(interface{ Admits(attribute string) error }); is {
			policy.Admits = a.Admits
		}
	}
	return t, policy
}
