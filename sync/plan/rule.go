package plan

import "github.com/rosterd/rosterd/ledger"

// Rule is a limit of the guard, or a reason to hold at any count. It is the
// word of a hold and of a spend.
type Rule string

// The rules.
const (
	RuleRemove Rule = "max_remove"
	RuleRevoke Rule = "max_revoke"
	RuleCreate Rule = "max_create"
	RuleEnable Rule = "max_enable"
	RuleRename Rule = "max_rename"
	RuleUpdate Rule = "max_update"
	// RuleFirst holds the whole plan of a new target.
	RuleFirst Rule = "first"
	// RuleRestored holds the whole plan of a target after the state was restored,
	// or lost commits: what was done since is not known.
	RuleRestored Rule = "restored"
	// RuleGroup: a group that the policy names is missing, emptied or replaced.
	RuleGroup Rule = "group"
	// RuleBlackout: everybody under a container vanished at once.
	RuleBlackout Rule = "blackout"
	// RuleMinPeople: the source lists far fewer people than before.
	RuleMinPeople Rule = "min-people"
	// RuleMissing: an account of ours is not in the target any more.
	RuleMissing Rule = "missing"
	// RuleAdopt: an account that exists would be taken over.
	RuleAdopt Rule = "adopt"
	// RuleConflict: a right would come by roles that exclude each other.
	RuleConflict Rule = "conflict"
	// RulePolicy holds what another policy would do, as a whole.
	RulePolicy Rule = ledger.RulePolicy
	// RuleNamed counts the removals that a person was named for.
	RuleNamed Rule = "named"
)

func (r Rule) String() string { return string(r) }

// Whole says whether a hold of the rule is of all that is planned for a target.
func (r Rule) Whole() bool { return r == RuleFirst || r == RuleRestored }

// ruleLimit is a rule with its limit.
type ruleLimit struct {
	rule  Rule
	limit *Limit
}

func (g Guard) limits() []ruleLimit {
	return []ruleLimit{{RuleRemove, g.MaxRemove}, {RuleRevoke, g.MaxRevoke}, {RuleCreate, g.MaxCreate},
		{RuleEnable, g.MaxEnable}, {RuleRename, g.MaxRename}, {RuleUpdate, g.MaxUpdate}}
}
