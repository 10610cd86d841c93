package words

import (
	"fmt"
	"slices"
	"strconv"
)

// limits are what limits are called, in the order of the page.
var limits = []struct{ name, title string }{
	{"max_remove", "Disabled or deleted"}, {"max_revoke", "Lose the rights of one role"}, {"max_create", "Made"},
	{"max_enable", "Enabled again"}, {"max_rename", "Renamed"}, {"max_update", "One attribute changed"},
}

// guards says what stops a mistake.
func (w *writer) guards() Section {
	s := Section{Title: "What guards it", ID: "guards"}
	for _, x := range w.Sources {
		rows := []Text{
			text("A read of ", asStrong(x.Name), " is complete, or it does not count: nobody's standing changes by half of one."),
			text("Fewer than ", x.MinPeople, " of the people of the largest complete read: nobody is removed before somebody decides. Up to five who leave always pass."),
			text("Somebody who is absent keeps everything until a second complete read, ", x.VanishAfter, " later or more, agrees."),
			text("More than ", count(x.MaxRename, "person"), " who come back under another ID at once wait for somebody to decide."),
		}
		if len(x.Canaries) > 0 {
			rows = append(rows, text("A read that does not show ", list("and", each(x.Canaries, asCode)...), " is not believed."))
		}
		if len(x.ClosedCanaries) > 0 {
			rows = append(rows, text("A read that does not show ", list("and", each(x.ClosedCanaries, asCode)...), " as closed is not believed."))
		}
		s.add(Items{rows})
	}
	if len(w.Targets) == 0 {
		return s
	}
	s.say("If more changes of one kind than these come together in an application, all of them wait until a person has looked and decided:")
	t := Table{Head: []string{"Accounts"}}
	for _, x := range w.Targets {
		t.Head = append(t.Head, "In "+x.Name)
	}
	for _, l := range limits {
		row := []Text{text(l.title)}
		for _, x := range w.Targets {
			i := slices.IndexFunc(x.Limits, func(have Limit) bool { return have.What == l.name })
			if i < 0 {
				row = append(row, text(asQuiet("no limit")))
				continue
			}
			row = append(row, text(x.Limits[i].words(), " in "+x.Window))
		}
		t.Rows = append(t.Rows, row)
	}
	row := []Text{text("The first plan")}
	for _, x := range w.Targets {
		if x.First == "apply" {
			row = append(row, text("is done without asking"))
		} else {
			row = append(row, text("waits for a person"))
		}
	}
	t.Rows = append(t.Rows, row)
	s.add(t)
	s.say("Shares are of the accounts that rosterd manages there, or of those who have the role. A change of this policy itself is judged by the same limits before it governs.")
	return s
}

func (l Limit) words() string {
	num := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	out := "1"
	switch {
	case l.Count > 0 && l.Percent > 0:
		out = fmt.Sprintf("%s or %s %%, whichever is more", num(l.Count), num(l.Percent))
	case l.Count > 0:
		out = num(l.Count)
	case l.Percent > 0:
		out = num(l.Percent) + " %"
	}
	switch {
	case l.CapPercent != nil && l.Ceiling != nil:
		out += fmt.Sprintf("; at most %s %% and %s", num(*l.CapPercent), num(*l.Ceiling))
	case l.CapPercent != nil:
		out += fmt.Sprintf("; at most %s %%", num(*l.CapPercent))
	case l.Ceiling != nil:
		out += "; at most " + num(*l.Ceiling)
	}
	return out
}
