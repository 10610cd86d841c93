package main

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

// printRejected shows what stays undone because somebody said so: it needs nobody, and
// it must not be forgotten either.
func (a *app) printRejected(p *page, st *rostersync.Status) {
	rejected := slices.DeleteFunc(slices.Clone(st.Holds), func(h ledger.Hold) bool { return h.Status != ledger.Rejected || len(h.Keys) == 0 })
	if len(rejected) == 0 {
		return
	}
	fmt.Fprintln(p.w)
	p.head("Rejected", "")
	var names []string
	for _, h := range rejected {
		names = append(names, h.ID)
	}
	p.columns(names...)
	for _, h := range rejected {
		people := map[uint64]bool{}
		for _, k := range h.Keys {
			people[uint64(k.Person)] = true
		}
		p.row(h.ID, "", h.Target+": "+h.Text)
		what := fmt.Sprintf("%s of %s stay undone until they change", count(len(h.Keys), "change"), count(len(people), "person"))
		if h.Rule == ledger.RulePolicy {
			what = "the file does not govern until it changes"
		}
		p.more("", fmt.Sprintf("%s; rejected by %s; to let it go all the same: rosterd approve %s", what, first(h.ApprovedBy, "somebody"), h.ID))
	}
}
