package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rosterd/rosterd/state/journal"
)

// auditColumns are the columns of audit --csv; new ones come last.
var auditColumns = []string{"seq", "time", "kind", "cycle", "target", "action", "situation", "person", "login", "dn", "id",
	"account", "name", "old_name", "entitlement", "after", "before", "because", "roles", "by", "reason", "hold", "version", "done", "class",
	"attempts", "took_ms", "error", "public", "hash"}

// csvTable writes records as RFC 4180 says.
type csvTable struct{ w *csv.Writer }

func newCSV(out io.Writer) *csvTable {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	return &csvTable{w}
}

func (t *csvTable) begin() error { return t.write(auditColumns) }

func (t *csvTable) record(r journal.Sealed) error {
	v := viewOf(r)
	p, w := &v.Public, &v.Write
	done := ""
	if p.Done != nil {
		done = strconv.FormatBool(*p.Done)
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	reason := strings.Join(append(v.reasons(), v.Changes...), "\n")
	return t.write([]string{fmt.Sprint(v.Seq), v.Time.UTC().Format(time.RFC3339Nano), v.Kind, v.Cycle, v.Target, v.Action, v.Situation,
		number(int64(v.Person)), v.Login, v.DN, v.ID, w.Account, w.Name, w.OldName, p.Entitlement, strings.Join(v.after(), "\n"),
		strings.Join(w.Before, "\n"), strings.Join(w.Because, "\n"), strings.Join(p.Roles, ", "), v.By, first(reason, v.Text),
		first(p.Hold, p.Approval), v.Version, done, p.Class, number(int64(p.Attempts)), number(p.TookMS),
		strings.Join(append(v.Errors, nonEmpty(w.Error)...), "\n"), string(v.Record.Public), v.Hash.String()})
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func (t *csvTable) write(cells []string) error {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = inert(c)
	}
	return t.w.Write(safe)
}

func (t *csvTable) end() error {
	t.w.Flush()
	return t.w.Error()
}

// inert keeps a spreadsheet from taking a cell for a formula: each line that
// begins like one, blanks and what does not print aside, gets an apostrophe, and
// what steers a terminal or a reader goes.
func inert(cell string) string {
	lines := strings.Split(strings.ReplaceAll(cell, "\r", "\n"), "\n")
	for i, l := range lines {
		l = printable(l)
		begin := strings.TrimLeftFunc(l, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
		if begin != "" && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", []rune(begin)[0]) {
			l = "'" + l
		}
		lines[i] = l
	}
	return strings.Join(lines, "\n")
}
