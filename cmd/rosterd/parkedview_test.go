package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// TestParkedForOneReason: what is told of a group is the soonest attempt and the most that
// there were; what differs in target, error or hint stands apart.
func TestParkedForOneReason(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	groups := groupParked([]ledger.Parked{
		{Target: "wiki", Person: 2, Subject: "create b", Error: "refused", Attempts: 1},
		{Target: "wiki", Person: 1, Subject: "create a", Error: "refused", Attempts: 3, Next: now.Add(2 * time.Hour)},
		{Target: "wiki", Person: 1, Subject: "grant Writers of a", Error: "refused", Attempts: 2, Next: now.Add(time.Hour)},
		{Target: "site", Person: 1, Subject: "create a", Error: "refused"},
		{Target: "wiki", Person: 3, Subject: "create c", Error: "refused", Hint: "do something"},
		{Target: "wiki", Person: 4, Subject: "create d", Error: "no room"},
	})
	if len(groups) != 4 {
		t.Fatalf("%d groups", len(groups))
	}
	a := &app{}
	login := func(o identity.Ordinal) string { return "writer" + strings.TrimPrefix(o.String(), "#") }
	for i, want := range []string{
		"wiki, 2 people: refused (writer1, writer2; attempt 3, next in 1 h)",
		"site, writer1: create a: refused (attempt 0, waits for a correction)",
		"wiki, writer3: create c: refused (attempt 0, waits for a correction)",
		"wiki, writer4: create d: no room (attempt 0, waits for a correction)",
	} {
		if got := a.parkedText(groups[i], now, login); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
