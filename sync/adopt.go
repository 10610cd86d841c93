package sync

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// Adopting is what is asked of accounts that exist in a target.
type Adopting struct {
	Target string
	// Match are attributes by which accounts may be taken over besides those of which
	// the file says so.
	Match []string
	// Recover relinks by the marks of States; none: of the one state that put marks
	// there besides this one.
	Recover bool
	States  []string
	// People and Limit restrict it, for a pilot; nil and 0: everybody.
	People []identity.Ordinal
	Limit  int
}

// Adoption is what was found in a target.
type Adoption struct {
	Adopting
	plan.Adopted
	// Chosen are the findings that would be linked, for whom it was asked.
	Chosen []plan.Finding
	// Foreign are the other states whose marks are there, with how many accounts.
	Foreign map[string]int
	// Version is the hash of what would be done.
	Version string
}

// adoptWork is an adoption on its way through a cycle.
type adoptWork struct {
	Adopting
	found *Adoption
	// choose says which of what was found now is done.
	choose func(*Adoption) ([]plan.Finding, error)
}

// Correlate looks for the owners of the accounts of a target. Nothing is done.
func (e *Engine) Correlate(ctx context.Context, a Adopting, ask Request) (*Adoption, *Report, error) {
	ask.DryRun = true
	return e.adoption(ctx, a, nil, ask)
}

// Adopt looks again, and links what was shown as the version and is found still. What
// came since is not linked. If the version is not that of what is found now, and shown
// is nil, nothing is.
func (e *Engine) Adopt(ctx context.Context, a Adopting, version string, shown *Adoption, ask Request) (*Adoption, *Report, error) {
	return e.adoption(ctx, a, func(now *Adoption) ([]plan.Finding, error) {
		switch {
		case now.Version == version:
			return now.Chosen, nil
		case shown == nil:
			return nil, &MovedError{Target: a.Target, Shown: version, Now: now.Version, Count: len(now.Chosen)}
		}
		keys := map[target.Key]bool{}
		for _, f := range shown.Chosen {
			keys[f.Link.Key] = true
		}
		return slices.DeleteFunc(slices.Clone(now.Chosen), func(f plan.Finding) bool { return !keys[f.Link.Key] }), nil
	}, ask)
}

// MovedError says that what would be linked is not what was shown.
type MovedError struct {
	Target     string
	Shown, Now string
	Count      int
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("adopt in %s: what is found has changed since version %s was shown: now version %s with %d accounts", e.Target, e.Shown, e.Now, e.Count)
}

// Hint says what to type.
func (e *MovedError) Hint() string { return "look at it again: rosterd adopt " + e.Target }

// StatesError says that marks of several states are there, and not which are lost.
type StatesError struct {
	Target string
	States map[string]int
}

func (e *StatesError) Error() string {
	text := ""
	for _, s := range slices.Sorted(maps.Keys(e.States)) {
		text += fmt.Sprintf("\n  %s  %d accounts", s, e.States[s])
	}
	return fmt.Sprintf("recover %s: its accounts carry the marks of %d states, and one may be of a rosterd that runs elsewhere:%s", e.Target, len(e.States), text)
}

// Hint says what to type.
func (e *StatesError) Hint() string {
	return "name those that are lost: rosterd adopt " + e.Target + " --recover --state STATE"
}

func (e *Engine) adoption(ctx context.Context, a Adopting, choose func(*Adoption) ([]plan.Finding, error), ask Request) (*Adoption, *Report, error) {
	work := &adoptWork{Adopting: a, choose: choose}
	ask.adopt, ask.OnlyTarget, ask.Alone = work, a.Target, true
	report, err := e.Cycle(ctx, ask)
	if err == nil && work.found == nil {
		err = fmt.Errorf("adopt in %s: the policy in force has no such target", a.Target)
	}
	return work.found, report, err
}

// adopting is the cycle of an adoption: it reads source and target, and links.
func (c *cycle) adopting(ctx context.Context) error {
	if err := c.lookAdopting(ctx); err != nil || c.ask.DryRun {
		return err
	}
	chosen, err := c.ask.adopt.choose(c.ask.adopt.found)
	if err != nil {
		return err
	}
	if err := c.approveLinks(chosen); err != nil {
		return err
	}
	if err := c.apply(ctx); err != nil {
		return err
	}
	if err := c.verify(ctx); err != nil {
		return err
	}
	return c.noteStrays(c.ask.adopt.Target, c.ask.adopt.found.Strays)
}

func (c *cycle) lookAdopting(ctx context.Context) error {
	ctx, end := c.ask.untilStopped(ctx)
	defer end()
	if err := c.lookRestored(); err != nil {
		return err
	}
	if err := c.readAndSeal(ctx); err != nil {
		return err
	}
	for _, read := range c.report.Reads {
		if read.Err != nil {
			return fmt.Errorf("read %s: %w", read.Source, read.Err)
		}
	}
	if err := c.everybody(); err != nil {
		return err
	}
	if len(c.input.Targets) == 0 {
		return nil
	}
	return c.correlate(ctx)
}

// everybody works out what everybody should have in the one target.
func (c *cycle) everybody() (err error) {
	defer c.section()()
	c.step("desire", "")
	if err := c.firstPolicy(); err != nil {
		return err
	}
	if err := c.pinPeople(); err != nil {
		return err
	}
	c.input = plan.Input{Now: c.Now(), Full: true, Adoption: &plan.Adoption{Match: c.ask.adopt.Match, Recover: c.ask.adopt.Recover}}
	if c.known, err = c.knowledge(); err != nil {
		return err
	}
	for _, s := range c.Sources {
		all, err := c.Store.Ordinals(s.Name())
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(all, impactChunk) {
			people, err := c.peopleOf(chunk)
			if err != nil {
				return err
			}
			c.input.People = append(c.input.People, people...)
		}
	}
	if err := c.facts(); err != nil {
		return err
	}
	c.input.Targets = slices.DeleteFunc(c.input.Targets, func(t plan.Target) bool { return t.Name != c.ask.adopt.Target })
	return nil
}

// correlate lists the target and finds who the accounts are.
func (c *cycle) correlate(ctx context.Context) error {
	c.step("observe", "")
	t := &c.input.Targets[0]
	if err := c.leaveAlone(); err != nil {
		return err
	}
	if err := c.recoverInTurn(ctx); err != nil {
		return err
	}
	if err := c.down[t.Name]; err != nil {
		return err
	}
	member := c.target(t.Name)
	if err := c.sameSystem(ctx, member); err != nil {
		return err
	}
	listing, err := target.Collect(ctx, c.counting("observe", member), c.scope(t.Name))
	if err != nil {
		return fmt.Errorf("list %s: %w", t.Name, err)
	}
	t.Accounts = listing.Accounts()
	c.listed[t.Name] = t.Accounts
	observed := map[identity.Ordinal]target.Observation{}
	for _, w := range c.wanted(plan.Make(c.input))[t.Name] {
		observed[w.person] = listing.Look(w.query)
	}
	if err := c.attach(*t, observed); err != nil {
		return err
	}
	if err := c.readMarks(t, c.seen(t.Name, nil)); err != nil {
		return err
	}
	found, err := c.findOwners(t)
	c.ask.adopt.found = found
	if err != nil {
		return err
	}
	return c.noteStrays(t.Name, found.Strays)
}

func (c *cycle) findOwners(t *plan.Target) (*Adoption, error) {
	a := &Adoption{Adopting: c.ask.adopt.Adopting, Foreign: map[string]int{}}
	for _, m := range t.Marked {
		if !m.Mark.Ours && m.Mark.Target == "" {
			a.Foreign[m.Mark.State]++
		}
	}
	how := c.input.Adoption
	if how.States = a.States; a.Recover && len(a.States) == 0 {
		if len(a.Foreign) > 1 {
			return a, &StatesError{Target: t.Name, States: a.Foreign}
		}
		how.States = slices.Collect(maps.Keys(a.Foreign))
	}
	how.Stale = c.stale(t)
	a.Adopted = plan.Adopt(c.input)
	people := map[identity.Ordinal]bool{}
	for _, f := range a.Findings {
		if f.Link == nil || a.People != nil && !slices.Contains(a.People, f.Person) || a.Limit > 0 && len(people) == a.Limit {
			continue
		}
		people[f.Person] = true
		a.Chosen = append(a.Chosen, f)
	}
	a.Version = versionOf(a.Chosen)
	return a, nil
}

// stale are the accounts of ours whose mark is not the one that they would be given.
func (c *cycle) stale(t *plan.Target) map[target.NativeID]bool {
	out := map[target.NativeID]bool{}
	if !t.Description.Marks {
		return out
	}
	keys := make(map[identity.Ordinal]identity.Key, len(c.input.People))
	for _, p := range c.input.People {
		keys[p.Ordinal] = p.Key
	}
	for _, a := range t.Accounts {
		who, owned := t.Owners[a.ID]
		if key, known := keys[who]; owned && known && a.Mark != c.markOf(t.Name, who, key).String() {
			out[a.ID] = true
		}
	}
	return out
}

// versionOf is the hash of the sorted keys, as that of a hold is.
func versionOf(list []plan.Finding) string {
	keys := make([]target.Key, len(list))
	for i, f := range list {
		keys[i] = f.Link.Key
	}
	slices.SortFunc(keys, func(a, b target.Key) int { return slices.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, k := range keys {
		h.Write(k[:])
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// approveLinks makes a hold of what was chosen, approves it, and lets the guard clear
// what the approval covers.
func (c *cycle) approveLinks(chosen []plan.Finding) error {
	defer c.section()()
	c.step("judge", "")
	if err := c.describe(); err != nil || len(chosen) == 0 {
		return err
	}
	name := c.ask.adopt.Target
	drawn := plan.Links(c.input.Now, name, chosen)
	verdict, err := c.judgeLinks(name, drawn)
	if err != nil {
		return err
	}
	keys := map[string][]target.Key{} // by hold
	var who []identity.Ordinal
	for i, s := range drawn.Subjects {
		who = append(who, s.Person)
		if at := verdict.Subjects[i]; len(at.Holds) == 1 && at.Changes[0] == at.Holds[0] {
			keys[at.Holds[0]] = append(keys[at.Holds[0]], s.Changes[0].Key)
		}
	}
	// The next cycle looks at them, whatever becomes of this one.
	if err := c.Store.Mark("adopt", who...); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		if err := c.Store.Decide(id, c.approveKeys(keys[id])); err != nil {
			return err
		}
	}
	if verdict, err = c.judgeLinks(name, drawn); err != nil {
		return err
	}
	c.report.Plan, c.report.Verdict, c.report.Shown, c.report.ShownVerdict = drawn, verdict, drawn, verdict
	c.report.Holds, c.cleared = verdict.Holds, verdict.Cleared
	slices.Sort(who)
	marks, err := c.Store.Marks()
	c.marks = slices.DeleteFunc(marks, func(m ledger.Mark) bool {
		_, mine := slices.BinarySearch(who, m.Person)
		return !mine
	})
	c.promise(c.report.Cleared())
	return err
}

func (c *cycle) approveKeys(keys []target.Key) func(ledger.Hold) (ledger.Hold, error) {
	return func(h ledger.Hold) (ledger.Hold, error) {
		h.Approved = append(slices.Clone(h.Approved), keys...)
		slices.SortFunc(h.Approved, func(x, y target.Key) int { return slices.Compare(x[:], y[:]) })
		h.Approved = slices.Compact(h.Approved)
		if len(h.Approved) == len(h.Keys) {
			h.Status = ledger.Approved
		}
		h.ApprovedBy, h.Expires = cmp.Or(c.ask.By, "rosterd adopt"), c.Now().Add(approvalLasts)
		return h, nil
	}
}

// judgeLinks judges links alone. The holds of other targets are not touched.
func (c *cycle) judgeLinks(name string, drawn plan.Plan) (plan.Verdict, error) {
	book, err := c.book()
	if err != nil {
		return plan.Verdict{}, err
	}
	var others []ledger.Hold
	for _, h := range book.Holds {
		if h.Target != name {
			others = append(others, h)
		}
	}
	book.Holds = slices.DeleteFunc(book.Holds, func(h ledger.Hold) bool { return h.Target != name })
	verdict := plan.Judge(drawn, book)
	return verdict, c.Store.SaveHolds(versioned(slices.Concat(verdict.Holds, others), c.input.Now))
}

// noteStrays remembers how many accounts somebody has to decide about, so that status
// says it. Some may have been linked since they were found.
func (c *cycle) noteStrays(name string, strays []plan.Stray) error {
	var loose state.Loose
	for _, s := range strays {
		_, owned, err := c.Store.LinkOwner(name, s.Account)
		switch {
		case err != nil:
			return err
		case owned:
		case s.Class == plan.Lost:
			loose.Lost++
		case s.Class == plan.Left:
			loose.Left++
		default:
			loose.Marked++
		}
	}
	known, err := c.Store.Target(name)
	if err != nil || known.Loose.Same(loose) {
		return err
	}
	loose.At = c.Now()
	known.Name, known.Loose = name, loose
	return c.Store.SaveTarget(known)
}
