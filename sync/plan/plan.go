package plan

import (
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// Plan is what a cycle would do, before the guard.
type Plan struct {
	Now time.Time
	// Subjects are every person in every target, sorted by target, leavers
	// first, then by login.
	Subjects []Subject
	// Orphans are accounts that belong to nobody, where a target was listed.
	Orphans []Orphan
	// Strays are those of them about which somebody has to decide, by target, where a
	// target was listed.
	Strays map[string][]Stray
	// Conflicts are the people who hold roles together that a conflict parts, by
	// login; those whom an exception lets be, too.
	Conflicts []InConflict
}

// Subject is one person in one target.
type Subject struct {
	Target string
	Person identity.Ordinal
	// Login is how people call the person: the login, else the name or DN.
	Login     string
	Situation Situation
	// Account is the name of the account, as far as there is one.
	Account string
	// Why says what the situation rests on.
	Why string
	// Notes are findings that change nothing, sorted.
	Notes []string
	// Look is set where the account must be looked at before anything is
	// planned for it. A second plan, with the answer, has the changes.
	Look *target.Query
	// Names are those of which must be known whether they are free, before anything
	// is planned for the account: a plan with the answers in Target.Names may ask
	// for more.
	Names []string
	// Changes are in the order in which they should be made.
	Changes []Planned
	// Link is the link corrected by what was observed, without any write; nil
	// if it stands. It is to be stored before the changes are made.
	Link *ledger.Link
	// Agrees: the account was looked at and is as it should be.
	Agrees bool
	// Park is set where nothing can be done: the mapping failed, the target is
	// down, a name is taken.
	Park *ledger.Parked
	// Held says why nothing is done although no approval could change that:
	// "taken", "ambiguous", "protected" …; empty else.
	Held string
	// Retained is when the closed account will be deleted; zero if never.
	Retained time.Time
	// Kept says by which exception the closed account is not deleted, whatever
	// the leaver rules say; empty if by none.
	Kept string
	// Postponed: what is to be done waits for the next complete read of the
	// source. Whoever it is about must be looked at again then.
	Postponed bool
	// Later: an attribute refers to somebody who has no account yet, and is left as it
	// is until the second pass.
	Later bool
	// unread: the plan says nothing about this subject's earlier changes.
	unread bool
	// found are the accounts that are or may be theirs, and by what they were found.
	// byMark: it was its mark; confirmed: a match found the same. adopts: the file says
	// that this is enough.
	found                     []target.Account
	by                        target.Match
	byMark, confirmed, adopts bool
	// left: the accounts that were found look like those of somebody who left.
	left bool
	// freed are the changes that can be made if the plan frees the name that
	// is taken.
	freed []Planned
}

// Planned is one change with everything that is shown of it.
type Planned struct {
	Change target.Change
	Key    target.Key
	// Reasons are the chains that explain it; Because are they in words.
	Reasons []mapping.Reason
	Because []string
	// Roles are those for which an entitlement is given, or was.
	Roles []string
	// Rule is set where the change is held at any count: "group", "blackout",
	// "min-people", "missing", "adopt".
	Rule Rule
	// Text says why, for the hold.
	Text string
	// After are the changes that must have been made before: they free a name,
	// or take a conflicting right. If one is held, so is this.
	After []target.Key
	// Behind says which right in another target has to be gone first, seen to be so: a
	// conflict parts it from what this gives. Targets are written to side by side, so
	// that this comes in a later pass.
	Behind string
	// With is a change without which this one is not made, whichever comes first.
	With target.Key
	// Awaits are the attributes that an account is made or taken over without, since
	// whom they refer to has no account yet.
	Awaits []string
	// Nothing: the look-up before a Create found no account.
	Nothing bool
	// Owed: a Create or Enable after which a password is to be set and handed over.
	// Shut: a Create that makes a closed account, a Link of one that is closed.
	Owed, Shut bool
	// Parked: it failed, and is not tried before its time.
	Parked bool
	// follows: it depends on the first change of its subject, which makes,
	// links or enables the account.
	follows bool
	// awaited: it writes what the account was made without, and has not: the plan that
	// made it said so, and it counts as that.
	awaited bool
	// asked: somebody named the person for this.
	asked bool
	// opening: it opens an account that was made closed.
	opening bool
	// closing: part of a leaver's removal; counted: the account was closed
	// before, and this counts as that.
	closing, counted bool
}

// Orphan is an account in the managed scope that belongs to nobody. It is
// reported and never touched.
type Orphan struct {
	Target  string
	ID      target.NativeID
	Name    string
	Enabled bool
}

// Wants says whether the plan asks for a look before it can be complete.
func (p Plan) Wants() bool {
	for _, s := range p.Subjects {
		if s.Look != nil || len(s.Names) > 0 {
			return true
		}
	}
	return false
}
