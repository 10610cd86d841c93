package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
	rostersync "github.com/rosterd/rosterd/sync"
)

// auditOptions are the flags of audit.
type auditOptions struct {
	person, since, until       string
	filter                     state.JournalFilter
	verify, lines, table, full bool
}

func (a *app) auditCommand() *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use: "audit", GroupID: groupKnow, Short: "show what was done, by whom, why", Args: cobra.NoArgs,
		Long: `audit shows the journal, oldest first: every decision, and what came of every write.
What was about to be written before it was sent is left out of the text, unless -v
or --kind intent asks for it. --verify checks the chain of hashes, closed months
too; a broken one ends with 1.`,
		Example: `  rosterd audit --person writer7 --since 7d
  rosterd audit --kind approve --since 2026-10-01 --until 2026-11-01
  rosterd audit --since 2026-01-01 --csv > audit-2026.csv
  rosterd audit --verify`,
		RunE: func(c *cobra.Command, _ []string) error { return a.audit(c, o) },
	}
	cmd.Flags().StringVar(&o.person, "person", "", "only what concerns this `PERSON`")
	cmd.Flags().StringVar(&o.filter.Target, "target", "", "only this `TARGET`")
	cmd.Flags().StringVar(&o.filter.Cycle, "cycle", "", "only this `CYCLE`")
	cmd.Flags().StringVar(&o.filter.Kind, "kind", "", "only this `KIND` of record: outcome, intent, approve, hold, cycle …")
	cmd.Flags().StringVar(&o.filter.Action, "action", "", "only writes of this `VERB`: create, grant, disable …")
	cmd.Flags().StringVar(&o.since, "since", "", "only what is newer than this `TIME`: 7d, 12h, 2026-11-01")
	cmd.Flags().StringVar(&o.until, "until", "", "only what is older than this `TIME`")
	cmd.Flags().IntVar(&o.filter.Last, "last", 0, "only the newest `N` records")
	cmd.Flags().BoolVar(&o.lines, "jsonl", false, "print one JSON document a record, one a line")
	cmd.Flags().BoolVar(&o.table, "csv", false, "print comma-separated values for a spreadsheet")
	cmd.Flags().BoolVar(&o.verify, "verify", false, "check the chain of the journal")
	a.verboseFlag(cmd)
	cmd.MarkFlagsMutuallyExclusive("jsonl", "csv", "verify")
	return cmd
}

func (a *app) audit(c *cobra.Command, o auditOptions) error {
	if o.filter.Last < 0 {
		return usage(fmt.Errorf("audit: --last %d is less than nothing", o.filter.Last), "")
	}
	if a.json && (o.lines || o.table) {
		return usage(fmt.Errorf("audit: --json is one document; --jsonl and --csv are other forms"), "leave --json out")
	}
	err := o.mayAsk()
	if err != nil {
		return err
	}
	if o.filter.Since, err = parseWhen("--since", o.since, a.now()); err == nil {
		o.filter.Until, err = parseWhen("--until", o.until, a.now())
	}
	if err != nil {
		return usage(err, `write a length of time or a day: --since 7d, --since 2026-11-01`)
	}
	s, err := a.open(c.Context(), waitBriefly, true)
	if err != nil {
		return err
	}
	defer s.close()
	if o.verify {
		return a.verifyJournal(s)
	}
	if o.filter.Person, err = s.audited(o.person); err != nil {
		return err
	}
	// A target that is not in the file any more may have its records.
	if name := o.filter.Target; name != "" && s.config.Targets[name] == nil {
		known := s.store.Journal(state.JournalFilter{Target: name}, func(journal.Sealed) error { return io.EOF })
		if known == nil {
			return usage(noTarget(name, s.config), knownTargets(s.config))
		}
	}
	// The text tells of a write once: when its outcome is known.
	o.full = a.verbose || o.filter.Kind != ""
	if !a.json && !o.lines && !o.table && !o.full {
		o.filter.NoIntents = true
	}
	out := a.auditForm(o)
	if err := out.begin(); err != nil {
		return failed(err)
	}
	if err := s.store.Journal(o.filter, func(r journal.Sealed) error {
		// Whoever asked a service for it may be gone.
		return errors.Join(c.Context().Err(), out.record(r))
	}); err != nil {
		return failed(err)
	}
	return failed(out.end())
}

// audited is whose records are wanted. Somebody who was forgotten is known by
// number alone.
func (s *session) audited(text string) (identity.Ordinal, error) {
	if text == "" {
		return 0, nil
	}
	if digits, is := strings.CutPrefix(text, "#"); is {
		if n, err := strconv.ParseUint(digits, 10, 63); err == nil && n > 0 {
			return identity.Ordinal(n), nil
		}
	}
	p, err := s.person(text)
	return p.Ordinal, err
}

func parseWhen(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := span.Parse(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("read %s %q: neither a length of time nor a day", flag, text)
}

func (a *app) verifyJournal(s *session) error {
	r, err := s.store.CheckJournal()
	if err != nil {
		return &exit{code: rostersync.ExitFailed, err: err, tip: first(hintOf(err), "somebody changed the state or a closed month, or it is damaged: keep it as evidence, and put a backup in its place")}
	}
	if a.json {
		doc := map[string]any{"format_version": 1, "records": r.Records, "from": r.From, "forgotten": r.Forgotten, "head": r.Head, "verified": true}
		if !r.Since.IsZero() {
			doc["since"] = r.Since
		}
		return failed(a.printJSON(doc))
	}
	fmt.Fprintf(a.stdout, "the journal is whole: %s, head %s\n", count(r.Records, "record"), r.Head)
	if !r.Since.IsZero() {
		fmt.Fprintf(a.stdout, "it begins with record %d, after %s: what is older was dropped for its age\n", r.From, minute(r.Since))
	}
	if r.Forgotten > 0 {
		fmt.Fprintf(a.stdout, "%s forgotten, each accounted for\n", count(r.Forgotten, "personal part"))
	}
	return nil
}

// auditForm is how records are printed, one after the other.
type auditForm interface {
	begin() error
	record(journal.Sealed) error
	end() error
}

func (a *app) auditForm(o auditOptions) auditForm {
	switch {
	case a.json:
		return &jsonDocument{w: a.stdout}
	case o.lines:
		return jsonLines{a.stdout}
	case o.table:
		return newCSV(a.stdout)
	}
	return auditText{a.stdout}
}

// auditText prints a record as a line for people.
type auditText struct{ w io.Writer }

func (auditText) begin() error { return nil }
func (auditText) end() error   { return nil }
func (t auditText) record(r journal.Sealed) error {
	v := viewOf(r)
	_, err := fmt.Fprintln(t.w, printable(v.line()))
	return err
}

// jsonLines prints a record as a JSON document on a line.
type jsonLines struct{ w io.Writer }

func (jsonLines) begin() error { return nil }
func (jsonLines) end() error   { return nil }
func (t jsonLines) record(r journal.Sealed) error {
	enc := json.NewEncoder(t.w)
	enc.SetEscapeHTML(false)
	return enc.Encode(toRecordJSON(r))
}

// jsonDocument prints one document without holding the records in memory.
type jsonDocument struct {
	w io.Writer
	n int
}

func (d *jsonDocument) begin() error {
	_, err := io.WriteString(d.w, "{\n  \"format_version\": 1,\n  \"records\": [")
	return err
}

func (d *jsonDocument) record(r journal.Sealed) error {
	text, err := journal.Plain(toRecordJSON(r))
	if err != nil {
		return err
	}
	comma := ","
	if d.n == 0 {
		comma = ""
	}
	d.n++
	_, err = fmt.Fprintf(d.w, "%s\n    %s", comma, text)
	return err
}

func (d *jsonDocument) end() error {
	_, err := io.WriteString(d.w, "\n  ]\n}\n")
	return err
}
