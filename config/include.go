package config

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/tomltext"
	"github.com/rosterd/rosterd/mapping"
)

// Include is one [include.NAME]: a part of the configuration that somebody else
// keeps, the owner of an application as a rule.
type Include struct {
	// File is beside the main file, or below it.
	File string `toml:"file"`
	// May are the tables that it may define, with * for a part of a name:
	// "target.wiki", "role.wiki-*"; "person.NAME" lets it ask for an attribute.
	May []string `toml:"may"`
}

const (
	maxIncludes = 100
	mayHint     = `as in may = ["target.wiki", "role.wiki-*", "table.wiki-*", "test.wiki-*"]`
)

// shared are the tables of which somebody else may keep a part.
var shared = []string{"conflict", "deny", "grant", "person", "retain", "role", "table", "target", "test"}

// ofPolicy are the keys of a target that say who gets what there. The others lead to
// hosts, files and secrets: they are open to whoever may say them by name alone.
var ofPolicy = []string{"account", "attributes", "drift", "entitlements", "exclusive", "guard", "leaver"}

// bounds are how far an included file reaches.
type bounds struct {
	file string
	may  [][]string
}

// covers says whether a table, or what is in it, may be defined.
func (b *bounds) covers(at ...string) bool {
	return slices.ContainsFunc(b.may, func(p []string) bool { return len(p) <= len(at) && likes(p, at[:len(p)]) })
}

// leads says whether something below a table may be defined.
func (b *bounds) leads(at ...string) bool {
	return slices.ContainsFunc(b.may, func(p []string) bool { return len(p) > len(at) && likes(p[:len(at)], at) })
}

// names says whether a key of a target is open by its own name.
func (b *bounds) names(at ...string) bool {
	return slices.ContainsFunc(b.may, func(p []string) bool { return len(p) > 2 && len(p) <= len(at) && likes(p, at[:len(p)]) })
}

func likes(pattern, at []string) bool {
	for i := range pattern {
		if !like(pattern[i], at[i]) {
			return false
		}
	}
	return true
}

// like compares one name; * stands for any part of it.
func like(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	for i := 0; i <= len(name); i++ {
		if like(rest, name[i:]) {
			return true
		}
	}
	return false
}

func (b *bounds) String() string {
	var out []string
	for _, p := range b.may {
		out = append(out, strings.Join(p, "."))
	}
	return strings.Join(out, ", ")
}

// includes grafts what other files say.
func (l *loader) includes(report problem.Report) {
	names := l.names("include", report)
	l.d.Bind([]string{"include"}, &l.config.Includes)
	if len(names) > maxIncludes {
		report.At([]string{"include"}, fmt.Sprintf("more than %d files", maxIncludes), "put some of them together")
		return
	}
	seen := map[string]string{}
	for _, name := range names {
		inc, at := l.config.Includes[name], func(key string) []string { return []string{"include", name, key} }
		b := &bounds{file: inc.File, may: l.patterns(at("may"), inc.May, report)}
		if !l.local(at("file"), inc.File, ".toml", report) {
			continue
		}
		if inc.File == path.Base(l.config.File) {
			report.At(at("file"), "the file includes itself", "name a file that somebody else keeps")
			continue
		}
		if other := seen[inc.File]; other != "" {
			report.At(at("file"), fmt.Sprintf("%s is included by %s already", inc.File, other), "leave one of the two, and say all that it may there")
			continue
		}
		seen[inc.File] = name
		text, ok := l.file(at("file"), inc.File, report)
		if !ok {
			continue
		}
		l.graft(tomltext.Parse(path.Join(path.Dir(l.config.File), inc.File), text), b)
	}
}

// patterns takes the tables that may be defined apart.
func (l *loader) patterns(at []string, may []string, report problem.Report) (out [][]string) {
	if len(may) == 0 {
		report.At(at, "the file may define nothing", mayHint)
	}
	for _, text := range may {
		p := strings.Split(text, ".")
		switch {
		case len(p) < 2 || slices.Contains(p, ""):
			report.At(at, fmt.Sprintf("%q names no table", text), mayHint)
		case !slices.Contains(shared, p[0]):
			hint := tomltext.Suggest(p[0], shared)
			if hint != "" {
				hint = "did you mean " + hint + "?"
			} else {
				hint = "a part may be kept elsewhere of: " + strings.Join(shared, ", ")
			}
			report.At(at, fmt.Sprintf("%q cannot be left to another file", text), hint)
		default:
			if p[0] == "person" {
				p[1] = strings.ToLower(p[1])
			}
			out = append(out, p)
		}
	}
	return out
}

// graft takes a document in, as far as it may reach.
func (l *loader) graft(from *tomltext.Document, b *bounds) {
	l.d.Beside(from)
	for _, top := range from.Names() {
		if !slices.Contains(shared, top) || top == "person" {
			hint := fmt.Sprintf("it may say %s; all else stands in the main file", b)
			if slices.Contains(tables, top) {
				from.Broken([]string{top}, hint, "an included file has no [%s]", top)
			} else {
				from.Unknown([]string{top}, slices.DeleteFunc(slices.Clone(shared), func(s string) bool { return s == "person" }))
			}
			continue
		}
		if !from.IsTable(top) {
			from.Broken([]string{top}, "write ["+top+".NAME] and its keys below", "must be a table")
			continue
		}
		for _, name := range from.Names(top) {
			l.graftAt(from, b, top, name)
		}
	}
}

func (l *loader) graftAt(from *tomltext.Document, b *bounds, at ...string) {
	table, isTarget := from.IsTable(at...), at[0] == "target"
	down := func() {
		for _, key := range from.Names(at...) {
			l.graftAt(from, b, append(slices.Clone(at), key)...)
		}
	}
	switch {
	case !b.covers(at...) && table && b.leads(at...):
		down()
	case !b.covers(at...):
		from.Broken(at, fmt.Sprintf("it may say %s; whoever keeps the main file decides that, under may", b), "%s is outside of what this file may say", strings.Join(at, "."))
	case isTarget && len(at) == 2 && table && len(from.Names(at...)) > 0:
		down() // key by key: some are not its own, and the main file may have others
	case isTarget && len(at) == 3 && !slices.Contains(ofPolicy, at[2]) && !b.names(at...):
		from.Broken(at, fmt.Sprintf("it stands in the main file; whoever keeps that can allow it by its name, under may: %q", strings.Join(at, ".")),
			"by %s rosterd would go where this file sends it", at[2])
	case isTarget && table && l.d.IsTable(at...) && len(at) < 6:
		down()
	case !l.d.Graft(from, at...):
		from.Broken(at, "leave it in one of the two", "%s stands in %s already", strings.Join(at, "."), l.d.Where(at...))
	default:
		l.kept = append(l.kept, keptPart{slices.Clone(at), b})
	}
}

// keptPart is a part of the configuration that somebody else keeps.
type keptPart struct {
	at     []string
	bounds *bounds
}

// within are the bounds of what stands at a key.
func (l *loader) within(at ...string) *mapping.Bounds {
	for _, k := range l.kept {
		if len(k.at) <= len(at) && slices.Equal(k.at, at[:len(k.at)]) {
			return &mapping.Bounds{Of: k.bounds.file, May: k.bounds.covers}
		}
	}
	return nil
}
