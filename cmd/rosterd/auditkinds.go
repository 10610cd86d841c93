package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// recordKinds are the kinds of record that a journal may have.
var recordKinds = []string{"intent", "outcome", "verify", "unverified", "cycle", "hold", "hold-closed", "approve", "reject", "reopen",
	"deny", "allow", "except", "unexcept", "pause", "resume", "retry", "retry-target", "target-broken", "target-mended", "policy", "relink",
	"forget", "forgot", "forget-target", "accept-absence", "accept-dark", "accept-drop", "accept-group", "accept-older", "agreed", "cut", "restored", "torn"}

// saidOtherwise are words of the command line for kinds that the journal calls otherwise.
var saidOtherwise = map[string]string{"offboard": "deny", "release": "allow", "grant": "except", "retain": "except", "ungrant": "unexcept", "unretain": "unexcept"}

// mayAsk refuses what no record is: an auditor must not take a misspelt word for "this
// was never done".
func (o *auditOptions) mayAsk() error {
	if k := o.filter.Kind; k != "" && !slices.Contains(recordKinds, k) {
		tip := "one of: " + strings.Join(recordKinds, ", ")
		if other := saidOtherwise[k]; other != "" {
			tip = "the journal calls it " + other + ": --kind " + other
		}
		return usage(fmt.Errorf("audit: there is no kind of record %q", k), tip)
	}
	if v := o.filter.Action; v != "" {
		var all []string
		for n := target.Link; n <= target.SetPassword; n++ {
			all = append(all, n.String())
		}
		if !slices.Contains(all, v) {
			return usage(fmt.Errorf("audit: nothing is written that is called %q", v), "one of: "+strings.Join(all, ", "))
		}
	}
	return nil
}
