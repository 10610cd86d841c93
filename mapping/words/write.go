package words

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
)

// writer makes a page of an input.
type writer struct {
	Input
	config mapping.Config
	roles  []string // sorted
	// includedBy are the roles that give a role.
	includedBy map[string][]string
	// excludedBy are the roles beside which a role is not held.
	excludedBy map[string][]string
}

// New makes the page.
func New(in Input) Page {
	w := &writer{Input: in, config: in.Policy.Config(), includedBy: map[string][]string{}, excludedBy: map[string][]string{}}
	w.roles = sorted(w.config.Roles)
	for _, name := range w.roles {
		for _, other := range w.config.Roles[name].Includes {
			w.includedBy[other] = append(w.includedBy[other], name)
		}
		for _, other := range w.config.Roles[name].Excludes {
			w.excludedBy[other] = append(w.excludedBy[other], name)
		}
	}
	p := Page{Title: "Who gets what, and why", Lead: w.lead()}
	for _, s := range []Section{
		w.overview(), w.pictures(), w.roleSection(), w.applications(), w.leaving(), w.exceptions(), w.conflicts(), w.guards(), w.people(), w.tests(), w.tables(), glossary(),
	} {
		if len(s.Blocks) > 0 {
			p.Sections = append(p.Sections, s)
		}
	}
	return p
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *writer) lead() []Text {
	var people, apps []Text
	for _, s := range w.Sources {
		people = append(people, Text{asStrong(s.Name)})
	}
	for _, t := range w.Targets {
		apps = append(apps, Text{linkTo("app", t.Name)})
	}
	out := []Text{text("rosterd reads the directory ", list("and", people...), " and keeps the accounts in ", list("and", apps...),
		" as this page says: who has an account, which role gives what and why, who answers for it and how to ask, what happens when somebody leaves, and what guards it.")}
	if len(apps) == 0 {
		out = []Text{text("rosterd reads the directory ", list("and", people...), ". No application is named yet, so nothing is changed anywhere.")}
	}
	if w.Since.IsZero() {
		return append(out, text(asStrong("Of the file. "), "This page was made from ", asCode(w.File), ", version ", asCode(w.Version), ". Whether that is in force, ", asCode("rosterd check"), " says."))
	}
	return append(out, text("In force since ", asStrong(w.Since.Format("2006-01-02 15:04 MST")), ", from the file ", asCode(w.File), ", version ", asCode(w.Version),
		". Why one person has one right, ", asCode("rosterd explain PERSON"), " says."))
}

// groupName is what people call a group, and its whole name where that says more.
func groupName(written string) Text {
	name := shortGroup(written)
	if name == written {
		return text(asCode(written))
	}
	return text(asStrong(name), " ", asQuiet(written))
}

func shortGroup(written string) string {
	dn, err := identity.ParseDN(written)
	if err != nil || dn.IsZero() {
		return written
	}
	return dn.RDN()[0].Value
}

// condition is what has to be so, in words where there are some.
func condition(expression string) Text {
	if said, ok := mapping.Say(expression); ok {
		return text(said)
	}
	return text(asCode(oneLine(expression)))
}
