package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
)

// csvTable is a [table.NAME] that stands in a file of its own.
type csvTable struct {
	// CSV is the file, beside the main one or below it.
	CSV string `toml:"csv"`
	// Key and Value are the columns, by the first line: "key" and "value" if left out.
	Key   string `toml:"key"`
	Value string `toml:"value"`
}

// lookups binds the tables. One whose only keys are those of a csvTable is read from
// its file.
func (l *loader) lookups(report problem.Report) {
	l.policy.Tables = map[string]map[string]string{}
	names := l.d.Names("table")
	if len(names) == 0 {
		l.d.Bind([]string{"table"}, &l.policy.Tables)
	}
	for _, name := range names {
		at := []string{"table", name}
		keys := l.d.Names(at...)
		if !slices.Contains(keys, "csv") || slices.ContainsFunc(keys, func(k string) bool { return k != "csv" && k != "key" && k != "value" }) {
			t := map[string]string{}
			l.d.Bind(at, &t)
			l.policy.Tables[name] = t
			continue
		}
		t := csvTable{Key: "key", Value: "value"}
		l.d.Bind(at, &t)
		l.policy.Tables[name] = l.csv(append(at, "csv"), t, report)
	}
}

// csv reads a table; what is wrong in it is said with its line.
func (l *loader) csv(at []string, t csvTable, report problem.Report) map[string]string {
	out := map[string]string{}
	if !l.local(at, t.CSV, ".csv", report) {
		return out
	}
	if b := l.boundsAt(at); b != nil {
		// Somebody else's file is nobody's to read out.
		if in := path.Dir(b.file); in != "." && !strings.HasPrefix(t.CSV, in+"/") || in == "." {
			report.At(at, fmt.Sprintf("%s may not have %q read", b.file, t.CSV), "a table of an included file lies in the folder of that file, which is not the one of the main file, or below")
			return out
		}
	}
	text, ok := l.file(at, t.CSV, report)
	if !ok {
		return out
	}
	wrong := func(line int, hint, format string, args ...any) {
		report.At(at, fmt.Sprintf("%s:%d: ", t.CSV, line)+fmt.Sprintf(format, args...), hint)
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) {
			// Else no word of it would ever be found, or half a letter be written.
			wrong(i+1, "save the file as UTF-8", "this line is not UTF-8")
			return out
		}
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	head, err := r.Read()
	if err != nil {
		wrong(1, `begin it with a line that names the columns: key,value`, "there is no first line")
		return out
	}
	key, value := slices.Index(head, t.Key), slices.Index(head, t.Value)
	if key < 0 || value < 0 || key == value {
		wrong(1, "name two columns with key and value; here are: "+strings.Join(head, ", "), "no columns %q and %q", t.Key, t.Value)
		return out
	}
	if slices.Contains(head[key+1:], t.Key) || slices.Contains(head[value+1:], t.Value) {
		wrong(1, "name each column once: "+strings.Join(head, ", "), "two columns are called %q or %q", t.Key, t.Value)
		return out
	}
	seen := map[string]int{}
	for {
		row, err := r.Read()
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			wrong(broken.Line, "a field with a comma or a quote stands in quotes, and a quote in it is written twice", "%v", broken.Err)
			return map[string]string{}
		}
		if err != nil {
			if len(out) == 0 {
				wrong(1, "a table without a word takes everything away that it gave; take the table out if that is meant", "there is no line below the first")
			}
			return out
		}
		line, _ := r.FieldPos(key)
		folded := identity.Fold(row[key])
		switch {
		case folded == "":
			wrong(line, "leave the line out, or say what it is for", "the key is blank")
			return map[string]string{}
		case seen[folded] > 0:
			wrong(line, "leave one of the two", "%q stands in line %d already: case and blanks make no difference", row[key], seen[folded])
			return map[string]string{}
		}
		seen[folded], out[row[key]] = line, row[value]
	}
}

// boundsAt are those of an included file in which a key stands.
func (l *loader) boundsAt(at []string) *bounds {
	for _, k := range l.kept {
		if len(k.at) <= len(at) && slices.Equal(k.at, at[:len(k.at)]) {
			return k.bounds
		}
	}
	return nil
}
