package config

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/internal/tomltext"
	"github.com/rosterd/rosterd/mapping"
)

// Problems are the mistakes in a file, sorted by place. They can be printed and
// are an error.
type Problems = tomltext.Problems

// DefaultKind is the kind of a source that names none.
const DefaultKind = "ldap"

// Load reads a file. The Config is nil if and only if there is an error or a
// problem that is more than a warning.
func Load(path string, kinds Kinds) (*Config, Problems, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, nil, fmt.Errorf("read configuration: %s is a folder; name the file in it", path)
	}
	// One byte more, so that Parse sees what is too long.
	text, err := io.ReadAll(io.LimitReader(file, tomltext.Limit+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	if bytes.HasPrefix(text, []byte(bundleMark)) {
		// It says itself what the files say that it names.
		return nil, nil, fmt.Errorf("read configuration: %s is a bundle, as rosterd keeps it, and no file to write", path)
	}
	c, problems := parse(path, text, folder(path), kinds)
	return c, problems, nil
}

// Parse is Load for a text that was read already, with what it includes: the Text of
// a Config. The path is its name in messages. It does no I/O.
func Parse(path string, text []byte, kinds Kinds) (*Config, Problems) {
	main, others, err := unbundle(text)
	if err != nil {
		d := tomltext.Parse(path, nil)
		d.Broken(nil, "it was cut off or changed; take the file itself", "%v", err)
		return nil, d.Problems()
	}
	var from files
	if others != nil {
		from = func(name string) ([]byte, error) {
			if text, is := others[name]; is {
				return text, nil
			}
			return nil, fmt.Errorf("read %s: it is not in the bundle", name)
		}
	}
	return parse(path, main, from, kinds)
}

func parse(path string, text []byte, from files, kinds Kinds) (*Config, Problems) {
	d := tomltext.Parse(path, text)
	if p := d.Problems(); p.Broken() {
		return nil, p
	}
	l := &loader{d: d, kinds: kinds, files: from, config: &Config{
		File: path, Sources: map[string]*Source{}, Targets: map[string]*Target{},
	}}
	var err error
	if l.config.Main, err = d.Digest(); err != nil {
		d.Report(problem.Problem{Offset: -1, Message: "the file has no digest: " + err.Error()})
	}
	l.load()
	l.config.Text = bundle(text, l.texts)
	problems := d.Problems()
	if problems.Broken() {
		return nil, problems
	}
	if l.config.Hash, err = l.config.digest(); err == nil {
		l.config.Digest, err = l.whole()
	}
	if err != nil {
		d.Report(problem.Problem{Offset: -1, Message: "the policy has no digest: " + err.Error()})
		return nil, d.Problems()
	}
	return l.config, problems
}

// loader fills one Config from one document.
type loader struct {
	d      *tomltext.Document
	kinds  Kinds
	config *Config
	policy mapping.Config
	// files reads what the file names, texts are those that were read, and kept what
	// of the tree an included file says.
	files files
	texts map[string][]byte
	kept  []keptPart
}

// tables are the top-level keys.
var tables = []string{"conflict", "control", "deny", "grant", "include", "retain", "role", "schedule", "source", "state", "table", "target", "test"}

func (l *loader) load() {
	report := problem.Report(func(p problem.Problem) {
		if p.Hint == "" {
			p.Hint = "the example file shows how each key is written"
		}
		l.d.Report(p)
	})
	for _, name := range l.d.Names() {
		if !slices.Contains(tables, name) {
			l.d.Unknown([]string{name}, tables)
		}
	}
	l.includes(report)
	l.schedule(report)
	l.state(report)
	l.control(report)
	l.lookups(report)
	l.names("test", report)
	l.d.Bind([]string{"test"}, &l.policy.Tests)
	l.roles(report)
	l.exceptions(report)
	l.sources(report)
	l.targets(report)
	if l.d.Problems().Broken() {
		l.policy.Tests = nil // of half a policy they say nothing but what follows from its mistakes
	}
	l.policy.Within = l.within
	l.policy.Zone = l.config.Schedule.Timezone
	if l.config.Policy = mapping.Compile(l.policy, l.d.Where, report); l.config.Policy != nil {
		l.ends()
	}
}

func (l *loader) schedule(report problem.Report) {
	table := defaultSchedule()
	l.d.Bind([]string{"schedule"}, &table)
	l.config.Schedule = table.compile(report)
}

func (l *loader) state(report problem.Report) {
	const day = 24 * time.Hour
	s := &l.config.State
	*s = State{
		Path:        usualState,
		KeepLeavers: span.Duration(400 * day),
		KeepJournal: span.Duration(7 * 365 * day),
	}
	l.d.Bind([]string{"state"}, s)
	if !filepath.IsAbs(s.Path) {
		report.At([]string{"state", "path"}, "the path is not whole", "begin it with a slash, so that it does not depend on where a command is started")
	}
	for key, length := range map[string]span.Duration{"keep_leavers": s.KeepLeavers, "keep_journal": s.KeepJournal} {
		if time.Duration(length) < day {
			report.At([]string{"state", key}, "shorter than a day", `write a length of time such as "400d" or "7y"`)
		}
	}
}

const (
	usualState  = "/var/lib/rosterd/state.db"
	usualSocket = "/run/rosterd/control.sock"
)

// control binds [control]. The service of a state in another place than the
// usual one has its socket beside it.
func (l *loader) control(report problem.Report) {
	c := &l.config.Control
	*c = Control{Socket: usualSocket, Look: []string{"*"}}
	if l.config.State.Path != usualState {
		c.Socket = filepath.Clean(l.config.State.Path) + ".sock"
	}
	l.d.Bind([]string{"control"}, c)
	if l.d.Has("control", "socket") && !filepath.IsAbs(c.Socket) {
		report.At([]string{"control", "socket"}, "the path is not whole", "begin it with a slash")
	}
	for key, list := range map[string][]string{"look": c.Look, "decide": c.Decide} {
		for _, who := range list {
			if who == "" || who == "@" || strings.ContainsAny(who, " \t\n") {
				report.At([]string{"control", key}, fmt.Sprintf("%q names nobody", who), `write names of users, "@" and the name of a group, or "*"`)
			}
		}
	}
	if slices.Contains(c.Decide, "*") {
		report.At([]string{"control", "decide"}, "everybody on the machine could decide", `name users, or "@" and a group`)
	}
}

// name is what a role, source, target or conflict may be called: it stands in
// commands, file names and metrics.
var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// names are the names in a table of tables; those that cannot be are reported.
func (l *loader) names(table string, report problem.Report) []string {
	all := l.d.Names(table)
	for _, n := range all {
		if !name.MatchString(n) {
			report.At([]string{table, n}, fmt.Sprintf("%q cannot be the name of a %s", n, table), "use up to 63 letters, digits, - and _, and begin with a letter or digit")
		}
	}
	return all
}

func (l *loader) roles(report problem.Report) {
	l.names("role", report)
	l.names("conflict", report)
	l.d.Bind([]string{"role"}, &l.policy.Roles)
	// Of a role whose rule could not be read it is not also said that it has none.
	// A file in which something could not be read is none, whatever stands here.
	unread := l.d.Problems().Broken()
	for name, r := range l.policy.Roles {
		if unread && r.Groups == nil && r.When == "" && (l.d.Has("role", name, "groups") || l.d.Has("role", name, "when")) {
			r.When = "true"
			l.policy.Roles[name] = r
		}
	}
	l.d.Bind([]string{"conflict"}, &l.policy.Conflicts)
}

// bind fills what all kinds have in common together with the options of the
// kind that the table names, so that each key must belong to one of them. It
// returns nil if there is no such kind.
func (l *loader) bind(path []string, kind *string, kinds map[string]Kind, report problem.Report, common ...any) Validator {
	named := struct {
		Kind *string `toml:"kind"`
	}{kind}
	// A map takes every key.
	any := map[string]any{}
	l.d.Bind(path, &named, &any)
	k, ok := kinds[*kind]
	if ok {
		options := k.New()
		l.d.Bind(path, append(common, options)...)
		return options
	}
	known := slices.Sorted(maps.Keys(kinds))
	choice := "write one of: " + strings.Join(known, ", ")
	if !l.d.Has(append(slices.Clone(path), "kind")...) {
		report.At(path, "the key kind is missing", choice)
	} else {
		if meant := tomltext.Suggest(*kind, known); meant != "" {
			choice = "did you mean " + meant + "?"
		}
		report.At(append(slices.Clone(path), "kind"), fmt.Sprintf("unknown kind %q", *kind), choice)
	}
	// The keys of the kind cannot be known; what all kinds have is still checked.
	l.d.Bind(path, append(common, &any)...)
	return nil
}
