package words

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/mapping"
)

func (w *writer) applications() Section {
	s := Section{Title: "Applications", ID: "applications"}
	for _, t := range w.Targets {
		s.add(w.application(t))
	}
	return s
}

func (w *writer) application(t Target) Card {
	p := w.config.Targets[t.Name]
	c := Card{Title: t.Name, ID: anchor("app", t.Name), Aside: text(asQuiet(t.Kind + " · " + w.Policy.Where("target", t.Name)))}
	c.fact("Who has an account", text("Who has ", list("or", w.roleLinks(w.accountRoles(t.Name))...), "."))
	c.fact("Whose account is whose", w.matching(p))
	var left []Text
	if len(t.BreakGlass) > 0 {
		left = append(left, text("Never touched, by any command: ", list("and", patterns(t.BreakGlass)...), "."))
	}
	if len(t.Protect) > 0 {
		left = append(left, text("Touched only by a command that says so by name: ", list("and", patterns(t.Protect)...), "."))
	}
	left = append(left, text("Accounts that rosterd neither made nor was told to take over are not touched."))
	c.fact("What is left alone", left...)
	c.fact("What others change there", w.drift(t)...)
	c.fact("Of these an account has one", exclusive(p)...)
	if rows := w.rights(t.Name); len(rows) > 0 {
		c.Tables = append(c.Tables, Titled{"Rights", Table{[]string{"Right", "Who has it"}, rows}})
	}
	if rows := w.attributes(p); len(rows) > 0 {
		c.Tables = append(c.Tables, Titled{"What the account says", Table{[]string{"Attribute", "Is", "Written", "If there is none"}, rows}})
	}
	return c
}

func (w *writer) rights(app string) (rows [][]Text) {
	p := w.config.Targets[app]
	for _, e := range w.Policy.Entitlements(app) {
		var from []string
		for role, gives := range p.Entitlements {
			if slices.Contains(gives, e) {
				from = append(from, role)
			}
		}
		rows = append(rows, []Text{text(asStrong(e)), text("who has ", list("or", w.roleLinks(from)...))})
	}
	return rows
}

// exclusive are the lists of which an account holds one.
func exclusive(p mapping.Target) (out []Text) {
	for _, name := range sorted(p.Exclusive) {
		out = append(out, text(name+": ", list("or", each(p.Exclusive[name], asStrong)...), ": the first of them that a role gives, in this order. What the account has of the others is taken first."))
	}
	return out
}

func (w *writer) matching(p mapping.Target) Text {
	by := p.Account.Match
	if by == nil && p.NameAttribute != "" {
		by = []string{p.NameAttribute}
	}
	if len(by) == 0 {
		return nil
	}
	var report, take []Text
	for _, a := range by {
		if p.Account.Adopt[a] == "link" {
			take = append(take, text(asCode(a)))
		} else {
			report = append(report, text(asCode(a)))
		}
	}
	out := text("An account that was there before is found by ", list("or", each(by, asCode)...))
	switch {
	case len(take) == 0:
		return text(out, "; it is reported, and not taken over before somebody decides.")
	case len(report) == 0:
		return text(out, ", and taken over.")
	}
	return text(out, ". By ", list("or", take...), " it is taken over; by ", list("or", report...), " it is only reported.")
}

func (w *writer) attributes(p mapping.Target) (rows [][]Text) {
	for _, name := range sorted(p.Attributes) {
		a := p.Attributes[name]
		is, written := value(a.From), text(modeWords(a.Mode))
		if a.Otherwise != "" {
			is, written = uniqueWords(a, is)
		}
		rows = append(rows, []Text{text(asCode(name)), is, written, text(emptyWords(a))})
	}
	return rows
}

// value says what an attribute is made of.
func value(from string) (out Text) {
	for _, p := range mapping.SayValue(from) {
		switch {
		case p.Plain:
			out = append(out, asCode(p.Text))
		case p.Made:
			out = append(out, asMade(p.Text))
		default:
			out = append(out, Span{Text: p.Text})
		}
	}
	return out
}

// uniqueWords says how an account comes to a name that nobody else has.
func uniqueWords(a mapping.AttributeRule, first Text) (is, written Text) {
	is = text(first, "; where somebody else has that, ", asCode(a.Otherwise), " with a number from 2 on")
	if a.Mode == string(mapping.Enforce) {
		written = text("when the account is made, and when the person would not get that name any more")
	} else {
		written = text("when the account is made, and then kept")
	}
	reserve := a.Reserve
	if reserve == "" {
		reserve = "1y"
	}
	return is, text(written, "; nobody else gets the name for ", asStrong(reserve), " after it was given up")
}

func modeWords(mode string) string {
	switch mode {
	case "", string(mapping.Enforce):
		return "always"
	case string(mapping.OnCreate):
		return "when the account is made"
	case "if-empty":
		return "where there is nothing"
	case "merge":
		return "beside what others wrote"
	}
	return mode
}

// emptyWords says what becomes of an attribute without a value. Where the person has
// none of what it is made of, and no ?? says that this is fine, the account waits.
func emptyWords(a mapping.AttributeRule) string {
	if slices.ContainsFunc(mapping.SayValue(a.From), func(p mapping.Part) bool { return p.Needed }) {
		return waits
	}
	switch a.Empty {
	case "", "clear":
		return "it is cleared"
	case "keep":
		return "what is there stays"
	case "park":
		return waits
	}
	return a.Empty
}

const waits = "the account waits, and keeps what it has"

func patterns(list []string) []Text {
	var out []Text
	for _, p := range sortedOnce(list) {
		kind, name, _ := strings.Cut(p, ":")
		if kind == "entitlement" {
			out = append(out, text("whoever has ", asCode(name)))
		} else {
			out = append(out, text("the account ", asCode(name)))
		}
	}
	return out
}

func (w *writer) drift(t Target) []Text {
	d := t.Drift
	say := func(word string, words map[string]string) string { return words[word] }
	return []Text{
		text(say(d.Attributes, map[string]string{"enforce": "An attribute that this page names is set back.", "report": "A changed attribute is reported."})),
		text(say(d.Lost, map[string]string{"enforce": "A right that was taken away is given again.", "report": "A right that was taken away is reported."})),
		text(say(d.Extra, map[string]string{"report": "A right that no role gives is reported.", "revoke": "A right that no role gives is taken away."})),
		text(say(d.Missing, map[string]string{"hold": "An account that is gone is made anew only if somebody decides so.", "recreate": "An account that is gone is made anew."})),
		text(say(d.Disabled, map[string]string{"keep": "An account that somebody disabled there stays so until it is released."})),
	}
}
