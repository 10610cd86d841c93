package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
)

// past is what one person had at an instant, as the journal tells it: what was done
// until then, and why.
type past struct {
	at      time.Time
	login   string
	targets map[string]*pastAccount
	// denied is the decision that closed everything, while it stands.
	denied *pastMark
	// excepted are the decisions by hand about this person that stand, by what they
	// are of.
	excepted map[string]pastMark
	// policy is the record that put the policy in force.
	policy *auditView
	// dropped: older records are not there any more, and what they gave is not told.
	dropped bool
	records int
}

// pastMark is a record: what it was, when, why.
type pastMark struct {
	seq     uint64
	at      time.Time
	cycle   string
	by      string
	because []string
	until   time.Time
}

// over says whether what was decided had ended by itself.
func (m pastMark) over(at time.Time) bool { return !m.until.IsZero() && !at.Before(m.until) }

// pastAccount is an account as it was.
type pastAccount struct {
	name, id string
	// made is how we came by it: create or link.
	made string
	// phase is open, disabled or deleted.
	phase      string
	begin      pastMark // of the account
	changed    pastMark // of the phase
	rights     map[string]pastMark
	attributes map[string]pastValue
	verified   time.Time
	// doubt says that a write left whose outcome was not known then.
	doubt string
	// unproved is what was not read back as it was written.
	unproved []string
}

// pastValue is an attribute as we wrote it last.
type pastValue struct {
	pastMark
	values []string
}

// explainPast is explain --at.
func (a *app) explainPast(s *session, text, when string) error {
	at, err := parseWhen("--at", when, a.now())
	if err != nil {
		return usage(err, `write a length of time or a day: --at 7d, --at 2026-11-01, --at "2026-11-01 17:00"`)
	}
	who, err := s.audited(text)
	if err != nil {
		return err
	}
	p, err := s.past(who, at)
	if err != nil {
		return err
	}
	if a.json {
		return failed(a.printJSON(p.document(uint64(who))))
	}
	a.printPast(p, s.login(who))
	return nil
}

// past reads the journal until an instant.
func (s *session) past(who identity.Ordinal, at time.Time) (*past, error) {
	p := &past{at: at, targets: map[string]*pastAccount{}, excepted: map[string]pastMark{}}
	begin := journal.Sealed{}
	err := s.store.Journal(state.JournalFilter{}, func(r journal.Sealed) error {
		begin = r
		return io.EOF
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, failed(err)
	}
	p.dropped = begin.Seq > 1
	if begin.Seq == 0 || at.Before(begin.Time) && p.dropped {
		return nil, usage(fmt.Errorf("explain --at %s: the journal begins with %s", minute(at), first(beginning(begin), "nothing")),
			"older months were dropped for their age; a copy of them may be in a backup")
	}
	until := at.Add(1)
	if err := s.store.Journal(state.JournalFilter{Person: who, Until: until}, func(r journal.Sealed) error {
		p.take(viewOf(r), uint64(who))
		return nil
	}); err != nil {
		return nil, failed(err)
	}
	p.ended()
	return p, failed(s.store.Journal(state.JournalFilter{Kind: "policy", Until: until, Last: 1}, func(r journal.Sealed) error {
		v := viewOf(r)
		p.policy = &v
		return nil
	}))
}

func beginning(r journal.Sealed) string {
	if r.Seq == 0 {
		return ""
	}
	return fmt.Sprintf("record %d of %s", r.Seq, minute(r.Time))
}

// take plays one record.
func (p *past) take(v auditView, who uint64) {
	p.records++
	if v.Person == who {
		p.login = first(v.Login, p.login)
	}
	mark := pastMark{seq: v.Seq, at: v.Time, cycle: v.Cycle, by: v.By, because: v.Write.Because}
	mark.until, _ = time.Parse(time.RFC3339, v.Public.Until)
	switch v.Kind {
	case "deny":
		mark.because = v.reasons()
		p.denied = &mark
	case "allow":
		p.denied = nil
	case "except":
		mark.because = v.reasons()
		p.excepted[v.exception()] = mark
	case "unexcept":
		delete(p.excepted, v.exception())
	case "intent":
		what, _ := v.write()
		p.account(v.Target).doubt = what
	case "outcome":
		p.account(v.Target).outcome(v, mark)
	case "verify":
		if slices.Contains(v.Public.People, who) {
			a := p.account(v.Target)
			a.verified, a.unproved = v.Time, nil
		}
	case "unverified":
		a := p.account(v.Target)
		for _, part := range v.Parts {
			if part.Person == who {
				a.unproved = append(a.unproved, v.Errors...)
			}
		}
	case "forget-target":
		delete(p.targets, v.Target)
	}
}

// ended lets go of what was over by then.
func (p *past) ended() {
	if p.denied != nil && p.denied.over(p.at) {
		p.denied = nil
	}
	maps.DeleteFunc(p.excepted, func(_ string, m pastMark) bool { return m.over(p.at) })
}

func (p *past) account(target string) *pastAccount {
	a := p.targets[target]
	if a == nil {
		a = &pastAccount{rights: map[string]pastMark{}, attributes: map[string]pastValue{}}
		p.targets[target] = a
	}
	return a
}

// outcome plays what came of a write. What was not done changes nothing.
func (a *pastAccount) outcome(v auditView, mark pastMark) {
	if v.Public.Done == nil || !*v.Public.Done {
		if v.Public.Class != "in-doubt" {
			a.doubt = ""
		}
		return
	}
	a.doubt = ""
	w, had := v.Write, a.id
	a.name, a.id = first(w.Name, a.name), first(w.Account, a.id)
	for _, s := range w.Set {
		values := secret.Values(s.Name, s.Values)
		a.attributes[s.Name] = pastValue{mark, values}
	}
	switch v.Action {
	case "create", "link":
		if v.Action == "link" && had == w.Account && a.phase != "" && a.phase != "deleted" {
			return // it was ours, and was marked anew
		}
		a.made, a.begin = v.Action, mark
		a.phase, a.changed = "open", mark
		if v.Action == "create" {
			a.rights = map[string]pastMark{}
		}
		if v.Public.Shut {
			a.phase = "disabled"
		}
	case "enable":
		a.phase, a.changed = "open", mark
	case "disable":
		a.phase, a.changed = "disabled", mark
	case "delete":
		a.phase, a.changed = "deleted", mark
		a.rights, a.attributes = map[string]pastMark{}, map[string]pastValue{}
	case "grant":
		if _, has := a.rights[v.Public.Entitlement]; !has {
			a.rights[v.Public.Entitlement] = mark
		}
	case "revoke":
		delete(a.rights, v.Public.Entitlement)
	}
}
