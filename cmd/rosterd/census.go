package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/internal/control"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// taker is told what check finds.
type taker = func(where, level, text, hint string)

// census tells what the policy makes of the people who are known, and of its groups: as
// a service says, or the state.
func (a *app) census(ctx context.Context, c *config.Config) (notes []checkNote) {
	note := func(where, level, text, hint string) {
		notes = append(notes, checkNote{Where: where, Level: level, Text: text, Hint: hint})
	}
	conn, err := control.Dial(ctx, c.Control.Socket)
	if err == nil {
		var out, errs bytes.Buffer
		ask := control.Request{Args: []string{"check", "--people", "--json", "-c", c.File}, Config: c.Digest, Sudo: a.getenv("SUDO_USER")}
		_, err := control.Call(ctx, conn, ask, control.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, nil)
		var said checkJSON
		if err != nil || json.Unmarshal(out.Bytes(), &said) != nil {
			note("people", "ok", "what the file makes of the people is not known before the service has taken it", "rosterd reload, or see what it would change: rosterd plan")
			return notes
		}
		return said.Notes
	}
	store, err := a.openState(c, waitBriefly, true)
	if errors.Is(err, state.ErrMissing) {
		note("people", "ok", "nobody was read yet", "see who is there: rosterd plan")
		return notes
	}
	if err != nil {
		note("people", "warning", "what the policy makes of the people is not known: "+err.Error(), hintOf(err))
		return notes
	}
	defer store.Close()
	e, closeTargets, err := a.engine(c, store)
	if err != nil {
		note("people", "warning", "what the policy makes of the people is not known: "+err.Error(), hintOf(err))
		return notes
	}
	defer closeTargets()
	return a.counted(e)
}

// runCensus is check --people.
func (a *app) runCensus(ctx context.Context) error {
	s, err := a.open(ctx, waitBriefly, true)
	if err != nil {
		return err
	}
	defer s.close()
	found := checkJSON{FormatVersion: 1, File: s.config.File, OK: true, Notes: a.counted(s.engine)}
	if a.json {
		return failed(a.printJSON(found))
	}
	a.printNotes(slices.DeleteFunc(found.Notes, func(n checkNote) bool { return n.System != "" }))
	return nil
}

// counted tells what a census found.
func (a *app) counted(e *rostersync.Engine) (notes []checkNote) {
	note := func(where, level, text, hint string) {
		notes = append(notes, checkNote{Where: where, Level: level, Text: text, Hint: hint})
	}
	x, err := e.Census()
	if err != nil {
		note("people", "warning", "what the policy makes of the people is not known: "+err.Error(), hintOf(err))
		return notes
	}
	for _, p := range x.Renamed {
		notes = append(notes, checkNote{Where: "source " + p.Source, Level: "warning", Text: pinText(p), Hint: "rosterd knows it by its ID; who reads the file does not", Group: p.Written, Now: p.DN})
	}
	if x.People == 0 {
		note("people", "ok", "nobody is known who is there and open", "see who is there: rosterd plan")
	} else {
		note("people", "ok", count(x.People, "person")+" who are there and open", "")
	}
	for _, name := range sortedKeys(x.Systems) {
		notes = append(notes, checkNote{Where: "target " + name, Level: "ok", Text: "its accounts are in " + x.Systems[name], System: x.Systems[name]})
	}
	for _, name := range sortedKeys(x.Unread) {
		note("people", "ok", fmt.Sprintf("%s was not read yet of %s", name, count(x.Unread[name], "person")), "the next full read has it: rosterd sync --full")
	}
	for _, name := range sortedKeys(x.Strange) {
		note("people", "warning", strange(name, x.Strange[name]), "name them in a rule, or correct them in the directory; whom a rule does not name it does not give anything")
	}
	for _, why := range sortedKeys(x.Lost) {
		note("people", "warning", valued("people refer to others by names that lead to nobody ("+why+")", "", x.Lost[why]),
			"correct them in the directory, or read those people too; rosterd explain PERSON says what becomes of the attribute")
	}
	if x.People == 0 {
		return notes
	}
	for _, role := range sortedKeys(x.Roles) {
		switch {
		case x.Roles[role] > 0:
		case x.Doubted[role] > 0:
			note("people", "ok", fmt.Sprintf("whether anybody holds %s is not known yet", role), "")
		default:
			note("people", "warning", "nobody holds the role "+role, "why one person does not: rosterd explain PERSON --role "+role)
		}
	}
	return notes
}

// strange lists values that no rule names.
func strange(name string, values map[string]int) string {
	return valued("no rule names these values of "+name, name, values)
}

// valued lists values of an attribute, those that most people have first.
func valued(head, name string, values map[string]int) string {
	const most = 5
	all := sortedKeys(values)
	slices.SortStableFunc(all, func(a, b string) int { return values[b] - values[a] })
	var said []string
	people := 0
	for i, v := range all {
		people += values[v]
		if i < most {
			shown := strconv.Quote(secret.Values(name, []string{v})[0])
			said = append(said, fmt.Sprintf("%s (%s)", shown, count(values[v], "person")))
		}
	}
	out := head + ": " + strings.Join(said, ", ")
	if len(all) > most {
		out += fmt.Sprintf(", and %s more; %s in all", count(len(all)-most, "value"), count(people, "person"))
	}
	return out
}

// idle lists a target that has patterns of accounts to leave alone, and tells those
// that fit nothing there.
func (a *app) idle(ctx context.Context, p *mapping.Policy, t rostersync.Target, note taker) {
	if len(t.Rules.Protect)+len(t.Rules.BreakGlass) == 0 {
		return
	}
	list, err := target.Collect(ctx, t.Target, rostersync.ScopeOf(p, t))
	if err != nil {
		return // the check of the target says why
	}
	for _, pattern := range t.Rules.Idle(list.Accounts()) {
		note("target "+t.Name, "warning", fmt.Sprintf("%q protects nothing: no account there fits it", pattern), "see how accounts are called there; upper and lower case make no difference")
	}
}
