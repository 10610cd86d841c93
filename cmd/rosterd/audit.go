package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) auditCommand() *cobra.Command {
	var person, targetName, cycle, since string
	var last int
	var verify bool
	cmd := &cobra.Command{
		Use: "audit", GroupID: groupKnow, Short: "show what was done, by whom, why", Args: cobra.NoArgs,
		Long: `audit shows the journal: every decision, every write before it was sent and what came
of it. --verify checks the chain of hashes; a broken one ends with 1.`,
		Example: `  rosterd audit --person writer7 --since 7d
  rosterd audit --verify`,
		RunE: func(c *cobra.Command, _ []string) error {
			if last < 0 {
				return usage(fmt.Errorf("audit: --last %d is less than nothing", last), "")
			}
			f := state.JournalFilter{Target: targetName, Cycle: cycle, Last: last}
			from, err := parseSince(since, a.now())
			if err != nil {
				return usage(err, `write a length of time or a day: --since 7d, --since 2026-11-01`)
			}
			f.Since = from
			s, err := a.open(c.Context(), waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			if verify {
				return a.verifyJournal(s)
			}
			if person != "" {
				p, err := s.person(person)
				if err != nil {
					return err
				}
				f.Person = p.Ordinal
			}
			return a.printJournal(s, f)
		},
	}
	cmd.Flags().StringVar(&person, "person", "", "only what concerns this `PERSON`")
	cmd.Flags().StringVar(&targetName, "target", "", "only this `TARGET`")
	cmd.Flags().StringVar(&cycle, "cycle", "", "only this `CYCLE`")
	cmd.Flags().StringVar(&since, "since", "", "only what is newer than this `TIME`: 7d, 12h, 2026-11-01")
	cmd.Flags().IntVar(&last, "last", 0, "only the newest `N` records")
	cmd.Flags().BoolVar(&verify, "verify", false, "check the chain of the journal")
	return cmd
}

func parseSince(text string, now time.Time) (time.Time, error) {
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
	return time.Time{}, fmt.Errorf("read --since %q: neither a length of time nor a day", text)
}

func (a *app) verifyJournal(s *session) error {
	n, head, err := s.store.VerifyJournal()
	if err != nil {
		return &exit{code: rostersync.ExitFailed, err: err, tip: "somebody changed the state file, or it is damaged: keep it as evidence, and put a backup in its place"}
	}
	if a.json {
		return failed(a.printJSON(map[string]any{"format_version": 1, "records": n, "head": head, "verified": true}))
	}
	fmt.Fprintf(a.stdout, "the journal is whole: %s, head %s\n", count(n, "record"), head)
	return nil
}

// recordJSON is one record of the journal for machines.
type recordJSON struct {
	journal.Record
	Personal json.RawMessage `json:"personal,omitempty"`
	Hash     string          `json:"hash"`
}

func (a *app) printJournal(s *session, f state.JournalFilter) error {
	records := []recordJSON{}
	n := 0
	err := s.store.Journal(f, func(r journal.Sealed) error {
		n++
		if a.json {
			records = append(records, recordJSON{r.Record, r.Personal, fmt.Sprintf("%x", r.Hash)})
			return nil
		}
		return a.printRecord(r)
	})
	if err != nil {
		return failed(err)
	}
	// A target that is not in the file any more may have its records.
	if n == 0 && f.Target != "" && s.config.Targets[f.Target] == nil {
		return usage(noTarget(f.Target, s.config), knownTargets(s.config))
	}
	if a.json {
		return failed(a.printJSON(map[string]any{"format_version": 1, "records": records}))
	}
	return nil
}

// printRecord writes a record as one line: what, then the rest of what is known
// of it as key=value.
func (a *app) printRecord(r journal.Sealed) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%6d  %s  %-8s", r.Seq, moment(r.Time), r.Kind)
	for _, part := range []struct{ key, value string }{{"target", r.Target}, {"action", r.Action}, {"situation", r.Situation}, {"cycle", r.Cycle}} {
		if part.value != "" {
			fmt.Fprintf(&b, "  %s=%s", part.key, part.value)
		}
	}
	for _, raw := range []json.RawMessage{r.Personal, r.Public} {
		var fields map[string]any
		if json.Unmarshal(raw, &fields) != nil {
			continue
		}
		for _, k := range sortedKeys(fields) {
			v, err := json.Marshal(fields[k])
			if err == nil && string(v) != "null" && string(v) != `""` {
				fmt.Fprintf(&b, "  %s=%s", k, v)
			}
		}
	}
	_, err := fmt.Fprintln(a.stdout, printable(b.String()))
	return err
}
