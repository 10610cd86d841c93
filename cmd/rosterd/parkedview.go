package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// parkedGroup is what is parked in a target for one reason.
type parkedGroup struct {
	first    ledger.Parked
	subjects map[string]bool
	people   []identity.Ordinal
	attempts int       // the most of one
	next     time.Time // the earliest; zero where none is tried by itself
}

// groupParked puts together those that one cause parked: forty people whom one rule cannot map
// must not hide the one whom a target refused.
func groupParked(all []ledger.Parked) []*parkedGroup {
	type cause struct{ target, err, hint string }
	at := map[cause]*parkedGroup{}
	var out []*parkedGroup
	for _, k := range all {
		c := cause{k.Target, k.Error, k.Hint}
		g := at[c]
		if g == nil {
			g = &parkedGroup{first: k, subjects: map[string]bool{}, next: k.Next}
			at[c], out = g, append(out, g)
		}
		g.subjects[k.Subject] = true
		g.people = append(g.people, k.Person)
		g.attempts = max(g.attempts, k.Attempts)
		if !k.Next.IsZero() && (g.next.IsZero() || k.Next.Before(g.next)) {
			g.next = k.Next
		}
	}
	for _, g := range out {
		slices.Sort(g.people)
		g.people = slices.Compact(g.people)
	}
	return out
}

// parkedText says in a line what is parked, and when it is tried again.
func (a *app) parkedText(g *parkedGroup, now time.Time, login func(identity.Ordinal) string) string {
	next := "waits for a correction"
	if !g.next.IsZero() {
		next = "next " + ago(now, g.next)
	}
	what := g.first.Error
	if len(g.subjects) == 1 {
		what = g.first.Subject + ": " + what
	}
	if len(g.people) == 1 {
		return fmt.Sprintf("%s, %s: %s (attempt %d, %s)", g.first.Target, login(g.people[0]), what, g.attempts, next)
	}
	return fmt.Sprintf("%s, %s: %s (%s; attempt %d, %s)", g.first.Target, count(len(g.people), "person"), what, a.names(g.people, login), g.attempts, next)
}
