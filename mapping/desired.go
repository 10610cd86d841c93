package mapping

import (
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Desired is what one person should have, everywhere, and why.
type Desired struct {
	Person identity.Ordinal
	// Standing is that of the snapshot, or for somebody who is there Disabled or
	// NotYet where a date or the policy's condition says so.
	Standing identity.Standing
	// Why says in a few words what the standing rests on.
	Why string
	// Since is when the standing began.
	Since time.Time
	// Next is when a date changes something of this by itself, the standing or a
	// right; zero: none does. Until then the same subject gives the same.
	Next time.Time
	// Validity is what the source and the attributes that the policy names say of
	// when somebody who is there may have accounts.
	Validity identity.Validity
	// Roles are those held, sorted by name.
	Roles []Held
	// Doubts are roles that cannot be decided, sorted by name. They count as
	// not held, and what their loss would take away is not taken.
	Doubts []Doubtful
	// Denied are the roles that denies and the ends of grants take, with what those
	// include and nothing else gives, sorted. That they are not held is certain, whatever else is not.
	Denied []string
	// Conflicts are those that the roles held are in, sorted by name.
	Conflicts []Conflicted
	// Apart are the conflicts of which a role is held: what another role of them
	// gave goes first.
	Apart []Apart
	// Invalid says why nothing can be decided at all: a required attribute is
	// blank, the rehire key is shared. The last good state is kept.
	Invalid []string
	// Exceptions are those about this person, over and coming ones too, sorted.
	Exceptions []Excepted
	// Accounts has one element for each target, sorted by target.
	Accounts []Account
}

// Held is a role that a person holds, with every reason for it.
type Held struct {
	Role    string
	Because []Reason
}

// Doubtful is a role that may or may not be held.
type Doubtful struct {
	Role  string
	Doubt Doubt
}

// Doubt says what is not known. The zero value doubts nothing.
type Doubt struct {
	// Rule names the hold that an approval would decide ("group"), or is
	// "coverage" where only another read can help, or "value" where the
	// person's data must first make sense (two values where one is needed).
	// "exclusive": what comes first in an exclusive list is itself in doubt.
	// Of several doubts the one that is hardest to settle is told: coverage,
	// then value, then group.
	Rule string
	Text string
}

// Any says whether there is a doubt.
func (d Doubt) Any() bool { return d.Rule != "" }

// Account is what a person should have in one target.
type Account struct {
	Target string
	// Entitled: the person should have an account here.
	Entitled bool
	Because  []Reason
	// Roles give the account, sorted.
	Roles []string
	// Denied is set while an exception closes the account, whatever else is so:
	// it is disabled and stripped, and not deleted.
	Denied []Reason
	// Barred is set where only the denies of roles keep the person from an account
	// here: that is certain, whatever else is not.
	Barred []Reason
	// Retained is set while an exception keeps the account from being deleted.
	Retained []Reason
	// Ended are grants that are over, of roles that gave something here and are
	// not held any more.
	Ended []Reason
	// Doubt is set where the person is not entitled as far as was read, and
	// that is not proved.
	Doubt Doubt
	// Name is the value of the target's name attribute.
	Name string
	// Unique says what else the name may be, where Name is only the first to try;
	// nil: Name it is.
	Unique *Unique
	// Attributes are sorted by name and hold the name attribute too.
	Attributes []Attribute
	// Awaits are the attributes that have no value yet, since whom they refer to is
	// there and has no account here.
	Awaits []string
	// Remarks are about attributes that refer to others, by name.
	Remarks []Remark
	// Entitlements are sorted by name.
	Entitlements []Entitlement
	// Exclusive are the lists of which an account holds one, by name; Outranked are
	// the entitlements that a role gives and that such a list takes.
	Exclusive []Exclusive
	Outranked []Outranked
	// Invalid says why the attributes could not be computed; the account then
	// keeps its last good state.
	Invalid string
	// Match has the values to correlate by, in the configured order.
	Match []Match
}

// Match is one correlation value and what to do with what it finds.
type Match struct {
	Attribute, Value string
	// Adopt is "link" or "report".
	Adopt string
}

// Attribute is one attribute of an account as it should be.
type Attribute struct {
	Name   string
	Values []string
	Mode   Mode
	Reason Reason
	// Waits: somebody who is referred to has no account here, or none that is known
	// yet. Values lack theirs, and take nothing from an account in which nobody wrote them.
	Waits bool
}

// Mode says when an attribute is written.
type Mode string

const (
	// Enforce: always as the policy says.
	Enforce Mode = "enforce"
	// OnCreate: only when the account is made.
	OnCreate Mode = "on-create"
	// IfEmpty: only where the account has nothing there, whenever that is.
	IfEmpty Mode = "if-empty"
	// Merge: our values are added, others' stay, and what we added and want no
	// more goes.
	Merge Mode = "merge"
)

// Entitlement is one right in a target.
type Entitlement struct {
	Name string
	// Roles give it, sorted; empty where only a doubt speaks for it.
	Roles   []string
	Because []Reason
	// Doubt is set where no held role gives it and a doubtful one would, and
	// wherever the account itself is in doubt. What is in doubt is neither
	// given nor taken.
	Doubt Doubt
}

// Reason is one link in the chain that explains a right.
type Reason struct {
	// Rule is the key in the configuration: "role.writer.groups".
	Rule string
	// Where is file:line of the rule.
	Where string
	// Text is the reason in words.
	Text string
	// Path is the way through the groups, if there is one.
	Path []identity.GroupStep
}
