package plan

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
)

// Validate reports every mistake. The path is that of the target's table:
// {"target", "wiki"}.
func (r Rules) Validate(path []string, report problem.Report) {
	at := func(more ...string) []string { return append(slices.Clone(path), more...) }
	patterns(r.Protect, at("account", "protect"), report)
	patterns(r.BreakGlass, at("account", "break_glass"), report)
	for _, s := range slices.Sorted(maps.Keys(r.Leaver.Delete)) {
		validDelete(s, r.Leaver.Delete[s], at("leaver", "delete", s), report)
	}
	word := func(value string, path []string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			report.At(path, fmt.Sprintf("%q is not a choice here", value), "write "+quoted(allowed))
		}
	}
	word(r.Drift.Attributes, at("drift", "attributes"), enforce, "report")
	word(r.Drift.Lost, at("drift", "lost"), enforce, "report")
	word(r.Drift.Extra, at("drift", "extra"), "report", revoke)
	word(r.Drift.Disabled, at("drift", "disabled"), keep)
	word(r.Drift.Missing, at("drift", "missing"), hold, recreate)
	word(r.Guard.First, at("guard", "first"), hold, apply)
	if w := time.Duration(r.Guard.Window); w != 0 && (w < time.Minute || w > maxWindow) {
		report.At(at("guard", "window"), "the window must be between a minute and 366 days", `write "1d"`)
	}
	r.Password.validate(at("initial_password"), report)
	for _, l := range r.Guard.limits() {
		if l.limit != nil {
			l.limit.validate(at("guard", l.rule.String()), report)
		}
	}
}

// Suits reports what the rules ask for and a target cannot do.
func (r Rules) Suits(d target.Description, path []string, report problem.Report) {
	r.Password.suits(d, append(slices.Clone(path), "initial_password"), report)
}

const maxWindow = 366 * 24 * time.Hour

func quoted(words []string) string { return `"` + strings.Join(words, `" or "`) + `"` }

func patterns(list []string, at []string, report problem.Report) {
	for _, p := range list {
		kind, glob, ok := strings.Cut(p, ":")
		switch _, err := path.Match(glob, "x"); {
		case !ok || kind != "account" && kind != "entitlement":
			report.At(at, fmt.Sprintf("pattern %q does not say what it is of", p), `write "account:NAME" or "entitlement:NAME"; * stands for any text`)
		case glob == "":
			report.At(at, fmt.Sprintf("pattern %q names nothing", p), `write "account:NAME"; * stands for any text`)
		case err != nil:
			report.At(at, fmt.Sprintf("pattern %q cannot be read: %v", p, err), `* stands for any text, ? for one character, [ab] for one of several`)
		}
	}
}

func validDelete(situation, text string, at []string, report problem.Report) {
	s, err := ParseSituation(situation)
	if err != nil || !deletable(s) {
		report.At(at, fmt.Sprintf("accounts are never deleted for %q", situation), `name gone, out-of-scope or unentitled`)
		return
	}
	if text == never {
		return
	}
	if d, err := span.Parse(text); err != nil || d <= 0 {
		report.At(at, fmt.Sprintf("%q is not a length of time", text), `write "never" or a length of time such as "30d"`)
	}
}

func deletable(s Situation) bool { return s == Gone || s == OutOfScope || s == Unentitled }

func (l Limit) validate(at []string, report problem.Report) {
	key := func(k string) []string { return append(slices.Clone(at), k) }
	if l.Count < 0 {
		report.At(key("count"), "a count cannot be negative", "")
	}
	if l.Percent < 0 || l.Percent > 100 {
		report.At(key("percent"), "a percentage must be from 0 to 100", "")
	}
	if l.CapPercent != nil && (*l.CapPercent < 0 || *l.CapPercent > 100) {
		report.At(key("cap_percent"), "a percentage must be from 0 to 100", "leave the key out for no cap")
	}
	if l.Ceiling != nil && *l.Ceiling < 0 {
		report.At(key("ceiling"), "a ceiling cannot be negative", "leave the key out for no ceiling")
	}
}
