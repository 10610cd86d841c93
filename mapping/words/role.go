package words

import (
	"slices"
	"strings"
)

func (w *writer) roleSection() Section {
	s := Section{Title: "Roles", ID: "roles"}
	if len(w.roles) > 0 {
		s.say("A role is what somebody does here. The directory decides who holds it; this file decides what it gives.")
	}
	for _, name := range w.roles {
		s.add(w.role(name))
	}
	return s
}

func (w *writer) role(name string) Card {
	r := w.config.Roles[name]
	c := Card{Title: name, ID: anchor("role", name), Aside: text(asQuiet(w.Policy.Where("role", name))), Lead: text(r.Description)}
	c.fact("Who has it", w.whoHolds(name)...)
	c.fact("What it gives", w.gives(name)...)
	c.fact("Who answers for it", w.owner(name))
	c.fact("How to get it", w.ask(name)...)
	var apart []Text
	for _, other := range sortedOnce(r.Excludes) {
		apart = append(apart, text("Who has it does not have ", linkTo("role", other), "."))
	}
	for _, other := range w.excludedBy[name] {
		apart = append(apart, text("Who has ", linkTo("role", other), " does not have it, however they came by it."))
	}
	for _, k := range sorted(w.config.Conflicts) {
		if slices.Contains(w.config.Conflicts[k].Roles, name) {
			var others []Text
			for _, o := range sortedOnce(w.config.Conflicts[k].Roles) {
				if o != name {
					others = append(others, text(linkTo("role", o)))
				}
			}
			apart = append(apart, text("Nobody should hold it beside ", list("or", others...), " (", linkTo("conflict", k), ")."))
		}
	}
	c.fact("What does not go with it", apart...)
	return c
}

// whoHolds says by what people hold a role.
func (w *writer) whoHolds(name string) (out []Text) {
	r := w.config.Roles[name]
	var own Text
	groups := each(sortedOnce(r.Groups), func(g string) Span { return asStrong(shortGroup(g)) })
	switch {
	case len(groups) > 0 && r.When != "":
		own = text("Members of ", w.groupsIn(groups), " of whom this is true: ", condition(r.When), ".")
	case len(groups) > 0:
		own = text("Members of ", w.groupsIn(groups), ", directly or through another group.")
	case r.Birthright || strings.TrimSpace(r.When) == "true":
		own = text("Everybody whose entry is open.")
	case r.When != "":
		own = text("Everybody of whom this is true: ", condition(r.When), ".")
	}
	out = append(out, own)
	if by := w.includedBy[name]; len(by) > 0 {
		also := "Everybody who has "
		if len(own) > 0 {
			also = "Also everybody who has "
		}
		out = append(out, text(also, list("or", w.roleLinks(by)...), ": it comes with it."))
	}
	if r.From != "" || r.Until != "" {
		out = append(out, text("Nobody has it ", outside(string(r.From), string(r.Until)), "."))
	}
	if need := sortedOnce(r.Requires); len(need) > 0 {
		out = append(out, text("In any case only who has ", list("and", w.roleLinks(need)...), " too."))
	}
	for _, g := range sortedOnce(r.Groups) {
		if shortGroup(g) != g {
			out = append(out, text(asQuiet(g)))
		}
	}
	return out
}

func (w *writer) groupsIn(groups []Text) Text {
	if len(groups) == 1 {
		return text("the group ", groups[0])
	}
	return text("one of the groups ", list("or", groups...))
}

func (w *writer) roleLinks(names []string) []Text {
	return each(sortedOnce(names), func(n string) Span { return linkTo("role", n) })
}

// gives says what a role gives in each application.
func (w *writer) gives(name string) (out []Text) {
	for _, app := range w.Policy.Targets() {
		t := w.config.Targets[app]
		var parts []Text
		if slices.Contains(w.accountRoles(app), name) {
			parts = append(parts, text("an account"))
		}
		for _, e := range sortedOnce(t.Entitlements[name]) {
			parts = append(parts, text(asStrong(e)))
		}
		if len(parts) > 0 {
			out = append(out, text("In ", linkTo("app", app), ": ", list("and", parts...), ".", w.standsIn("target", app, "entitlements", name)))
		}
	}
	if inc := w.config.Roles[name].Includes; len(inc) > 0 {
		out = append(out, text("What ", list("and", w.roleLinks(inc)...), " gives."))
	}
	for _, other := range w.roles {
		if slices.Contains(w.config.Roles[other].Requires, name) {
			out = append(out, text("With it, ", linkTo("role", other), " may be held, which requires it."))
		}
	}
	if len(out) == 0 {
		out = append(out, text("Nothing by itself."))
	}
	return out
}

func (w *writer) owner(name string) Text {
	if o := w.owners(name); len(o) > 0 {
		return list("and", each(o, asStrong)...)
	}
	return text("Nobody is named.")
}

func (w *writer) owners(name string) []string {
	r := w.config.Roles[name]
	if r.Owner == "" {
		return sortedOnce(r.Owners)
	}
	return append([]string{r.Owner}, sortedOnce(r.Owners)...)
}

// outside is when a role is not held.
func outside(from, until string) Text {
	var out []Text
	if from != "" {
		out = append(out, text("before ", asStrong(from)))
	}
	if until != "" {
		out = append(out, text("after ", asStrong(until)))
	}
	return list("or", out...)
}

// ask says what somebody does who wants a role.
func (w *writer) ask(name string) (out []Text) {
	r := w.config.Roles[name]
	if len(r.Groups) > 0 {
		groups := each(sortedOnce(r.Groups), func(g string) Span { return asStrong(shortGroup(g)) })
		who := text("Ask who keeps the group in the directory")
		if o := w.owners(name); len(o) > 0 {
			who = text("Ask ", list("or", each(o, asStrong)...))
		}
		what := text(" to be made a member of ", w.groupsIn(groups), ".")
		out = append(out, text(who, what))
	}
	if len(r.Groups) == 0 && (r.When != "" || r.Birthright) {
		out = append(out, text("It need not be asked for: it comes and goes with what the directory says of a person. What is wrong is put right there."))
	}
	if by := w.includedBy[name]; len(by) > 0 {
		out = append(out, text("It comes with ", list("or", w.roleLinks(by)...), "."))
	}
	return out
}

// accountRoles are the roles that have an account in the application.
func (w *writer) accountRoles(app string) []string {
	t := w.config.Targets[app]
	if t.Account.For != nil {
		return sortedOnce(t.Account.For)
	}
	return sorted(t.Entitlements)
}

func sortedOnce(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
