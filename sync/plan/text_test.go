package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

// story is a world with something of everything.
func story(t *testing.T) *rig {
	r := newRig(t)
	r.staff(12)
	r.rules.Protect = []string{"account:writer12"}
	r.leave(1, 4) // the limit is 3.6 of 12
	r.standing(12, identity.Disabled)
	r.roles(5, "Publishers", "Readers")
	r.attribute(6, "title", "Author")
	r.attribute(6, "mail", "w6@example.org")
	r.name(7, "author7")
	r.standing(8, identity.Disabled)
	r.cycle(false, 8)
	r.standing(8, identity.Active)
	r.people[9].Desired.Invalid = []string{"employeeType is blank"}
	r.edit(10, func(a *target.Account) {
		a.Attributes = map[string][]string{"title": {"Boss\x1b[2J"}}
		a.Entitlements = []string{"Admins", "Writers"}
	})
	r.edit(11, func(a *target.Account) { a.Enabled = false })
	r.hire(20, "Readers", "Writers")
	r.set(20, mapping.Attribute{Name: "userPassword", Values: []string{"hunter2"}, Mode: mapping.OnCreate})
	r.hire(21)
	r.mem.Put(target.Account{Name: "writer21", Enabled: true})
	r.hire(22)
	r.match(22, "title", "Boss\x1b[2J", "link")
	r.links[99] = ledger.Link{Person: 99, Target: "wiki", Account: "x"}
	r.mem.Put(target.Account{Name: "guest", Enabled: true})
	r.standing(20, identity.Active)
	return r
}

func TestGoldenText(t *testing.T) {
	r := story(t)
	p, v := r.plan(true)
	for name, o := range map[string]TextOptions{"plan.txt": {}, "plan-wide.txt": {Verbose: true, Color: true}, "plan-narrow.txt": {Width: 60}} {
		var b bytes.Buffer
		if err := Text(&b, p, v, o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
		if strings.Contains(b.String(), "hunter2") {
			t.Errorf("%s shows a password", name)
		}
		if !o.Color && strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s lets the directory steer the terminal", name)
		}
	}
	var b bytes.Buffer
	if err := JSON(&b, p, v); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.json", b.Bytes())
	if strings.Contains(b.String(), "hunter2") {
		t.Error("the document shows a password")
	}
	var d Document
	if err := json.Unmarshal(b.Bytes(), &d); err != nil || d.FormatVersion != 1 {
		t.Fatalf("the document does not read: %v", err)
	}
	// What is shown is what is judged: each key stands in the document once.
	shown := map[target.Key]bool{}
	for _, s := range d.Subjects {
		for _, c := range s.Changes {
			shown[c.Key] = true
			if v.Cleared.Keys()[c.Key] != (c.Kept == "") {
				t.Errorf("%s %s: shown as kept by %q", c.Verb, c.Name, c.Kept)
			}
		}
	}
	for k := range v.Cleared.Keys() {
		if !shown[k] {
			t.Errorf("%s goes and is not shown", k)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./sync/plan -update):\n%s", name, got)
	}
}

func TestTextOfNothing(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	p, v := r.plan(true)
	var b bytes.Buffer
	if err := Text(&b, p, v, TextOptions{}); err != nil || b.String() != "Nothing to do: 3 people, everything in step.\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	b.Reset()
	if err := Text(&b, p, v, TextOptions{Unread: true}); err != nil || strings.Contains(b.String(), "in step") {
		t.Errorf("a plan without a read says that all is well: %q, %v", b.String(), err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestTextReportsErrors(t *testing.T) {
	p, v := story(t).plan(true)
	if Text(brokenPipe{}, p, v, TextOptions{}) == nil || JSON(brokenPipe{}, p, v) == nil {
		t.Error("a broken pipe went unnoticed")
	}
}

// Reasons are cut to the width, changes never.
func TestTextWidth(t *testing.T) {
	r := newRig(t)
	r.hire(1, "Writers")
	r.account(1).Because[0].Text = strings.Repeat("long ", 100)
	p, v := r.plan(true)
	var b bytes.Buffer
	if err := Text(&b, p, v, TextOptions{Width: 70}); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 71 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(b.String(), "create writer1 with title") {
		t.Errorf("the change was cut:\n%s", b.String())
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := newRig(b)
			for i := 1; i <= n; i++ {
				r.hire(i, "Writers", "Readers")
			}
			r.fresh = true
			in := r.answer(r.input(false))
			b.ReportAllocs()
			for b.Loop() {
				p := Make(in)
				v := Judge(p, Book{Now: r.now, Targets: in.Targets, FirstFreeHold: 1})
				if len(v.Holds) != 1 || len(v.Holds[0].Keys) != 3*n {
					b.Fatal("not held")
				}
				// The next cycle has the whole hold approved.
				h := v.Holds[0]
				for _, k := range h.Keys {
					h.Approved = append(h.Approved, k.Key)
				}
				h.Status, h.Expires = ledger.Approved, r.now.Add(1)
				v = Judge(p, Book{Now: r.now, Targets: in.Targets, Holds: []ledger.Hold{h}, FirstFreeHold: 2})
				if v.Cleared.Count() != 3*n {
					b.Fatal("not cleared")
				}
				v.Cleared.Waves("wiki")
			}
		})
	}
}
