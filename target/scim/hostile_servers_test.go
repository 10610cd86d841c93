//go:build servers

package scim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
)

// hostilePage has a table that this test writes with -table.
const hostilePage = "../../docs/targets/scim-servers.md"

var table = flag.Bool("table", false, "write the table of the page anew")

const tableHead = "| the server | rosterd |\n|---|---|\n"

// TestScimHostileServers lives through every mode of the hostile server, and holds
// what rosterd does about each to the page that tells people.
func TestScimHostileServers(t *testing.T) {
	modes := scimd.Modes()
	lines := make([]string, len(modes))
	t.Run("modes", func(t *testing.T) {
		for i, d := range modes {
			t.Run(string(d.Mode), func(t *testing.T) {
				t.Parallel()
				h := newHostile(t, d.Mode)
				h.live()
				lines[i] = fmt.Sprintf("| %s | %s |\n", cell(d.Does), cell(h.outcome()))
			})
		}
	})
	text, err := os.ReadFile(hostilePage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tableHead)
	if !found {
		t.Fatal("the page has no table")
	}
	_, after, _ := strings.Cut(rest, "\n\n")
	want := before + tableHead + strings.Join(lines, "")
	if after != "" {
		want += "\n" + after
	}
	if *table {
		if err := os.WriteFile(hostilePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		for i, line := range lines {
			if !strings.Contains(string(text), line) {
				t.Errorf("%s: the page does not say %s", modes[i].Mode, line)
			}
		}
		t.Errorf("%s differs; -table writes it anew", hostilePage)
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
