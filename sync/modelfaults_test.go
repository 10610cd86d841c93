package sync_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	gosync "sync"

	"pgregory.net/rapid"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

func (m *model) sourceFault() {
	faults := map[string]source.Faults{
		"read fails":       source.FailRead(0),
		"read is cut off":  source.FailRead(9),
		"no look-up":       source.FailFind(),
		"people hidden":    source.HideBelow(people),
		"north hidden":     source.HideBelow("ou=north," + people),
		"all hidden":       source.HideBelow("dc=example"),
		"types hidden":     source.Lose("employeeType"),
		"logins hidden":    source.Lose("uid"),
		"members hidden":   source.Lose("member"),
		"another server":   {Server: "other"},
		"another identity": {Bind: "somebody"},
	}
	if m.follows {
		faults["lost cursor"] = source.Faults{Lost: "a change log that was trimmed"}
		faults["changes cut off"] = source.Faults{Follow: func(_ context.Context, told int) error {
			if told < 2 {
				return nil
			}
			return errors.New("cut off")
		}}
		faults["deletions unproved"] = source.Faults{Unproved: true}
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(faults))).Draw(m.t, "source fault")
	m.say("source: %s", name)
	m.faulty = true
	m.losing = slices.Contains([]string{"types hidden", "logins hidden", "members hidden"}, name)
	m.source.SetFaults(faults[name])
}

// unmet: somebody may be met for the first time while part of them is hidden. They have
// lost nothing, so nothing is looked for, and when it is shown again they did not change:
// the resync tells.
func (m *model) unmet() {
	if !m.losing || !m.follows || m.hand {
		return
	}
	for _, h := range m.humans {
		m.hand = m.hand || h.there && !m.ordinal(h).Valid()
	}
}

func (m *model) aTarget() string {
	return rapid.SampledFrom([]string{"chat", "wiki"}).Draw(m.t, "target")
}

func (m *model) targetFault() {
	name := m.aTarget()
	after := rapid.IntRange(1, 6).Draw(m.t, "after")
	class := rapid.SampledFrom([]target.Class{target.Refused, target.Transient, target.Denied, target.Missing, target.Exists, target.InDoubt}).Draw(m.t, "class")
	down := func(int) error { return errors.New("no route to host") }
	faults := map[string]memory.Faults{
		"one write fails": every(after, 1<<30, memory.Fault{Err: &target.Error{Class: class, Err: errors.New("as asked")}}),
		"writes fail":     every(after, 2, memory.Fault{Err: &target.Error{Class: class, Err: errors.New("as asked")}}),
		"all fail":        every(1, 1, memory.Fault{Err: &target.Error{Class: class, Err: errors.New("as asked")}}),
		"answers lost":    every(after, 2, memory.Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: errors.New("lost")}}),
		"short list":      memory.ShortList(2),
		"down":            {List: down, Look: func([]target.Query) error { return down(0) }},
	}
	what := rapid.SampledFrom(slices.Sorted(maps.Keys(faults))).Draw(m.t, "target fault")
	m.say("%s: %s (%s, after %d)", name, what, class, after)
	m.faulty = true
	m.member[name].SetFaults(faults[what])
}

// every fails the n-th write from now, and each step-th after it.
func every(n, step int, f memory.Fault) memory.Faults {
	var mu gosync.Mutex
	at := 0
	return memory.Faults{Write: func(int, memory.Write) memory.Fault {
		mu.Lock()
		defer mu.Unlock()
		if at++; at >= n && (at-n)%step == 0 {
			return f
		}
		return memory.Fault{}
	}}
}

func (m *model) heal() {
	m.say("healthy again")
	m.faulty, m.losing, m.loses = false, false, 0
	m.source.SetFaults(source.Faults{})
	clear(m.old)
	clear(m.odd)
	for _, w := range m.member {
		w.SetFaults(memory.Faults{})
	}
}
