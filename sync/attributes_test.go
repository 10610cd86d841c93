package sync_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// The table of docs/policy.md, row by row: what an attribute becomes.
func TestModesOfAttributesAsTheTableSays(t *testing.T) {
	rows := modeRows(t)
	if len(rows) != 23 {
		t.Fatalf("the table has %d rows, and 23 are known", len(rows))
	}
	for i, row := range rows {
		mode, says, has, then := row[0], row[1], row[2], row[3]
		t.Run(fmt.Sprintf("%02d %s %s %s", i+1, mode, says, has), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rule := mapping.AttributeRule{From: "${person.sn ?? ''}", Mode: mode}
			w.config.Targets["wiki"].Attributes["title"] = rule
			w.engine.Policy = w.compile()
			id := w.join("writer1")
			if strings.Contains(has, "ours") {
				w.set(id, "sn", "ours")
			}
			w.synced()
			w.write("writer1", "title", words(strings.ReplaceAll(has, " of theirs", ""))...)
			parks := strings.HasSuffix(then, ", parked")
			switch {
			case says == "not known":
				w.set(id, "sn", "b", "c")
			case strings.HasPrefix(says, "blank, empty = "):
				rule.Empty = strings.Trim(strings.TrimPrefix(says, "blank, empty = "), `"`)
				w.config.Targets["wiki"].Attributes["title"] = rule
				w.engine.Policy = w.compile()
				w.set(id, "sn")
			default:
				w.set(id, "sn", says)
			}
			for _, full := range []bool{true, false, true} {
				r := w.cycle(rostersync.Request{Verb: "sync", Full: full})
				if parked := r.Exit() == 5; parked != parks {
					t.Errorf("full=%v: exit %d, and it should be parked: %v\n%s", full, r.Exit(), parks, text(r))
				}
				got := slices.Sorted(slices.Values(w.account("writer1").Attributes["title"]))
				if want := words(strings.TrimSuffix(then, ", parked")); !slices.Equal(got, want) {
					t.Errorf("full=%v: it has %q, want %q", full, got, want)
				}
			}
			if parks {
				return
			}
			// Whoever is marked for something else is not looked at.
			w.set(id, "cn", "another")
			w.wiki.SetFaults(memory.Faults{Look: func(q []target.Query) error { return fmt.Errorf("looked at %v", q) }})
			if r := w.sync(); r.Exit() != 0 || len(r.Plan.Subjects) != 1 {
				t.Errorf("exit %d\n%s", r.Exit(), text(r))
			}
		})
	}
}

// modeRows reads the table without its quotes.
func modeRows(t *testing.T) (rows [][]string) {
	t.Helper()
	page, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "| mode | the policy says | the account has | and has then |\n|---|---|---|---|\n")
	if !ok {
		t.Fatal("docs/policy.md has no table of modes")
	}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		var row []string
		for _, cell := range strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			row = append(row, strings.ReplaceAll(strings.TrimSpace(cell), "`", ""))
		}
		rows = append(rows, row)
	}
	return rows
}

// words are the values of a cell, sorted.
func words(cell string) []string {
	if cell == "nothing" {
		return nil
	}
	return slices.Sorted(slices.Values(strings.Split(cell, ", ")))
}

// write changes an attribute as somebody else would.
func (w *world) write(account, name string, values ...string) {
	w.t.Helper()
	a := *w.account(account)
	a.Attributes = map[string][]string{}
	for k, v := range w.account(account).Attributes {
		a.Attributes[k] = v
	}
	if a.Attributes[name] = values; len(values) == 0 {
		delete(a.Attributes, name)
	}
	w.wiki.Put(a)
}

// Under merge what others add is no drift, what they take of ours is, and what we
// want no more goes, though we were killed between.
func TestMergeRemembersWhatIsOurs(t *testing.T) {
	w := newWorld(t)
	w.config.Targets["wiki"].Attributes["title"] = mapping.AttributeRule{From: "${values(person.sn) ?? ''}", Mode: "merge"}
	w.engine.Policy = w.compile()
	id := w.join("writer1")
	w.set(id, "sn", "a", "b")
	w.synced()
	title := func(want ...string) {
		t.Helper()
		if got := slices.Sorted(slices.Values(w.account("writer1").Attributes["title"])); !slices.Equal(got, want) {
			t.Errorf("it has %q, want %q", got, want)
		}
	}
	situation := func() string {
		t.Helper()
		r := w.cycle(rostersync.Request{Verb: "sync", Full: true})
		if r.Exit() != 0 {
			t.Errorf("exit %d\n%s", r.Exit(), text(r))
		}
		return r.Plan.Subjects[0].Situation.String()
	}
	w.write("writer1", "title", "a", "b", "c", "theirs")
	if s := situation(); s != "in-sync" {
		t.Errorf("others added a value: %s", s)
	}
	w.write("writer1", "title", "a", "c", "theirs")
	if s := situation(); s != "drifted" {
		t.Errorf("others took ours: %s", s)
	}
	title("a", "b", "c", "theirs")
	w.set(id, "sn", "b", "c") // a goes; c was theirs
	w.synced()
	title("b", "c", "theirs")
	w.set(id, "sn", "b", "d")
	w.synced()
	w.write("writer1", "title", "b", "theirs") // who takes d is before us
	w.set(id, "sn", "b")
	w.synced()
	w.write("writer1", "title", "b", "d", "theirs")
	situation()
	title("b", "d", "theirs")
	w.write("writer1", "title", "b", "c", "theirs")
	situation()
	title("b", "c", "theirs")
	w.set(id, "sn", "b", "c")
	w.synced()
	title("b", "c", "theirs")
	w.engine.Targets[0].Rules.Drift.Attributes = "report"
	w.write("writer1", "title", "c", "theirs")
	r := w.cycle(rostersync.Request{Verb: "sync", Full: true})
	if notes := r.Plan.Subjects[0].Notes; len(notes) != 1 || notes[0] != "1 of our values of title were taken in the target" {
		t.Errorf("drift is reported: %q", notes)
	}
	title("c", "theirs")
	w.engine.Targets[0].Rules.Drift.Attributes = "enforce"
	situation()
	w.engine.Store.Close()
	w.open()
	w.set(id, "sn") // ours goes, c stays
	w.synced()
	title("c", "theirs")
	links, err := w.engine.Store.Links()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if len(l["wiki"].Added) > 0 {
			t.Errorf("the link still calls ours: %q", l["wiki"].Added)
		}
	}
}

// Between the look and the write somebody else fills the attribute: it stays
// theirs, and nothing is unverified.
func TestIfEmptyGivesWayToWhoWasQuicker(t *testing.T) {
	w := newWorld(t)
	w.config.Targets["wiki"].Attributes["title"] = mapping.AttributeRule{From: "${person.sn ?? ''}", Mode: "if-empty"}
	w.engine.Policy = w.compile()
	id := w.join("writer1")
	w.synced()
	w.set(id, "sn", "ours")
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		w.write("writer1", "title", "theirs")
		return memory.Fault{}
	}})
	r := w.sync()
	w.wiki.SetFaults(memory.Faults{})
	if r.Exit() != 0 || r.Done[target.Update] != 1 || len(r.Unverified) > 0 {
		t.Errorf("exit %d, done %v\n%s", r.Exit(), r.Done, text(r))
	}
	if got := w.account("writer1").Attributes["title"]; !slices.Equal(got, []string{"theirs"}) {
		t.Errorf("it has %q", got)
	}
	w.quiet()
}
