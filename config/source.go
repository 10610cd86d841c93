package config

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/mapping"
)

func (l *loader) sources(report problem.Report) {
	names := l.names("source", report)
	l.policy.Sources = map[string]mapping.SourcePerson{}
	if len(names) == 0 {
		l.d.Bind([]string{"source"}, &l.config.Sources)
		report.At([]string{"source"}, "no directory to read", "write [source.NAME]; the example file shows what belongs there")
	}
	for i, n := range names {
		if i > 0 {
			report.At([]string{"source", n}, "a second source is not known yet", "more than one source comes in a later version")
		}
		s := l.source(n, report)
		l.config.Sources[n] = s
		l.policy.Sources[n] = s.Person
	}
}

func (l *loader) source(name string, report problem.Report) *Source {
	path := []string{"source", name}
	s := &Source{Name: name, Kind: DefaultKind, Guard: SourceGuard{MinPeople: 90, VanishAfter: span.Duration(10 * time.Minute), MaxRename: RenameLimit{5}},
		Person: mapping.SourcePerson{Mail: "mail", Name: "cn"}} // the login depends on the server
	common := sourceTable{&s.Kind, &s.Guard, &s.Person}
	s.Options = l.bind(path, &s.Kind, l.kinds.Sources, report, &common)
	s.Guard.validate(append(path, "guard"), report)
	if s.Options != nil {
		s.Options.Validate(path, report)
	}
	return s
}

// sourceTable is what every [source.NAME] has beside the options of its kind.
type sourceTable struct {
	Kind   *string               `toml:"kind"`
	Guard  *SourceGuard          `toml:"guard"`
	Person *mapping.SourcePerson `toml:"person"`
}

// validate checks what is written.
func (g SourceGuard) validate(path []string, report problem.Report) {
	at := func(key ...string) []string { return append(slices.Clone(path), key...) }
	for key, list := range map[string][]string{"canaries": g.Canaries, "closed_canaries": g.ClosedCanaries} {
		for i, text := range list {
			if _, err := identity.ParseDN(text); err != nil {
				report.At(at(key, strconv.Itoa(i)), fmt.Sprintf("%q is not a DN: %v", text, err), `write the whole name of the entry, such as "uid=canary,ou=people,dc=corp,dc=example"`)
			}
		}
	}
	if time.Duration(g.VanishAfter) < time.Second {
		report.At(at("vanish_after"), "shorter than a second", `a directory needs time to be read twice; write "10m"`)
	}
	if g.MaxRename.Count < 0 {
		report.At(at("max_rename", "count"), "a count cannot be negative", "write max_rename = { count = 5 }")
	}
}
