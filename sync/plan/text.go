package plan

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// TextOptions say how a plan is shown.
type TextOptions struct {
	// Color: the terminal understands it.
	Color bool
	// Width of the terminal in columns; 0: unlimited. Only reasons are cut.
	Width int
	// Verbose shows everybody, who is in sync too, and every reason in full.
	// Without it a change that comes to many people is shown of a few.
	Verbose bool
	// Unread: a source was not read, so an empty plan does not say that all is well.
	Unread bool
}

// Text writes the plan for people: every change with its reason, what is held
// with the command that decides it, and the totals.
func Text(w io.Writer, p Plan, v Verdict, o TextOptions) error {
	buffer := bufio.NewWriter(w)
	t := &text{w: buffer, plan: p, verdict: v, o: o}
	t.write()
	return buffer.Flush()
}

type text struct {
	w       *bufio.Writer
	plan    Plan
	verdict Verdict
	o       TextOptions
	reached string
	// reasons are those that stand above, and whose they are.
	reasons []string
	of      string
}

// few is how many are shown where many have the same.
const few = 10

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
	dim    = "2"
)

// glyphs stand for verbs.
var glyphs = map[target.Verb]struct{ glyph, color string }{
	target.Create: {"+", green}, target.Grant: {"+", green}, target.Update: {"~", yellow}, target.Revoke: {"-", red},
	target.Delete: {"-", red}, target.Disable: {"!", red}, target.Rename: {"→", cyan}, target.Enable: {"↺", green}, target.Link: {"=", cyan},
	target.SetPassword: {"*", cyan},
}

func (t *text) paint(color, s string) string {
	if !t.o.Color {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (t *text) write() {
	shown := false
	for _, name := range targetsOf(t.plan, t.verdict) {
		shown = t.target(name) || shown
	}
	shown = t.conflicts(shown) || shown
	if shown {
		fmt.Fprintln(t.w)
	}
	fmt.Fprintln(t.w, t.totals())
}

// targetsOf are the targets of which there is something to say.
func targetsOf(p Plan, v Verdict) []string {
	var out []string
	for _, s := range p.Subjects {
		out = append(out, s.Target)
	}
	for _, o := range p.Orphans {
		out = append(out, o.Target)
	}
	for _, h := range v.Holds {
		out = append(out, h.Target)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// head writes the target's name before the first thing said of it.
func (t *text) head(name string) {
	if t.reached == name {
		return
	}
	if t.reached != "" {
		fmt.Fprintln(t.w)
	}
	t.reached, t.reasons = name, nil
	fmt.Fprintln(t.w, t.paint(bold, clean(name)))
}

func (t *text) target(name string) bool {
	for _, g := range t.groups(name) {
		t.head(name)
		for n, i := range g.subjects {
			if n == few && !t.o.Verbose {
				more := fmt.Sprintf("… and %s more like these: %s (-v shows all)", thousands(len(g.subjects)-few), g.what)
				fmt.Fprintf(t.w, "    %s\n", t.paint(dim, more))
				break
			}
			t.subject(&t.plan.Subjects[i], t.verdict.at(i))
		}
	}
	t.orphans(name)
	for _, h := range t.verdict.Holds {
		if h.Target == name {
			t.head(name)
			t.hold(h)
		}
	}
	return t.reached == name
}

// telling says whether there is anything to say of a subject.
func telling(s *Subject) bool {
	return len(s.Changes) > 0 || len(s.Notes) > 0 || s.Held != "" || s.Park != nil || s.Look != nil || s.Situation == InDoubt
}

func (t *text) subject(s *Subject, at Standing) {
	mark := " "
	if len(s.Changes) > 0 {
		g := glyphs[s.Changes[0].Change.Verb]
		mark = t.paint(g.color, g.glyph)
	}
	tag, hue := "", yellow
	switch {
	case at.Stage == Held:
		tag = held(at)
	case at.Stage == Parked:
		tag = "[parked]"
	case at.Stage == Retained && s.Kept != "":
		tag, hue = "[retained]", dim
	case at.Stage == Retained:
		tag, hue = "[retained until "+s.Retained.UTC().Format(time.DateOnly)+"]", dim
	}
	line := fmt.Sprintf("  %s %s  %s", mark, t.paint(bold, clean(s.Login)), s.Situation)
	if why := Rests(s); why != "" {
		line += ": " + t.fit(clean(why), 9+width(s.Login)+len(s.Situation.String())+width(tag))
	}
	if tag != "" {
		line += " " + t.paint(hue, tag)
	}
	fmt.Fprintln(t.w, line)
	t.changes(s, at)
	for _, n := range s.Notes {
		fmt.Fprintf(t.w, "      %s %s\n", t.paint(dim, "·"), clean(n))
	}
	if s.Park != nil && s.Park.Error != s.Why {
		fmt.Fprintf(t.w, "      %s %s\n", t.paint(yellow, "parked:"), clean(s.Park.Error))
	}
	if s.Look != nil {
		fmt.Fprintf(t.w, "      %s\n", t.paint(dim, "the account is looked at first"))
	}
}

// Rests says what a situation rests on, where the situation does not say it by
// itself.
func Rests(s *Subject) string {
	if s.Why == "in the directory" {
		return ""
	}
	return strings.TrimPrefix(s.Why, s.Situation.String()+": ")
}

func held(at Standing) string {
	if len(at.Holds) > 0 {
		return "[held in " + strings.Join(at.Holds, ", ") + "]"
	}
	return "[held: " + at.Why + "]"
}

// changes writes those of one person: rights that come or go together in one
// line, and at the end why.
func (t *text) changes(s *Subject, at Standing) {
	for c := 0; c < len(s.Changes); {
		until := c + 1
		for !t.o.Verbose && until < len(s.Changes) && together(s, at, c, until) {
			until++
		}
		t.change(s, at, c, until)
		c = until
	}
	if t.o.Verbose {
		return
	}
	const most = 4
	list := reasons(s)
	if len(list) > 0 && slices.Equal(list, t.reasons) {
		fmt.Fprintf(t.w, "      %s\n", t.paint(dim, "because as "+t.of))
		return
	}
	t.reasons, t.of = list, clean(s.Login)
	for i, r := range list {
		if i == most {
			fmt.Fprintf(t.w, "      %s\n", t.paint(dim, fmt.Sprintf("and %d more reasons (-v shows all)", len(list)-most)))
			break
		}
		fmt.Fprintf(t.w, "      %s\n", t.paint(dim, t.fit("because "+clean(r), 6)))
	}
}

// together says whether two changes are said in one line: rights that are given
// or taken, or not, for the same.
func together(s *Subject, at Standing, a, b int) bool {
	x, y := &s.Changes[a], &s.Changes[b]
	return x.Change.Verb == y.Change.Verb && x.Change.Entitlement != "" && y.Change.Entitlement != "" &&
		nth(at.Changes, a) == nth(at.Changes, b) && beside(x, s) == beside(y, s)
}

func (t *text) change(s *Subject, at Standing, from, until int) {
	c := &s.Changes[from]
	g := glyphs[c.Change.Verb]
	what := clean(spoken(c.Change, s.Account))
	if c.Change.Verb == target.Update {
		what = update(c.Change)
	}
	for _, other := range s.Changes[from+1 : until] {
		what += ", " + clean(other.Change.Entitlement)
	}
	line := "      " + t.paint(g.color, g.glyph) + " " + what
	used := 8 + width(what)
	// The hold of the whole person stands in the line above.
	if why := nth(at.Changes, from); why != "" && (len(at.Holds) != 1 || why != at.Holds[0]) {
		line += " " + t.paint(yellow, "["+clean(why)+"]")
		used += 3 + width(why)
	}
	because := beside(c, s)
	if t.o.Verbose {
		because = strings.Join(c.Because, "; ")
	}
	// A reason that is the situation's is not said twice.
	if because != "" && because != s.Why {
		line += "  " + t.paint(dim, t.fit(clean(because), used+2))
	}
	fmt.Fprintln(t.w, line)
}

// beside is the reason that stands in the line of the change itself: one that
// comes from no role.
func beside(c *Planned, s *Subject) string {
	if len(c.Reasons) > 0 {
		for _, r := range c.Reasons {
			if roleOf(r) != "" {
				return ""
			}
		}
		return c.Reasons[0].Where
	}
	if because := strings.Join(c.Because, "; "); because != s.Why {
		return because
	}
	return ""
}

// reasons are the roles for which the changes of a person are made, each with
// what gives it, once.
func reasons(s *Subject) []string {
	var out []string
	for c := range s.Changes {
		for _, r := range s.Changes[c].Reasons {
			if role := roleOf(r); role != "" {
				text := role + ": " + strings.TrimPrefix(r.Text, role+": ")
				if r.Where != "" {
					text += " (" + r.Where + ")"
				}
				if !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	return out
}

// roleOf is the role that the rule of a reason gives; empty if it gives none.
func roleOf(r mapping.Reason) string {
	name, is := strings.CutPrefix(r.Rule, "role.")
	if !is {
		return ""
	}
	if at := strings.LastIndexByte(name, '.'); at > 0 {
		name = name[:at]
	}
	return name
}

// spoken says a change under the name of its account, which is named only where
// it is not the account of the line above.
func spoken(ch target.Change, account string) string {
	switch ch.Verb {
	case target.Grant, target.Revoke:
		return ch.Verb.String() + " " + ch.Entitlement
	case target.SetPassword:
		return "set an initial password"
	case target.Create:
		out := "create " + ch.Name
		var names []string
		for _, v := range ch.Set {
			names = append(names, v.Name)
		}
		if len(names) > 0 {
			out += " with " + strings.Join(names, ", ")
		}
		return out
	}
	return Words(ch)
}

func nth[T any](list []T, i int) (none T) {
	if i < len(list) {
		return list[i]
	}
	return none
}

// orphans are counted, and named where there are few.
func (t *text) orphans(name string) {
	var list []Orphan
	for _, o := range t.plan.Orphans {
		if o.Target == name {
			list = append(list, o)
		}
	}
	if len(list) == 0 {
		return
	}
	t.head(name)
	fmt.Fprintf(t.w, "  %s\n", plural(len(list), "account belongs to nobody and is left alone:", "accounts belong to nobody and are left alone:"))
	for i, o := range list {
		if i == few && !t.o.Verbose {
			fmt.Fprintf(t.w, "      and %d more\n", len(list)-few)
			break
		}
		state := ""
		if !o.Enabled {
			state = " (disabled)"
		}
		fmt.Fprintf(t.w, "      ? %s%s\n", clean(cmp.Or(o.Name, string(o.ID))), state)
	}
}

func (t *text) hold(h ledger.Hold) {
	fmt.Fprintf(t.w, "  %s %s: %s\n", t.paint(yellow, h.ID), h.Status, clean(h.Text))
	fmt.Fprintf(t.w, "      rule %s, %s of %s, since %s, version %s\n", h.Rule, plural(len(h.Keys), "change", "changes"),
		plural(people(h.Keys), "person", "people"), h.Opened.UTC().Format("2006-01-02 15:04"), h.Version())
	switch h.Status {
	case ledger.Waiting:
		fmt.Fprintf(t.w, "      %s\n", t.paint(bold, fmt.Sprintf("rosterd approve %s   or   rosterd reject %s", h.ID, h.ID)))
	case ledger.Approved:
		fmt.Fprintf(t.w, "      approved by %s, until %s\n", clean(h.ApprovedBy), h.Expires.UTC().Format("2006-01-02 15:04"))
	}
}

// totals say it in one line.
func (t *text) totals() string {
	n := tallyOf(t.plan, t.verdict)
	var parts []string
	for verb := target.Link; verb <= target.Delete; verb++ {
		if n.due[verb] > 0 {
			parts = append(parts, fmt.Sprintf("%s to %s", thousands(n.due[verb]), verb))
		}
	}
	for _, x := range []struct {
		n    int
		word string
	}{{n.held, "held"}, {n.parked, "parked"}, {n.looks, "to be looked at"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(x.n), x.word))
		}
	}
	if len(parts) == 0 && t.o.Unread {
		return "Nothing to do by what was known; whether something is to be done is not."
	}
	if len(parts) == 0 {
		return fmt.Sprintf("Nothing to do: %s, everything in step.", plural(n.people, "person", "people"))
	}
	return "Plan: " + strings.Join(parts, ", ") + "."
}

// tallied is what a plan comes to.
type tallied struct {
	due                         map[target.Verb]int
	held, parked, looks, people int
}

func tallyOf(p Plan, v Verdict) tallied {
	n := tallied{due: map[target.Verb]int{}}
	people := map[identity.Ordinal]bool{}
	for i := range p.Subjects {
		s, at := &p.Subjects[i], v.at(i)
		people[s.Person] = true
		for c := range s.Changes {
			switch {
			case nth(at.Changes, c) == "":
				n.due[s.Changes[c].Change.Verb]++
			case s.Changes[c].Parked:
				n.parked++
			default:
				n.held++
			}
		}
		if s.Held != "" {
			n.held++
		}
		if s.Park != nil || s.Situation == InDoubt {
			n.parked++
		}
		if s.Look != nil {
			n.looks++
		}
	}
	n.people = len(people)
	return n
}

// at is where a subject stands; a verdict of another plan says nothing.
func (v Verdict) at(i int) Standing { return nth(v.Subjects, i) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// fit cuts a text to what is left of the line.
func (t *text) fit(s string, used int) string {
	room := t.o.Width - used
	if t.o.Width <= 0 || width(s) <= room {
		return s
	}
	if room < 8 {
		room = 8
	}
	if r := []rune(s); len(r) > room {
		return string(r[:room-1]) + "…"
	}
	return s
}

func width(s string) int { return utf8.RuneCountInString(s) }

// clean keeps what a directory holds from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != ' ' {
			return '�'
		}
		return r
	}, s)
}
