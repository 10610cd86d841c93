package sync_test

import (
	"errors"
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
)

// What a second pass ends with counts where it weighs more than the first.
func TestExitOfTwoPasses(t *testing.T) {
	failed := &rostersync.Report{Err: errors.New("the state is full")}
	parked := &rostersync.Report{InDoubt: 1}
	done := &rostersync.Report{}
	for _, c := range []struct {
		first, then *rostersync.Report
		want        int
	}{
		{done, done, rostersync.ExitDone}, {done, parked, rostersync.ExitParked}, {parked, done, rostersync.ExitParked},
		{parked, failed, rostersync.ExitFailed}, {failed, parked, rostersync.ExitFailed},
	} {
		r := *c.first
		r.Then = c.then
		if got := r.Exit(); got != c.want {
			t.Errorf("%d and then %d: %d", c.first.Exit(), c.then.Exit(), got)
		}
	}
}
