package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// namedPerHour is how many people may be removed in an hour by naming them.
const namedPerHour = 5

// Judge splits a plan into what may go and what is held.
//
// The keys of open holds are set aside first: they neither trip a limit nor
// spend of it. The rest is judged rule by rule against what is left of the
// window; where a rule trips, all changes of that rule are held.
func Judge(p Plan, b Book) Verdict {
	j := newJudge(p, b)
	for i := range j.units {
		j.sort(i)
	}
	j.limits()
	j.dependencies()
	return j.verdict()
}

// unit are changes of one account that are judged as one: a removal with its
// revocations, a creation with its grants.
type unit struct {
	subject int
	items   []int // changes of the subject; the first leads
	rule    Rule  // "": no limit
	roles   []string
	forced  Rule
}

// fate is what becomes of one change.
type fate struct {
	state fateState
	// hold is the index of the hold that keeps it or whose approval lets it
	// go; -1: none.
	hold int
	// member: the key belongs to the hold.
	member bool
	// why it is kept, where no hold says it.
	why string
	// spends are what it counts for.
	spends []ledger.Spend
}

type fateState uint8

const (
	open      fateState = iota
	going               // may go
	approved            // may go, by the approval of a hold
	waiting             // held
	refused             // rejected by somebody: silent
	withheld            // kept, without a hold
	retrying            // failed, and not due yet
	following           // comes in a later pass, behind what goes in another target
)

func (f fate) goes() bool { return f.state == going || f.state == approved }

// bucket is one limit: a rule in a target, for a role or an attribute.
type bucket struct {
	target string
	rule   Rule
	role   string
}

// wording says why a hold is, for so many people.
type wording func(people int) string

func always(text string) wording { return func(int) string { return text } }

// wholeText is why the whole plan of a target is held.
func wholeText(r Rule, t *Target) wording {
	if r == RuleRestored {
		return always("the first plan after the state was restored: " + t.Restored)
	}
	return always("the first plan of a new target")
}

// inHold is what one hold says of a key.
type inHold struct {
	hold              int
	approved, refused bool
}

type judge struct {
	plan    Plan
	book    Book
	targets map[string]*Target
	holds   []ledger.Hold
	texts   map[int]wording
	next    int
	units   []unit
	fates   [][]fate // by subject and change
	buckets map[bucket][]int
	byKey   map[target.Key][]inHold
	// named are the people removed by name in the last hour.
	named map[identity.Ordinal]bool
}

func newJudge(p Plan, b Book) *judge {
	j := &judge{plan: p, book: b, targets: make(map[string]*Target, len(b.Targets)), texts: map[int]wording{}, next: b.FirstFreeHold,
		fates: make([][]fate, len(p.Subjects)), buckets: map[bucket][]int{}, byKey: map[target.Key][]inHold{},
		named: map[identity.Ordinal]bool{}}
	for i := range b.Targets {
		j.targets[b.Targets[i].Name] = &b.Targets[i]
	}
	for _, s := range b.Spends {
		if s.Rule == RuleNamed.String() && s.At.After(b.Now.Add(-time.Hour)) {
			j.named[s.Person] = true
		}
	}
	j.holds = slices.SortedFunc(slices.Values(b.Holds), compareHolds)
	for i := range j.holds {
		j.holds[i] = lapse(j.holds[i], b.Now)
		yes, no := setOf(j.holds[i].Approved), setOf(j.holds[i].Refused)
		for _, k := range j.holds[i].Keys {
			j.byKey[k.Key] = append(j.byKey[k.Key], inHold{i, yes[k.Key], no[k.Key]})
		}
	}
	for i := range p.Subjects {
		j.fates[i] = make([]fate, len(p.Subjects[i].Changes))
		for c := range j.fates[i] {
			j.fates[i][c].hold = -1
		}
		j.units = append(j.units, unitsOf(i, p.Subjects[i].Changes, b.edit)...)
	}
	return j
}

// unitsOf groups the changes of one subject.
func unitsOf(subject int, changes []Planned, edit bool) []unit {
	var out []unit
	lead, closing := -1, -1
	for c := range changes {
		p := &changes[c]
		one := unit{subject: subject, items: []int{c}, forced: p.Rule}
		switch {
		case p.follows && lead >= 0 && p.Rule == changes[0].Rule:
			out[lead].items = append(out[lead].items, c)
			continue
		case p.closing && p.Change.Verb != target.Delete:
			if closing >= 0 {
				out[closing].items = append(out[closing].items, c)
				continue
			}
			closing = len(out)
			if !p.counted {
				one.rule, one.roles = RuleRemove, []string{""}
			}
		default:
			one.rule, one.roles = limitOf(p, edit)
		}
		if c == 0 {
			lead = len(out)
		}
		out = append(out, one)
	}
	return out
}

// limitOf is the limit that a change counts against, and for which roles; of an
// update it is the attribute.
func limitOf(p *Planned, edit bool) (Rule, []string) {
	none := []string{""}
	switch p.Change.Verb {
	case target.Create, target.Link:
		return RuleCreate, none
	case target.Enable:
		if p.asked || p.opening {
			return "", nil
		}
		return RuleEnable, none
	case target.Rename:
		return RuleRename, none
	case target.Delete, target.Disable:
		return RuleRemove, none
	case target.Update:
		if p.awaited && !edit {
			return "", nil
		}
		return RuleUpdate, []string{p.Change.Set[0].Name}
	case target.Grant:
		if edit {
			return RuleUpdate, []string{"entitlement " + p.Change.Entitlement}
		}
	case target.Revoke:
		if len(p.Roles) > 0 {
			return RuleRevoke, p.Roles
		}
		return RuleRevoke, none
	}
	return "", nil
}

// sort decides what needs no limit, and puts the rest into buckets.
func (j *judge) sort(i int) {
	u := &j.units[i]
	s := &j.plan.Subjects[u.subject]
	lead := &s.Changes[u.items[0]]
	t := j.targets[s.Target]
	for _, c := range u.items {
		if s.Changes[c].Parked {
			j.fates[u.subject][c].state = retrying
		}
	}
	applies := j.applies(u, t)
	switch {
	case lead.Parked && !lead.closing:
		j.all(u, fate{state: retrying, hold: -1})
	case t == nil:
		j.all(u, fate{state: withheld, hold: -1, why: "nothing is known of the target"})
	case t.Paused != "":
		j.all(u, fate{state: withheld, hold: -1, why: "paused: " + t.Paused})
	case lead.asked && lead.closing && j.byName(s.Person):
		j.all(u, fate{state: going, hold: -1})
		j.spend(u, RuleNamed, "")
	case j.setAside(u, applies):
	case u.forced != "":
		j.held(u, bucket{s.Target, u.forced, ""}, always(lead.Text))
	case applies.Whole():
		j.held(u, bucket{s.Target, applies, ""}, wholeText(applies, t))
	case applies == "":
		j.all(u, fate{state: going, hold: -1})
	default:
		for _, role := range u.roles {
			at := bucket{s.Target, applies, role}
			j.buckets[at] = append(j.buckets[at], i)
		}
	}
}

// applies is the rule that a unit falls under.
func (j *judge) applies(u *unit, t *Target) Rule {
	switch {
	case u.forced != "":
		return u.forced
	case t == nil:
		return u.rule
	case t.Restored != "":
		return RuleRestored
	case t.New && t.Rules.Guard.First != apply:
		return RuleFirst
	case t.Rules.Guard.First == apply && (t.New || t.Linked == 0) && (u.rule == RuleCreate || u.rule == RuleUpdate):
		return ""
	}
	return u.rule
}

// byName says whether naming the person approves their removal: a few an hour.
func (j *judge) byName(who identity.Ordinal) bool {
	if !j.named[who] && len(j.named) >= namedPerHour {
		return false
	}
	j.named[who] = true
	return true
}

// setAside finds what open holds say of the changes, and whether that decides
// the unit.
func (j *judge) setAside(u *unit, applies Rule) bool {
	s := &j.plan.Subjects[u.subject]
	f := j.known(s.Changes[u.items[0]].Key, applies, u.forced)
	if f.state == open {
		return false
	}
	for n, c := range u.items {
		g := f
		if n > 0 {
			switch own := j.known(s.Changes[c].Key, applies, u.forced); {
			case own.state != open:
				g = own
			case f.state == approved && applies.Whole():
				g = j.join(bucket{s.Target, applies, ""}, wholeText(applies, j.targets[s.Target]))
			case f.state == approved && applies == RuleAdopt:
				// Linking was approved, and not what an account is then made to be.
				g = j.join(bucket{s.Target, applies, ""}, always(adoptText))
			case f.state == approved:
				g = fate{state: going, hold: -1}
			}
		}
		j.set(u.subject, c, g)
	}
	return true
}

// known is what the open holds say of a key. A hold keeps it only while it
// falls under the rule of that hold; an approval or a rejection stands for the
// change itself, but what is now held for another reason needs a decision on
// that.
func (j *judge) known(k target.Key, applies, forced Rule) fate {
	best := fate{state: open, hold: -1}
	for _, in := range j.byKey[k] {
		same := j.holds[in.hold].Rule == applies.String()
		switch {
		case in.approved && (same || forced == ""):
			return fate{state: approved, hold: in.hold, member: true}
		case in.refused:
			best = fate{state: refused, hold: in.hold, member: true}
		case same && best.state == open:
			best = fate{state: waiting, hold: in.hold, member: true}
		}
	}
	return best
}

// limits judges the buckets, in order. A unit in several is held if one trips.
func (j *judge) limits() {
	keys := slices.SortedFunc(maps.Keys(j.buckets), func(a, b bucket) int {
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.rule, b.rule), cmp.Compare(a.role, b.role))
	})
	tripped := func(i int) bool {
		u := &j.units[i]
		return j.fates[u.subject][u.items[0]].state == waiting
	}
	for _, at := range keys {
		var units []int
		for _, i := range j.buckets[at] {
			if !tripped(i) {
				units = append(units, i)
			}
		}
		limit, used, n := j.limit(at)
		if float64(used+len(units)) <= limit {
			continue
		}
		text := j.overLimit(at, limit, used, n)
		for _, i := range units {
			j.held(&j.units[i], at, text)
		}
	}
	for _, at := range keys {
		for _, i := range j.buckets[at] {
			if u := &j.units[i]; !tripped(i) {
				j.all(u, fate{state: going, hold: -1, spends: j.fates[u.subject][u.items[0]].spends})
				j.spend(u, at.rule, at.role)
			}
		}
	}
}

// overLimit says how much is over a limit.
func (j *judge) overLimit(at bucket, limit float64, used, n int) wording {
	window := j.targets[at.target].Rules.Guard.Window
	return func(people int) string {
		return fmt.Sprintf("%s; the limit is %s of %d in %s", tally(at, people, used), number(limit), n, window)
	}
}

// limit is the limit of a bucket, what of it is used up, and of how many.
func (j *judge) limit(at bucket) (limit float64, used, n int) {
	t := j.targets[at.target]
	since := j.book.Now.Add(-time.Duration(t.Rules.Guard.Window))
	removed, revoked := map[identity.Ordinal]bool{}, map[identity.Ordinal]bool{}
	for _, s := range j.book.Spends {
		if s.Target != at.target || !s.At.After(since) {
			continue
		}
		if s.Rule == at.rule.String() && s.Role == at.role {
			used++
			if !j.book.Again[Regained{at.target, at.role, s.Person}] {
				revoked[s.Person] = true
			}
		}
		if s.Rule == RuleRemove.String() && !j.book.Again[Regained{at.target, "", s.Person}] {
			removed[s.Person] = true
		}
	}
	n = t.Linked + len(removed)
	if at.rule == RuleRevoke && at.role != "" {
		n = t.Holders[at.role] + len(revoked)
	}
	for _, l := range t.Rules.Guard.limits() {
		if l.rule == at.rule && l.limit != nil {
			return l.limit.Of(n), used, n
		}
	}
	return 1, used, n
}

// dependencies keeps what needs a change that does not go: the account it would
// change is not there, the name it takes is not free, the right it conflicts
// with is still held.
func (j *judge) dependencies() {
	at := map[target.Key][2]int{}
	for i := range j.plan.Subjects {
		for c := range j.plan.Subjects[i].Changes {
			at[j.plan.Subjects[i].Changes[c].Key] = [2]int{i, c}
		}
	}
	for again := true; again; {
		again = false
		for i := range j.plan.Subjects {
			changes := j.plan.Subjects[i].Changes
			for c := range changes {
				if !j.fates[i][c].goes() {
					continue
				}
				if changes[c].follows && !j.fates[i][0].goes() {
					j.waitFor(i, c, changes[0].Change, j.fates[i][0])
					again = true
					continue
				}
				needs := changes[c].After
				if changes[c].With != (target.Key{}) {
					needs = append(slices.Clone(needs), changes[c].With)
				}
				for _, k := range needs {
					if need, is := at[k]; is && !j.fates[need[0]][need[1]].goes() {
						j.waitFor(i, c, j.plan.Subjects[need[0]].Changes[need[1]].Change, j.fates[need[0]][need[1]])
						again = true
						break
					}
				}
				if why := changes[c].Behind; why != "" && j.fates[i][c].goes() {
					j.fates[i][c] = fate{state: following, hold: -1, why: why}
					again = true
				}
			}
		}
	}
}

// waitFor keeps a change because of another. If that one is in a hold, so is
// this, until it is decided; the hold does not count it.
func (j *judge) waitFor(i, c int, other target.Change, f fate) {
	why := "waits for: " + Words(other)
	if f.state == retrying || f.state == following {
		j.fates[i][c] = fate{state: f.state, hold: -1, why: why}
		return
	}
	j.fates[i][c] = fate{state: withheld, hold: f.hold, why: why}
}

func (j *judge) set(subject, c int, f fate) {
	if j.fates[subject][c].state == retrying && f.state != retrying {
		return
	}
	j.fates[subject][c] = f
}

func (j *judge) all(u *unit, f fate) {
	for _, c := range u.items {
		j.set(u.subject, c, f)
	}
}

func (j *judge) held(u *unit, at bucket, text wording) { j.all(u, j.join(at, text)) }

// spend lets the first change of the unit that goes count.
func (j *judge) spend(u *unit, rule Rule, role string) {
	for _, c := range u.items {
		f := &j.fates[u.subject][c]
		if f.state == going {
			s := &j.plan.Subjects[u.subject]
			f.spends = append(f.spends, ledger.Spend{Target: s.Target, Rule: rule.String(), Role: role, Person: s.Person, At: j.book.Now})
			return
		}
	}
}
