package plan

import (
	"slices"
	"testing"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
)

// An account that comes by roles which a conflict parts waits like a right does, and
// so does what would come beside a role in doubt; what another role gives as well does
// not, nor what an exception lets be.
func TestConflictHoldsAccounts(t *testing.T) {
	pay := []mapping.Conflicted{{Conflict: "pay", Roles: []string{"approver", "author"}, Action: hold}}
	for what, c := range map[string]struct {
		roles     []string
		conflicts []mapping.Conflicted
		held      bool
	}{
		"by one of them":     {[]string{"author"}, pay, true},
		"by both":            {[]string{"approver", "author"}, pay, true},
		"by another too":     {[]string{"author", "employee"}, pay, false},
		"by another":         {[]string{"employee"}, pay, false},
		"reported":           {[]string{"author"}, []mapping.Conflicted{{Conflict: "pay", Roles: pay[0].Roles, Action: report}}, false},
		"one in doubt":       {[]string{"author"}, []mapping.Conflicted{{Conflict: "pay", Roles: []string{"author"}, Doubtful: []string{"approver"}, Action: hold}}, true},
		"one in doubt, told": {[]string{"author"}, []mapping.Conflicted{{Conflict: "pay", Roles: []string{"author"}, Doubtful: []string{"approver"}, Action: report}}, false},
		"excepted":           {[]string{"author"}, []mapping.Conflicted{{Conflict: "pay", Roles: pay[0].Roles, Action: hold, Excepted: []mapping.Reason{{Text: "alone"}}}}, false},
		"without a conflict": {[]string{"author"}, nil, false},
	} {
		r := newRig(t)
		r.hire(1)
		r.account(1).Roles = c.roles
		r.people[1].Desired.Conflicts = c.conflicts
		p, v := r.plan(false)
		held := slices.ContainsFunc(v.Holds, func(h ledger.Hold) bool { return h.Rule == "conflict" })
		if held != c.held || v.Cleared.Empty() != c.held {
			t.Errorf("%s: held %v, want %v: %s", what, held, c.held, verbs(p.Subjects[0]))
		}
		told := len(c.conflicts) > 0 && len(c.conflicts[0].Roles) > 1
		if (len(p.Conflicts) == 1) != told {
			t.Errorf("%s: %+v", what, p.Conflicts)
		}
	}
}
