package words

import (
	"strings"

	"github.com/rosterd/rosterd/mapping"
)

// exceptions are those that end.
func (w *writer) exceptions() Section {
	s := Section{Title: "Exceptions", ID: "exceptions"}
	t := Table{Head: []string{"Who", "What", "Until", "Why"}}
	row := func(who string, what Text, from, until mapping.Date, reason, ticket string, at ...string) {
		why := text(reason)
		if ticket != "" {
			why = text(why, " (", asCode(ticket), ")")
		}
		why = text(why, w.standsIn(at...))
		if from != "" {
			what = text(what, ", from ", asStrong(string(from)))
		}
		t.Rows = append(t.Rows, []Text{text(asCode(who)), what, text(string(until)), why})
	}
	for _, name := range sorted(w.config.Grants) {
		x := w.config.Grants[name]
		row(x.Person, text("has ", linkTo("role", x.Role), ", as though its rules gave it"), x.From, x.Until, x.Reason, x.Ticket, "grant", name)
	}
	for _, name := range sorted(w.config.Denies) {
		x := w.config.Denies[name]
		what := text("has nothing anywhere: every account is disabled and stripped, not deleted")
		switch {
		case x.Role != "":
			what = text("does not have ", linkTo("role", x.Role), ", whatever gives it")
		case x.Target != "":
			what = text("has nothing in ", linkTo("app", x.Target), ": the account is disabled and stripped, not deleted")
		}
		row(x.Person, what, "", x.Until, x.Reason, x.Ticket, "deny", name)
	}
	for _, name := range sorted(w.config.Retains) {
		x := w.config.Retains[name]
		what := text("is never deleted, anywhere")
		if x.Target != "" {
			what = text("is never deleted in ", linkTo("app", x.Target))
		}
		row(x.Person, what, "", x.Until, x.Reason, x.Ticket, "retain", name)
	}
	for _, conflict := range sorted(w.config.Conflicts) {
		k := w.config.Conflicts[conflict]
		for _, name := range sorted(k.Except) {
			x := k.Except[name]
			row(x.Person, text("may hold ", list("and", w.roleLinks(k.Roles)...), " together, in spite of ", linkTo("conflict", conflict)), "", x.Until, x.Reason, x.Ticket, "conflict", conflict, "except", name)
		}
	}
	if len(t.Rows) > 0 {
		s.say("These people are treated in another way than the rules say, until the day that stands here; then it ends by itself. Decisions that were made by hand are not in this file: ",
			asCode("rosterd status"), " lists them.")
		s.add(t)
	}
	return s
}

// conflicts are the roles that do not go together.
func (w *writer) conflicts() Section {
	s := Section{Title: "Roles that do not go together", ID: "conflicts"}
	for _, name := range sorted(w.config.Conflicts) {
		k := w.config.Conflicts[name]
		c := Card{Title: name, ID: anchor("conflict", name), Aside: text(asQuiet(w.Policy.Where("conflict", name)))}
		c.fact("Which", text("Nobody should hold two of ", list("and", w.roleLinks(k.Roles)...), "."))
		if k.Action == "hold" {
			c.fact("If somebody does", text("They are named, and what would make a new such pair waits for a decision."))
		} else {
			c.fact("If somebody does", text("They are named; nothing is stopped."))
		}
		if n := len(k.Except); n > 0 {
			c.fact("But for", text(count(n, "exception"), " that "+map[bool]string{true: "stands", false: "stand"}[n == 1]+" under Exceptions, as long as it lasts."))
		}
		s.add(c)
	}
	return s
}

// people says what is read of people.
func (w *writer) people() Section {
	s := Section{Title: "What is read of people", ID: "people"}
	s.say("Of each person rosterd reads the name of the entry, its ID, what the server says of whether it is closed, and these attributes, and no others:")
	s.add(Items{[]Text{list("and", each(w.Policy.Attributes(), asCode)...)}})
	var rows []Text
	for _, name := range sorted(w.config.Sources) {
		p := w.config.Sources[name]
		for _, x := range []struct{ what, attribute string }{
			{"The login", p.Login}, {"The mail address", p.Mail}, {"The name", p.Name}, {"What tells somebody who comes back", p.Key},
		} {
			if x.attribute != "" {
				rows = append(rows, text(x.what, " is ", asCode(x.attribute), "."))
			}
		}
	}
	if len(rows) > 0 {
		s.add(Items{rows})
	}
	return s
}

// tests are what the policy promises, and is not taken without.
func (w *writer) tests() Section {
	s := Section{Title: "What is tested", ID: "tests"}
	if len(w.config.Tests) == 0 {
		return s
	}
	s.say("A policy that breaks one of these is not taken, by no command.")
	t := Table{Head: []string{"Test", "Gets", "Does not get"}}
	for _, name := range sorted(w.config.Tests) {
		x := w.config.Tests[name]
		said := x.Description
		if said == "" {
			said = strings.ReplaceAll(name, "-", " ")
		}
		gets := list("and", each(sortedOnce(x.Gets), asCode)...)
		if x.Parked {
			gets = text(gets, " waits, and keeps what they have")
		}
		t.Rows = append(t.Rows, []Text{text(said, w.standsIn("test", name)), gets, list("and", each(sortedOnce(x.Lacks), asCode)...)})
	}
	s.add(t)
	return s
}

// tables are what words stand for.
func (w *writer) tables() Section {
	const most = 50
	s := Section{Title: "Tables", ID: "tables"}
	for _, name := range sorted(w.config.Tables) {
		entries := w.config.Tables[name]
		t := Table{Head: []string{"Under " + name, "Stands"}}
		for i, key := range sorted(entries) {
			if i == most {
				t.Rows = append(t.Rows, []Text{text("…"), text("and ", count(len(entries)-most, "entry"), " more in the file")})
				break
			}
			t.Rows = append(t.Rows, []Text{text(asCode(key)), text(entries[key])})
		}
		s.add(t)
	}
	return s
}

func glossary() Section {
	s := Section{Title: "Words", ID: "words"}
	s.add(Items{[]Text{
		text(asStrong("Account: "), "a person's record in one application."),
		text(asStrong("Right: "), "what an account may do there: a group, a role of the application, a licence."),
		text(asStrong("Role: "), "our name for what somebody does. It binds people to rights."),
		text(asStrong("Waits: "), "nothing is done until a person has looked and decided. Leavers who are not part of it do not wait."),
	}})
	return s
}
