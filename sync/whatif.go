package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
)

// WhatIf is what another policy would change against the one in force, as far as
// that can be told. Nobody is asked for it but the state, or with Live the source
// too; nothing is kept, and no target hears of it.
type WhatIf struct {
	// Sources say as of when the snapshot is. Live: the source was read for this.
	Sources []state.SourceFacts
	// Names are the sources' names, by the same index.
	Names []string
	Live  bool
	// Plan has every change that the one policy would make and the other not.
	Plan plan.Plan
	// Impact sums up those that the policy would be judged by, and Ruled those that a
	// rule of their own holds, whatever the policy.
	Impact, Ruled []plan.Line
	// Beyond are the limits of the policy in force that the impact is beyond: it
	// would be held.
	Beyond []string
	// Whole are targets whose changes are all in Impact and wait for the approval of
	// their first plan, or of the one after a restored state.
	Whole []string
	// Outside are people who would not be read any more, by their logins.
	Outside []string
	// Unread has what was not read, and who is concerned.
	Unread []plan.Gap
}

// ExitUnknown: it cannot be answered without reading.
const ExitUnknown = 6

// Exit is the exit code, the first that applies.
func (w *WhatIf) Exit() int {
	switch {
	case len(w.Beyond)+len(w.Ruled) > 0, len(w.Whole) > 0 && w.changes(w.Whole):
		return ExitHeld
	case len(w.Unread) > 0:
		return ExitUnknown
	case len(w.Impact) > 0:
		return ExitPending
	}
	return ExitDone
}

func (w *WhatIf) changes(targets []string) bool {
	return slices.ContainsFunc(w.Impact, func(l plan.Line) bool { return slices.Contains(targets, l.Target) })
}

// WhatIfRequest is what is asked.
type WhatIfRequest struct {
	// Live reads the source as either policy would, and answers for what it is now.
	Live bool
	// Progress hears how far it has come; it may be nil.
	Progress func(Progress)
}

// WhatIf says what the policy of another engine on the same state would change. The
// other one's sources must be those of this one wherever the two read alike. It may
// be asked while a cycle runs, and then answers for what is known meanwhile.
func (e *Engine) WhatIf(ctx context.Context, other *Engine, ask WhatIfRequest) (*WhatIf, error) {
	c := e.begin(Request{Verb: "what-if", DryRun: true, traceless: true, Progress: ask.Progress})
	if c.Frozen != "" {
		return nil, errors.New(c.Frozen + ": it cannot be compared")
	}
	w := &WhatIf{Live: ask.Live}
	var here, there reading
	q := &question{WhatIf: w, other: other}
	if ask.Live {
		var err error
		if here, there, err = c.readBoth(ctx, other); err != nil {
			return nil, err
		}
	} else if err := q.foresee(c, &there); err != nil {
		return nil, err
	}
	d := c.compare(other, here, there)
	if err := d.prepare(); err != nil {
		return nil, err
	}
	q.groups(d)
	if err := d.everybody(q.look); err != nil {
		return nil, err
	}
	if ask.Live {
		if err := d.newcomers(here, there, q); err != nil {
			return nil, err
		}
	}
	return w, q.answer(d)
}

// question is a what-if that is being answered.
type question struct {
	*WhatIf
	other *Engine
	gaps  plan.Gaps
	// member and everybody are gaps that concern whoever has a role by a group, or
	// everybody.
	member, everybody []string
	// missing are attributes that were not read.
	missing []string
	outside map[identity.Ordinal]string
}

// look notes of whom in a chunk something cannot be told.
func (q *question) look(force, next plan.Input) {
	q.gaps.Compare(force, next)
	for i := range next.People {
		p := &next.People[i]
		if p.Desired.Standing.Left() {
			continue
		}
		for _, text := range q.everybody {
			q.gaps.Concerns(text, p, p.Linked())
		}
		if len(q.member) > 0 && slices.ContainsFunc(p.Desired.Roles, byGroup) {
			for _, text := range q.member {
				q.gaps.Concerns(text, p, true)
			}
		}
	}
}

// answer sums up.
func (q *question) answer(d *comparison) error {
	w := q.WhatIf
	w.Sources, w.Plan = d.force.report.Sources, d.plan
	for _, s := range d.force.Sources {
		w.Names = append(w.Names, s.Name())
	}
	impact, err := d.impact()
	if err != nil {
		return err
	}
	judged := d.plan.Judged()
	w.Impact, w.Ruled = plan.Lines(judged), plan.Lines(d.plan.Ruled())
	w.Beyond, _ = plan.JudgeImpact(impact.plan, impact.book)
	for _, t := range d.next.input.Targets {
		if !d.isJudged(t.Name) && (t.Rules.Guard.First != "apply" || t.Restored != "") {
			w.Whole = append(w.Whole, t.Name)
		}
	}
	for _, login := range q.outside {
		w.Outside = append(w.Outside, login)
	}
	slices.Sort(w.Outside)
	for _, a := range q.missing {
		if !q.gaps.Speaks(a + " was not read") {
			q.gaps.Note("the attribute "+a+" was not read; nobody's rights hang on it alone", "", false)
		}
	}
	w.Unread = q.gaps.List()
	for i := range w.Unread {
		w.Unread[i].Hint = first(w.Unread[i].Hint, readIt)
	}
	return nil
}

// byGroup says whether a role is held by a group.
func byGroup(h mapping.Held) bool {
	return slices.ContainsFunc(h.Because, func(r mapping.Reason) bool { return len(r.Path) > 0 })
}

// foresee says from the snapshot alone whom the other policy would read.
func (q *question) foresee(c *cycle, there *reading) error {
	q.outside = map[identity.Ordinal]string{}
	for _, s := range q.other.Sources {
		if err := q.attributes(c, s.Name()); err != nil {
			return err
		}
		here := c.sourceOf(s.Name())
		if here == nil || here == s.Source {
			continue
		}
		f := directory.Foresight{Everybody: []string{"kind: it is read in another way"}}
		if can, is := s.Source.(directory.Foreseer); is {
			f = can.Foresee(here)
		}
		if err := q.source(c, s.Name(), f, there); err != nil {
			return err
		}
	}
	return nil
}

const readIt = "read the directory for it: rosterd what-if --live"

// source notes what a foresight of one source tells and what not.
func (q *question) source(c *cycle, name string, f directory.Foresight, there *reading) error {
	at := func(texts []string) (out []string) {
		for _, t := range texts {
			out = append(out, "source."+name+"."+t)
		}
		return out
	}
	wider := at(f.Wider)
	for _, text := range wider {
		q.gaps.Note(text, readIt, true)
	}
	q.member, q.everybody = append(q.member, at(f.Groups)...), append(q.everybody, at(f.Everybody)...)
	for _, text := range slices.Concat(at(f.Groups), at(f.Everybody)) {
		q.gaps.Note(text, readIt, false)
	}
	if f.Keeps == nil && len(wider) == 0 {
		return nil
	}
	return c.Store.EachPerson(name, func(p identity.Person) error {
		switch p.Standing {
		case identity.Active, identity.Disabled:
		case identity.OutOfScope:
			for _, text := range wider {
				q.gaps.Concerns(text, &plan.Person{Person: p}, false)
			}
			return nil
		default:
			return nil
		}
		if f.Keeps == nil {
			return nil
		}
		switch keeps, why := f.Keeps(p); keeps {
		case directory.No:
			there.leave(p.Key.ID)
			q.outside[p.Ordinal] = loginOf(p)
		case directory.Maybe:
			text := "source." + name + "." + why
			q.gaps.Note(text, readIt, false)
			q.gaps.Concerns(text, &plan.Person{Person: p}, p.Standing == identity.Active)
		}
		return nil
	})
}

func loginOf(p identity.Person) string {
	return first(p.Login, p.Name, p.DN.String(), p.Ordinal.String())
}

// attributes notes what the other policy names and the snapshot was read without.
func (q *question) attributes(c *cycle, source string) error {
	coverage, read := c.Store.Coverage(source)
	if !read {
		return fmt.Errorf("%w: source %s was not read yet", errNothingRead, source)
	}
	named := c.Policy.Attributes()
	for _, a := range q.other.Policy.Attributes() {
		if _, before := slices.BinarySearch(named, a); !before && !coverage.Has(a) {
			q.missing = append(q.missing, a)
		}
	}
	return nil
}

// errNothingRead has a hint.
var errNothingRead error = &nothingReadError{}

type nothingReadError struct{}

func (*nothingReadError) Error() string { return "there is no snapshot" }

// Hint says how to get one.
func (*nothingReadError) Hint() string { return "read the directory first: rosterd plan" }

// groups notes the groups that the other policy names and nobody ever saw.
func (q *question) groups(d *comparison) {
	before := map[string]bool{}
	for _, written := range d.Policy.Groups() {
		before[strings.ToLower(written)] = true
	}
	for source, pins := range d.next.known.pins {
		for _, p := range pins {
			if p.Status == ledger.PinUnseen && !before[strings.ToLower(p.Written)] && !q.Live {
				q.gaps.Note(fmt.Sprintf("the group %s was not read from %s: whether there is one, and who is in it, is not known; what follows takes it for empty", p.Written, source),
					"correct its name, or "+readIt, true)
			}
		}
	}
}
