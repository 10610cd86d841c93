package sync_test

import (
	"context"
	"strings"

	"pgregory.net/rapid"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// stranger is an account that somebody made by hand for a person who is yet to come.
func (m *model) stranger() {
	var free []string
	for i := range modelPeople {
		if m.humans[login(i)] == nil {
			free = append(free, login(i))
		}
	}
	if len(free) == 0 {
		return
	}
	name, login := m.aTarget(), rapid.SampledFrom(free).Draw(m.t, "for")
	if m.strangers[login] {
		return
	}
	right := rapid.SampledFrom([]string{"Writers", "Room", "Other"}).Draw(m.t, "holds")
	m.say("%s: somebody makes %s, with %s", name, login, right)
	id := m.member[name].Put(target.Account{Name: login, Enabled: rapid.Bool().Draw(m.t, "open"), Entitlements: []string{right}})
	m.strangers[login], m.foreign[name+"/"+string(id)], m.closed = true, true, true
	m.extra[name+"/"+string(id)+"/"+right] = true
}

// adopt takes over what looks like somebody's, as somebody decides who saw it.
func (m *model) adopt() {
	a := rostersync.Adopting{Target: m.aTarget(), Match: []string{"name"}, Limit: rapid.IntRange(0, 1).Draw(m.t, "limit")}
	m.say("adopt %s, limit %d", a.Target, a.Limit)
	before := m.writes()
	found, r, err := m.engine.Correlate(context.Background(), a, rostersync.Request{Verb: "adopt"})
	if err != nil {
		m.mayFail(err)
		return
	}
	m.check(r, nil)
	if m.writes() != before {
		m.t.Fatal("looking for owners wrote something")
	}
	for _, f := range found.Chosen {
		m.approved[f.Link.Key] = true
	}
	_, r, err = m.engine.Adopt(context.Background(), a, found.Version, found, rostersync.Request{Verb: "adopt", By: "admin"})
	m.mayFail(err)
	if r == nil {
		return
	}
	m.adopting = true // which writes the marks of a restored state anew, too
	defer func() { m.adopting = false }()
	for _, o := range r.Carried {
		if o.Change.Verb != target.Link {
			m.t.Fatalf("law 4: an adoption did something else: %s", o.Change.Verb)
		}
	}
	m.check(r, nil)
}

// mayFail is where an adoption ends with an error: something is broken, or was a moment
// ago, and is left alone.
func (m *model) mayFail(err error) {
	if err != nil && !m.faulty && !strings.Contains(err.Error(), "left alone until") {
		m.t.Fatalf("adopt: %v", err)
	}
}
