package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/state/journal"
)

// What a directory holds is not run by the spreadsheet that shows it.
func TestCSVIsInert(t *testing.T) {
	for cell, want := range map[string]string{
		"":                      "",
		"writer7":               "writer7",
		"a=b":                   "a=b",
		"=1+1":                  "'=1+1",
		"  =1+1":                "'  =1+1",
		"+1":                    "'+1",
		"-1":                    "'-1",
		"@SUM(A1)":              "'@SUM(A1)",
		"\uff1d1+1":             "'\uff1d1+1",
		"first\n=cmd|' /C x'!A": "first\n'=cmd|' /C x'!A",
		"a\r=1":                 "a\n'=1",
	} {
		if got := inert(cell); got != want {
			t.Errorf("%q became %q, want %q", cell, got, want)
		}
	}
	for _, hidden := range []string{"\t=1", "\u200b=1", "\ufeff=1", "\x00=1", "\u00a0=1"} {
		if got := inert(hidden); strings.TrimLeft(got, " ")[0] == '=' {
			t.Errorf("%q became %q", hidden, got)
		}
	}
	var out strings.Builder
	table := newCSV(&out)
	data, err := journal.Salted(map[string]any{"id": "1", "login": "=HYPERLINK(\"http://x\",\"y\")", "dn": "uid=a,b\nc", "event": map[string]any{
		"name": "-2", "set": []any{map[string]any{"name": "title", "values": []string{"=2"}}}, "because": []string{"@a", "=b"}}})
	if err != nil {
		t.Fatal(err)
	}
	r := journal.Sealed{Record: journal.Record{Seq: 1, Kind: "outcome", Person: 7, Public: json.RawMessage(`{"done":false}`), Parts: []journal.Part{{Person: 7, Data: data}}}}
	for _, err := range []error{table.begin(), table.record(r), table.end()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) != len(auditColumns) || !strings.Contains(out.String(), "\r\n") {
		t.Fatalf("%v %q", err, out.String())
	}
	for i, cell := range rows[1] {
		for _, line := range strings.Split(cell, "\n") {
			if strings.HasPrefix(line, "=") || strings.HasPrefix(line, "-") || strings.HasPrefix(line, "@") {
				t.Errorf("%s: %q", auditColumns[i], cell)
			}
		}
	}
	if rows[1][8] != `'=HYPERLINK("http://x","y")` || rows[1][13-1] != "'-2" {
		t.Errorf("%q", rows[1])
	}
}
