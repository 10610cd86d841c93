package main

import (
	"errors"
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
)

// Why everything was read is said with its cause, to people and to machines.
func TestWhyEverythingWasRead(t *testing.T) {
	r := rostersync.Read{Source: "corp", Way: rostersync.Everything, Why: "what changed could not be read", Cause: errors.New("referral (10)")}
	const why = "what changed could not be read: referral (10)"
	if got := rereadText(r); got != "everything of corp was read: "+why {
		t.Errorf("%q", got)
	}
	if got := newReadDocument(r).Why; got != why {
		t.Errorf("%q", got)
	}
	if r.Cause = nil; rereadText(r) != "everything of corp was read: what changed could not be read" {
		t.Errorf("%q", rereadText(r))
	}
	if got := rereadText(rostersync.Read{Source: "corp", Way: rostersync.Everything}); got != "" {
		t.Errorf("it was asked for: %q", got)
	}
}
