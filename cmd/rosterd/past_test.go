package main

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/target"
)

// TestPastOfAnAccountThatIsMarkedAnew: a link of what is ours already is no adoption, and
// opens nothing.
func TestPastOfAnAccountThatIsMarkedAnew(t *testing.T) {
	began := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	p := &past{targets: map[string]*pastAccount{}}
	done := true
	for i, v := range []struct {
		action  string
		account target.NativeID
	}{{"create", "a"}, {"disable", "a"}, {"link", "a"}} {
		view := auditView{}
		view.Kind, view.Action, view.Target, view.Time = "outcome", v.action, "wiki", began.Add(time.Duration(i)*time.Hour)
		view.Write.Account, view.Public.Done = string(v.account), &done
		p.take(view, 1)
	}
	a := p.targets["wiki"]
	if a.phase != "disabled" || a.made != "create" || !a.begin.at.Equal(began) || !a.changed.at.Equal(began.Add(time.Hour)) {
		t.Errorf("%s, made by %s at %s, so since %s", a.phase, a.made, a.begin.at, a.changed.at)
	}
}
