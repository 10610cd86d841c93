package plan

import (
	"slices"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// What only an open account has is not missed on a closed one, and is given back with
// it: that it went was the closing's doing, and nobody's drift.
func TestWhileOpen(t *testing.T) {
	r := newRig(t)
	r.caps.WhileOpen = []string{"Title"}
	r.rules.Drift.Attributes = report
	r.staff(3)
	shut := func(a *target.Account) { a.Enabled, a.Attributes["title"] = false, nil }
	r.edit(1, shut)
	for range 2 {
		if p, v := r.cycle(true); v.Pending() {
			t.Fatalf("missed on a closed account: %v", said(subjectOf(t, p, 1)))
		}
	}
	r.release = 1
	p, _ := r.cycle(true)
	wantWords(t, subjectOf(t, p, 1), "enable writer1", "update title of writer1")
	r.release = 0
	// Closed by us.
	r.standing(1, identity.Disabled)
	r.cycle(true)
	r.edit(1, shut)
	r.standing(1, identity.Active)
	p, _ = r.cycle(true)
	wantWords(t, subjectOf(t, p, 1), "enable writer1", "update title of writer1", "grant Writers of writer1")
	if a := r.seen(1); !a.Enabled || len(a.Attributes["title"]) != 1 {
		t.Errorf("came back as %+v", a)
	}
	// On an open account it is an attribute like any other.
	r.edit(1, func(a *target.Account) { a.Attributes["title"] = nil })
	p, _ = r.cycle(true)
	wantWords(t, subjectOf(t, p, 1))
	r.rules.Drift.Attributes = enforce
	p, _ = r.cycle(true)
	wantWords(t, subjectOf(t, p, 1), "update title of writer1")
}

// What is written on-create comes back with the account that lost it for being closed,
// once: whoever changes it later keeps it.
func TestWhileOpenOnCreate(t *testing.T) {
	r := newRig(t)
	r.caps.WhileOpen = []string{"title"}
	r.staff(3)
	once := func(v string) {
		r.set(1, mapping.Attribute{Name: "title", Values: []string{v}, Mode: mapping.OnCreate})
	}
	once("Writer")
	r.cycle(true)
	r.standing(1, identity.Disabled)
	r.cycle(true)
	r.edit(1, func(a *target.Account) { a.Enabled, a.Attributes["title"] = false, nil })
	once("Editor")
	r.standing(1, identity.Active)
	p, _ := r.cycle(false)
	wantWords(t, subjectOf(t, p, 1), "enable writer1", "update title of writer1", "grant Writers of writer1")
	if a := r.seen(1); !a.Enabled || !slices.Equal(a.Attributes["title"], []string{"Editor"}) {
		t.Errorf("came back as %+v", a)
	}
	once("Lead")
	r.edit(1, func(a *target.Account) { a.Attributes["title"] = []string{"Somebody's"} })
	for _, full := range []bool{false, true} {
		p, _ = r.cycle(full)
		wantWords(t, subjectOf(t, p, 1))
	}
}
