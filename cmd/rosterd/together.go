package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// togetherDocument is somebody who holds roles that a conflict parts.
type togetherDocument struct {
	Conflict string    `json:"conflict"`
	Person   uint64    `json:"person"`
	Roles    []string  `json:"roles"`
	Action   string    `json:"action"`
	Excepted string    `json:"excepted,omitempty"`
	Since    time.Time `json:"since"`
}

func newTogether(all []ledger.Together) []togetherDocument {
	out := []togetherDocument{}
	for _, t := range all {
		out = append(out, togetherDocument{t.Conflict, uint64(t.Person), list(t.Roles), t.Action, t.Excepted, t.Since.UTC()})
	}
	return out
}

// printTogether writes who holds roles that a conflict parts.
func (a *app) printTogether(p *page, all []ledger.Together, login func(identity.Ordinal) string) {
	p.head("Held together", "")
	var names []string
	for i, t := range all {
		if i < few {
			names = append(names, login(t.Person))
		}
	}
	p.columns(names...)
	for i, t := range all {
		if i == few {
			p.more("", fmt.Sprintf("and %s more: rosterd status --json", grouped(len(all)-few)))
			break
		}
		h := yellow
		if t.Excepted != "" {
			h = dim
		}
		p.row(names[i], h, fmt.Sprintf("%s, against conflict.%s, since %s", strings.Join(t.Roles, " and "), t.Conflict, minute(t.Since)))
		if t.Excepted != "" {
			p.more(dim, "excepted: "+t.Excepted)
		}
	}
}

// togetherText says in a line how many are in a conflict, for check.
func togetherText(n, excepted int) string {
	text := fmt.Sprintf("%s roles that a conflict parts", count(n, "person")+hold(n))
	if excepted > 0 {
		text += fmt.Sprintf(", %d of them by an exception", excepted)
	}
	return text
}

func hold(n int) string {
	if n == 1 {
		return " holds"
	}
	return " hold"
}

// noteOdd notes the exceptions that do not do what they say, and how many people are
// in a conflict.
func noteOdd(exceptions []exceptionDocument, together []togetherDocument, note func(where, level, text, hint string)) {
	for _, e := range exceptions {
		if e.Trouble != "" {
			note("exceptions", "warning", first(e.Where, "by hand")+": "+e.Trouble, "see: rosterd exceptions")
		}
	}
	people, excepted := map[uint64]bool{}, map[uint64]bool{}
	for _, t := range together {
		people[t.Person] = true
		if t.Excepted != "" {
			excepted[t.Person] = true
		}
	}
	if len(people) > 0 {
		note("conflicts", "warning", togetherText(len(people), len(excepted)), "see who: rosterd status")
	}
}
