package words

import "strings"

// deletable are the situations in which an account may be deleted, in the order of
// the page.
var deletable = []struct{ word, briefly, long string }{
	{"gone", "gone from the directory", "gone: deleted in the directory, and proved so"},
	{"out-of-scope", "out of scope", "out of scope: still in the directory, outside of what is read"},
	{"unentitled", "without a role", "without a role: still here, and no role has an account there any more"},
}

// leaving says what makes somebody a leaver, and what happens then.
func (w *writer) leaving() Section {
	s := Section{Title: "When somebody leaves", ID: "leaving"}
	if len(w.Targets) == 0 {
		return s
	}
	s.say("At once, in every application: the account is ", asStrong("disabled"), " and ", asStrong("loses every right"),
		" that this policy can give there. Deleting comes later, if at all. Nobody counts as gone because they were not seen:")
	var rows []Text
	for _, name := range sorted(w.config.Sources) {
		p := w.config.Sources[name]
		rows = append(rows, text(asStrong("Closed in the directory: "), "an administrator closed the account there, or its time is over. Never deleted for that."))
		if p.Disabled != "" {
			rows = append(rows, text(asStrong("Closed by a rule: "), condition(p.Disabled), ". Never deleted for that."))
		}
		if p.End != "" {
			rows = append(rows, text(asStrong("After the last day: "), "from the day after ", asCode(p.End), " on. Never deleted for that."))
		}
		if p.Start != "" {
			rows = append(rows, text(asStrong("Before the first day: "), "nobody has an account before ", asCode(p.Start), "."))
		}
		if len(p.Required) > 0 {
			rows = append(rows, text(asStrong("Not a leaver: "), "whose ", list("or", each(p.Required, asCode)...), " is blank is left as they are until it is filled in."))
		}
	}
	s.add(Items{rows})
	t := Table{Head: []string{"Application", "Gone", "Out of scope", "Without a role"}}
	for _, x := range w.Targets {
		row := []Text{text(linkTo("app", x.Name))}
		for _, d := range deletable {
			row = append(row, text(after(x.Delete[d.word])))
		}
		t.Rows = append(t.Rows, row)
	}
	s.say("When the disabled account is deleted:")
	s.add(t)
	var meaning []Text
	for _, d := range deletable {
		head, rest, _ := strings.Cut(d.long, ": ")
		meaning = append(meaning, text(asStrong(strings.ToUpper(head[:1])+head[1:]+": "), rest+"."))
	}
	meaning = append(meaning, text(asStrong("Presumed gone: "), "absent from two complete reads, and nothing tells of a deletion: disabled and stripped, never deleted."))
	s.add(Items{meaning})
	s.say("Who comes back gets the same account again, for as long as it is there, with the rights of that day.")
	return s
}

func after(text string) string {
	if text == "" || text == "never" {
		return "never"
	}
	return "after " + text + ", and another complete read"
}
