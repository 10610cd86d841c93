package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) exceptionsCommand() *cobra.Command {
	var asTOML bool
	cmd := &cobra.Command{
		Use: "exceptions", GroupID: groupKnow, Short: "list grants, denies and retains, of the file and by hand", Args: cobra.NoArgs,
		Long: `exceptions lists what is decided about single people, with reason and end: what stands in
the file, and what was decided by hand (grant, offboard, retain). With --toml it prints
those by hand, as tables for the file: pasted there they mean the same, and can then
be taken back by hand.`,
		Example: `  rosterd exceptions
  rosterd exceptions --toml >> rosterd.toml`,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context(), waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			all, err := s.engine.Exceptions()
			if err != nil {
				return failed(err)
			}
			switch {
			case asTOML:
				return failed(s.exceptionsTOML(a.stdout, all))
			case a.json:
				return failed(a.printJSON(struct {
					FormatVersion int                 `json:"format_version"`
					Exceptions    []exceptionDocument `json:"exceptions"`
				}{1, newExceptions(all)}))
			}
			a.printExceptions(a.page(), all, s.login)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asTOML, "toml", false, "those by hand, as tables for the file")
	return cmd
}

// exceptionDocument is an exception for machines.
type exceptionDocument struct {
	Kind     string         `json:"kind"`
	Name     string         `json:"name,omitempty"`
	Written  string         `json:"written,omitempty"`
	Person   uint64         `json:"person,omitempty"`
	Role     string         `json:"role,omitempty"`
	Target   string         `json:"target,omitempty"`
	Conflict string         `json:"conflict,omitempty"`
	Reason   string         `json:"reason"`
	Ticket   string         `json:"ticket,omitempty"`
	From     *boundDocument `json:"from,omitempty"`
	Until    *boundDocument `json:"until,omitempty"`
	Term     string         `json:"term"`
	By       string         `json:"by,omitempty"`
	At       *time.Time     `json:"at,omitempty"`
	Where    string         `json:"where,omitempty"`
	Trouble  string         `json:"trouble,omitempty"`
}

func newException(e ledger.Exception, term ledger.Term, trouble string) exceptionDocument {
	return exceptionDocument{e.Kind.String(), e.Name, e.Written, uint64(e.Person), e.Role, e.Target, e.Conflict, e.Reason, e.Ticket,
		newBound(e.From), newBound(e.Until), term.String(), e.By, some(e.At), e.Where, trouble}
}

func newExceptions(all []rostersync.Standing) []exceptionDocument {
	out := []exceptionDocument{}
	for _, e := range all {
		out = append(out, newException(e.Exception, e.Term, e.Trouble))
	}
	return out
}

// endsSoon is how long before the end of an exception it is pointed out.
const endsSoon = 7 * 24 * time.Hour

func (a *app) printExceptions(p *page, all []rostersync.Standing, login func(identity.Ordinal) string) {
	p.head("Exceptions", "")
	if len(all) == 0 {
		p.columns("none")
		p.row("none", "", "")
		return
	}
	var names []string
	for _, e := range all {
		names = append(names, called(e, login))
	}
	p.columns(names...)
	for i, e := range all {
		a.exceptionRow(p, names[i], e)
	}
}

// called is whom an exception is about, as people say it.
func called(e rostersync.Standing, login func(identity.Ordinal) string) string {
	if e.Person.Valid() {
		return login(e.Person)
	}
	return first(e.Written, "?")
}

func (a *app) exceptionRow(p *page, name string, e rostersync.Standing) {
	h, text := hue(""), doing(e.Exception)
	switch {
	case e.Term == ledger.Over:
		h, text = dim, text+", over since "+e.Until.String()
	case e.Term == ledger.Coming:
		text += ", from " + e.From.String() + " " + e.End()
	default:
		text += ", " + e.End()
		if e.Until.Set() && e.Until.At.Sub(a.now()) < endsSoon {
			h = yellow
			text += " (ends " + ago(a.now(), e.Until.At) + ")"
		}
	}
	p.row(name, h, text)
	p.more("", e.Why())
	if e.ByHand() {
		p.more(dim, "by "+e.By+", "+minute(e.At))
	} else {
		p.more(dim, "["+strings.TrimSpace(e.Called()+" "+e.Where)+"]")
	}
	if e.Trouble != "" {
		p.more(yellow, e.Trouble)
	}
}

// doing is what an exception does, in words.
func doing(e ledger.Exception) string {
	switch {
	case e.Kind == ledger.Grant:
		return "has the role " + e.Role
	case e.Kind == ledger.Deny && e.Role != "":
		return "does not have the role " + e.Role
	case e.Kind == ledger.Deny:
		return "has no account in " + first(e.Target, "any target")
	case e.Kind == ledger.Retain:
		return "keeps accounts in " + first(e.Target, "every target")
	case e.Kind == ledger.Except:
		return "may be in the conflict " + e.Conflict
	}
	return e.Kind.String()
}

// exceptionsTOML writes those by hand that are not over as tables for the file.
func (s *session) exceptionsTOML(w io.Writer, all []rostersync.Standing) error {
	out := &bytes.Buffer{}
	taken := map[string]bool{}
	for _, e := range all {
		if !e.ByHand() {
			taken[e.Kind.String()+"."+e.Name] = true
		}
	}
	for _, e := range all {
		if !e.ByHand() || e.Term == ledger.Over {
			continue
		}
		person, login, err := s.written(e.Person)
		if err != nil {
			return err
		}
		name := tableName(e.Kind.String(), login, first(e.Role, e.Target), taken)
		fmt.Fprintf(out, "[%s.%s]\n", e.Kind, name)
		line := func(key, value string) {
			if value != "" {
				fmt.Fprintf(out, "%-6s = %s\n", key, quoted(value))
			}
		}
		line("person", person)
		line("role", e.Role)
		line("target", e.Target)
		line("reason", e.Reason)
		line("ticket", e.Ticket)
		line("from", dated(e.From))
		line("until", first(dated(e.Until), "never"))
		fmt.Fprintf(out, "# decided by %s, %s\n\n", strings.Map(oneLine, e.By), e.At.UTC().Format(time.RFC3339))
	}
	_, err := w.Write(out.Bytes())
	return err
}

// written is how the file names a person so that nobody else is meant, and how
// people call them.
func (s *session) written(who identity.Ordinal) (text, login string, err error) {
	people, err := s.store.People(who)
	if err != nil {
		return "", "", err
	}
	p := people[0]
	for _, text := range []string{p.Login, p.RehireKey, p.Mail} {
		if text == "" {
			continue
		}
		m, err := s.store.Meant([]string{text})
		if err != nil {
			return "", "", err
		}
		if len(m[0].People) == 1 && m[0].People[0] == who && len(m[0].Others) == 0 {
			return text, first(p.Login, p.Name), nil
		}
	}
	return string(p.Key.ID), first(p.Login, p.Name), nil
}

// dated is a bound as the file has it.
func dated(b identity.Bound) string {
	switch {
	case !b.Set():
		return ""
	case b.Day != "":
		return b.Day
	}
	return b.At.UTC().Format(time.RFC3339)
}

// quoted is a text of TOML.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return `""`
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\x7f", `\u007f`)
}

func oneLine(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// tableName is a name for a table that nothing else has.
func tableName(kind, login, of string, taken map[string]bool) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.Trim(login+"-"+of, "-"))
	clean = strings.Trim(clean, "-_")
	if len(clean) > 50 {
		clean = clean[:50]
	}
	clean = first(clean, "by-hand")
	name := clean
	for n := 2; taken[kind+"."+name]; n++ {
		name = fmt.Sprintf("%s-%d", clean, n)
	}
	taken[kind+"."+name] = true
	return name
}

// printExcepted writes the exceptions about one person.
func (a *app) printExcepted(p *page, all []mapping.Excepted) {
	p.head("Exceptions", "")
	var names []string
	for _, e := range all {
		names = append(names, e.Kind.String())
	}
	p.columns(names...)
	for _, e := range all {
		a.exceptionRow(p, e.Kind.String(), rostersync.Standing{Exception: e.Exception, Term: e.Term, Trouble: e.Idle})
	}
}

// overdue warns of the exceptions of the file that are over: they do no harm, and
// whoever reads the file is misled.
func (a *app) overdue(c *config.Config, note func(where, level, text, hint string)) {
	for _, e := range c.Policy.Exceptions() {
		if e.Term(a.now()) == ledger.Over {
			note("exceptions", "warning", fmt.Sprintf("%s is over: it was %s (%s)", e.Called(), e.End(), e.Where), "take it out of the file, or give it another end")
		}
	}
}
