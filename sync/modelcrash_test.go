package sync_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	gosync "sync"

	"pgregory.net/rapid"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// die copies the state as it is at this instant, and lets nothing more reach a
// target. It is called where the program is killed.
func (m *model) die() {
	m.crash.Lock()
	defer m.crash.Unlock()
	if m.dead {
		return
	}
	m.dead = true
	m.states++
	last := []byte(nil)
	for { // another target's commit may be under way
		b, err := os.ReadFile(m.engine.Store.Path())
		if err == nil && bytes.Equal(b, last) {
			break
		}
		last = b
	}
	if err := os.WriteFile(m.nextState(), last, 0o600); err != nil {
		panic(err)
	}
}

func (m *model) nextState() string {
	return filepath.Join(m.folder, "state"+strconv.Itoa(m.states)+".db")
}

func (m *model) isDead() bool {
	m.crash.Lock()
	defer m.crash.Unlock()
	return m.dead
}

// killed runs a cycle in which somebody calls die, and goes on from what was on
// disk then.
func (m *model) killed() {
	var r *rostersync.Report
	var err error
	holds := m.holds()
	verbs := []string{"sync", "full", "approve", "offboard"}
	if m.with["decrees"] {
		verbs = append(verbs, "except")
	}
	switch what := rapid.SampledFrom(verbs).Draw(m.t, "killed in"); {
	case what == "approve" && len(holds) > 0:
		for _, k := range holds[0].Keys {
			m.approved[k.Key] = true
		}
		r, err = m.engine.Approve(context.Background(), rostersync.Approval{Hold: holds[0].ID, Version: holds[0].Version(), By: "admin"},
			rostersync.Request{Verb: "approve"})
	case what == "offboard":
		h := m.anybody()
		who := m.ordinal(h)
		if !who.Valid() {
			break
		}
		m.say("offboard %s", h.login)
		r, err = m.engine.Offboard(context.Background(), ledger.Denial{Person: who, Reason: "asked", By: "admin", At: m.now}, rostersync.Request{Verb: "offboard"})
		m.denied[who] = true
	case what == "except":
		if x, is := m.decree(); is {
			r, err = m.engine.Except(context.Background(), &rostersync.Decree{Exception: x}, rostersync.Request{Verb: x.Kind.String()})
		}
	default:
		r, err = m.engine.Cycle(context.Background(), rostersync.Request{Verb: "sync", Full: what == "full"})
	}
	m.killAt = 0
	m.source.SetFaults(source.Faults{})
	clear(m.old)
	clear(m.odd)
	for _, w := range m.member {
		w.SetFaults(memory.Faults{})
	}
	m.faulty, m.losing, m.loses = false, false, 0
	if !m.isDead() {
		if r != nil || err != nil {
			m.check(r, err)
		}
		return
	}
	m.say("killed")
	if r == nil {
		r = &rostersync.Report{}
	}
	m.dead = false
	if err := m.engine.Store.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.open(m.nextState())
	m.forgetDecrees()
	if denials, err := m.engine.Store.Denials(); err != nil {
		m.t.Fatal(err)
	} else {
		for who := range m.denied {
			if _, is := denials[who]; !is {
				delete(m.denied, who) // killed before it was on disk
			}
		}
	}
	m.check(r, nil)
}

// crashAnywhere kills at the n-th look at the clock.
func (m *model) crashAnywhere() {
	at := rapid.IntRange(1, 300).Draw(m.t, "instant")
	m.say("crash at the %d. look at the clock", at)
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			if m.isDead() {
				return gone
			}
			return memory.Fault{}
		}})
	}
	m.crash.Lock()
	m.asked, m.killAt = 0, at
	m.crash.Unlock()
	m.killed()
}

func (m *model) crashInWrite() {
	at := rapid.IntRange(1, 8).Draw(m.t, "write")
	applied := rapid.Bool().Draw(m.t, "applied")
	m.say("crash at write %d, applied %v", at, applied)
	var mu gosync.Mutex
	n := 0
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			if m.isDead() {
				return gone
			}
			mu.Lock()
			n++
			now := n == at
			mu.Unlock()
			if !now {
				return memory.Fault{}
			}
			m.die()
			if applied {
				return memory.Fault{Applied: true, Err: gone.Err}
			}
			return gone
		}})
	}
	m.killed()
}

func (m *model) crashInRead() {
	at := rapid.IntRange(0, 20).Draw(m.t, "entries")
	m.say("crash after %d entries", at)
	die := func(_ context.Context, given int) error {
		if given < at {
			return nil
		}
		m.die()
		return errors.New("we are dead")
	}
	m.source.SetFaults(source.Faults{Read: die, Follow: die})
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			if m.isDead() {
				return gone
			}
			return memory.Fault{}
		}})
	}
	m.killed()
}

// stop asks for an end once the k-th write was made.
func (m *model) stop() {
	at := rapid.IntRange(1, 4).Draw(m.t, "write")
	m.say("stop at write %d", at)
	stop := make(chan struct{})
	var once gosync.Once
	f := every(at, 1, memory.Fault{})
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(n int, x memory.Write) memory.Fault {
			f.Write(n, x)
			once.Do(func() { close(stop) })
			return memory.Fault{}
		}})
	}
	m.cycle(rostersync.Request{Verb: "sync", Stop: stop})
	m.heal()
}
