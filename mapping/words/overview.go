package words

import "strings"

// overview are two tables that fit a page: the applications and the roles.
func (w *writer) overview() Section {
	s := Section{Title: "At a glance", ID: "overview"}
	if len(w.Targets) > 0 {
		t := Table{Head: []string{"Application", "Who has an account", "Rights", "When somebody leaves"}}
		for _, x := range w.Targets {
			t.Rows = append(t.Rows, []Text{
				text(linkTo("app", x.Name)),
				list("or", w.roleLinks(w.accountRoles(x.Name))...),
				orNone(each(w.Policy.Entitlements(x.Name), asStrong)),
				text("disabled, all rights taken; ", w.deletion(x)),
			})
		}
		s.add(t)
	}
	if len(w.roles) > 0 {
		t := Table{Head: []string{"Role", "What it is for", "Who has it", "Who answers"}}
		for _, name := range w.roles {
			r := w.config.Roles[name]
			t.Rows = append(t.Rows, []Text{text(linkTo("role", name)), text(r.Description), w.briefly(name), orNone(each(w.owners(name), asStrong))})
		}
		s.add(t)
	}
	return s
}

func orNone(items []Text) Text {
	if len(items) == 0 {
		return text("—")
	}
	return list("and", items...)
}

// briefly says in one line by what a role is held.
func (w *writer) briefly(name string) Text {
	r := w.config.Roles[name]
	var parts []Text
	groups := each(sortedOnce(r.Groups), func(g string) Span { return asStrong(shortGroup(g)) })
	switch {
	case len(groups) > 0 && r.When != "":
		parts = append(parts, text("in ", list("or", groups...), ", if ", condition(r.When)))
	case len(groups) > 0:
		parts = append(parts, text("in ", list("or", groups...)))
	case r.Birthright || strings.TrimSpace(r.When) == "true":
		parts = append(parts, text("everybody"))
	case r.When != "":
		parts = append(parts, text("if ", condition(r.When)))
	}
	if by := w.includedBy[name]; len(by) > 0 {
		parts = append(parts, text("with ", list("or", w.roleLinks(by)...)))
	}
	out := list("or", parts...)
	if need := sortedOnce(r.Requires); len(need) > 0 {
		out = text(out, "; only beside ", list("and", w.roleLinks(need)...))
	}
	return out
}

// deletion says in a few words whether accounts of leavers are deleted.
func (w *writer) deletion(t Target) string {
	soonest := ""
	for _, situation := range deletable {
		if after := t.Delete[situation.word]; after != "" && after != "never" {
			if soonest != "" {
				return "some deleted later"
			}
			soonest = "deleted " + after + " later if " + situation.briefly
		}
	}
	if soonest == "" {
		return "never deleted"
	}
	return soonest
}
