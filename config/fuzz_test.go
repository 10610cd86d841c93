package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
)

// FuzzPolicy: bytes, read, compiled and resolved for people of every kind. No
// file ends the process, an evaluation never panics, the same person gets the
// same, and a date that is told as next is to come.
func FuzzPolicy(f *testing.F) {
	const folder = "testdata/mistakes/"
	base, err := os.ReadFile(folder + "base.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, pattern := range []string{"testdata/*.toml", folder + "*.toml", example} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if strings.HasPrefix(file, folder) && filepath.Base(file) != "base.toml" {
				text = append(append([]byte{}, base...), text...)
			}
			f.Add(text)
		}
	}
	now := time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)
	kinds := testKinds(f)
	for name, kind := range realKinds().Targets {
		kinds.Targets[name] = kind
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, problems := Parse("rosterd.toml", text, kinds)
		if (c == nil) != problems.Broken() {
			t.Fatalf("configuration %v with:\n%s", c, problems.Error())
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || strings.Contains(p.Message, "runtime error") {
				t.Fatalf("%+v", p)
			}
		}
		if c == nil {
			return
		}
		for _, r := range c.Policy.Config().Roles {
			mapping.Say(r.When)
		}
		for _, x := range c.Policy.Config().Targets {
			for _, a := range x.Attributes {
				mapping.SayValue(a.From)
			}
		}
		for _, s := range fuzzedPeople(c, now) {
			d := c.Policy.Resolve(s)
			for _, x := range d.Doubts {
				if strings.HasPrefix(x.Doubt.Text, "evaluate ") {
					t.Fatalf("%s", x.Doubt.Text)
				}
			}
			for _, a := range d.Accounts {
				if strings.Contains(a.Invalid, "evaluate ") {
					t.Fatalf("%s", a.Invalid)
				}
			}
			if !d.Next.IsZero() && !d.Next.After(now) {
				t.Fatalf("next at %s, which is past", d.Next)
			}
			one, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			if two, _ := json.Marshal(c.Policy.Resolve(s)); string(one) != string(two) {
				t.Fatalf("the same person gets\n%s\n%s", one, two)
			}
			for _, role := range c.Policy.Roles() {
				c.Policy.Lacks(s, role)
			}
		}
	})
}

// fuzzedPeople are somebody with every attribute, with several values, with
// values that are no texts, with none, and of whom nothing was read; in every
// group, in none, and in groups that are in doubt.
func fuzzedPeople(c *Config, now time.Time) (out []mapping.Subject) {
	names := c.Policy.Attributes()
	for source := range c.Sources {
		for i, values := range [][]string{{"x"}, {"staff"}, {"2026-06-03"}, {"a", "B"}, {"\xff"}, {" "}, nil} {
			var list []identity.Attribute
			for _, name := range names {
				if values != nil {
					list = append(list, identity.Attribute{Name: name, Values: values})
				}
			}
			covered := identity.NewCoverage(names...)
			if i == 6 {
				covered = identity.NewCoverage()
			}
			s := mapping.Subject{Now: now, Meant: c.Policy.People(), Person: identity.Person{Ordinal: 7, Standing: identity.Active,
				Key: identity.Key{Source: source, ID: "id7"}, Attributes: identity.NewAttributes(covered, list)}}
			for j, written := range c.Policy.Groups() {
				pin := ledger.Pin{Source: source, Written: written, Group: identity.Ordinal(100 + j), DN: written, Status: ledger.PinOK}
				if i == 2 {
					pin.Status = ledger.PinMissing
				}
				s.Pins = append(s.Pins, pin)
				if i < 2 {
					s.Memberships = append(s.Memberships, identity.Membership{Group: pin.Group, Path: []identity.GroupStep{{Group: pin.Group, Name: written, DN: written}}})
				}
			}
			out = append(out, s)
		}
	}
	return out
}
