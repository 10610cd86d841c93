package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
)

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Rules){
		"target.wiki.account.protect: pattern \"admin\" does not say":                  func(r *Rules) { r.Protect = []string{"admin"} },
		"target.wiki.account.break_glass: pattern \"person:x\" does not say":           func(r *Rules) { r.BreakGlass = []string{"person:x"} },
		"target.wiki.account.break_glass: pattern \"account:\" names nothing":          func(r *Rules) { r.BreakGlass = []string{"account:"} },
		"target.wiki.account.protect: pattern \"account:[\" cannot be read":            func(r *Rules) { r.Protect = []string{"account:["} },
		"target.wiki.leaver.delete.disabled: accounts are never deleted":               func(r *Rules) { r.Leaver.Delete = map[string]string{"disabled": "30d"} },
		"target.wiki.leaver.delete.presumed-gone: accounts are never deleted":          func(r *Rules) { r.Leaver.Delete = map[string]string{"presumed-gone": "30d"} },
		"target.wiki.leaver.delete.nonsense: accounts are never deleted":               func(r *Rules) { r.Leaver.Delete = map[string]string{"nonsense": "30d"} },
		"target.wiki.leaver.delete.gone: \"soon\" is not a length":                     func(r *Rules) { r.Leaver.Delete = map[string]string{"gone": "soon"} },
		"target.wiki.leaver.delete.unentitled: \"0s\" is not a length":                 func(r *Rules) { r.Leaver.Delete = map[string]string{"unentitled": "0s"} },
		"target.wiki.drift.attributes: \"keep\" is not a choice":                       func(r *Rules) { r.Drift.Attributes = "keep" },
		"target.wiki.drift.lost: \"x\" is not a choice":                                func(r *Rules) { r.Drift.Lost = "x" },
		"target.wiki.drift.extra: \"enforce\" is not a choice":                         func(r *Rules) { r.Drift.Extra = "enforce" },
		"target.wiki.drift.disabled: \"enforce\" is not a choice":                      func(r *Rules) { r.Drift.Disabled = "enforce" },
		"target.wiki.drift.missing: \"create\" is not a choice":                        func(r *Rules) { r.Drift.Missing = "create" },
		"target.wiki.guard.first: \"go\" is not a choice":                              func(r *Rules) { r.Guard.First = "go" },
		"target.wiki.guard.window: the window must be":                                 func(r *Rules) { r.Guard.Window = span.Duration(time.Second) },
		"target.wiki.guard.max_remove.percent: a percentage must be":                   func(r *Rules) { r.Guard.MaxRemove.Percent = 101 },
		"target.wiki.guard.max_create.count: a count cannot be negative":               func(r *Rules) { r.Guard.MaxCreate.Count = -1 },
		"target.wiki.guard.max_revoke.ceiling: a ceiling cannot be negative":           func(r *Rules) { x := -1.0; r.Guard.MaxRevoke.Ceiling = &x },
		"target.wiki.guard.max_rename.cap_percent: a percentage must be from 0 to 100": func(r *Rules) { x := 200.0; r.Guard.MaxRename.CapPercent = &x },
	} {
		r := DefaultRules()
		change(&r)
		var got []string
		r.Validate([]string{"target", "wiki"}, func(p problem.Problem) {
			got = append(got, strings.Join(p.Path, ".")+": "+p.Message)
			if p.Offset != -1 {
				t.Errorf("%s: offset %d", p.Message, p.Offset)
			}
		})
		if len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("got %q, want one that begins %q", got, want)
		}
	}
	DefaultRules().Validate(nil, func(p problem.Problem) { t.Errorf("the defaults: %s", p.Message) })
}

// A limit that is written replaces the default whole: a key left out is no cap.
func TestDefaults(t *testing.T) {
	r := Rules{}
	r.Guard.MaxRemove = &Limit{Count: 100}
	r = r.WithDefaults()
	if got := r.Guard.MaxRemove.Of(10); got != 100 {
		t.Errorf("count = 100 alone allows %v of 10", got)
	}
	if d := DefaultRules(); d.Drift != (Drift{enforce, enforce, report, keep, hold}) || d.Guard.First != hold || d.Guard.Window.String() != "1d" {
		t.Errorf("%+v", d)
	}
	if fmt.Sprint(DefaultRules().WithDefaults().Guard.Window) != "1d" {
		t.Error("completing twice changes something")
	}
}

func TestGrace(t *testing.T) {
	l := Leaver{Delete: map[string]string{"gone": "30d", "out-of-scope": "never", "disabled": "1d", "presumed-gone": "1d", "offboarded": "1d"}}
	for s := InDoubt; s <= None; s++ {
		d, ever := l.Grace(s)
		if want := s == Gone; ever != want || want && d != 30*day {
			t.Errorf("%s: %v, %v", s, d, ever)
		}
	}
}

func TestGuardPatterns(t *testing.T) {
	g := newGuards(Rules{BreakGlass: []string{"account:emergency-*", "entitlement:Root?"}, Protect: []string{"account:cn=a/b,*"}})
	for _, c := range []struct {
		name string
		ents []string
		want string
	}{
		{"emergency-1", nil, "account:emergency-*"}, {"Emergency-1", nil, "account:emergency-*"}, {"x-emergency-1", nil, ""},
		{"x", []string{"Users", "ROOTS"}, "entitlement:Root?"}, {"x", []string{"Roots2"}, ""}, {"", nil, ""}, {"roots", nil, ""},
		{"emergency-a/b", nil, "account:emergency-*"},
	} {
		if got := g.breakGlass(c.name, c.ents); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.name, c.ents, got, c.want)
		}
	}
	if g.protected("cn=a/b,ou=people", nil) == "" || g.protected("cn=a,ou=people", nil) != "" {
		t.Error("slashes")
	}
	if !g.sealed("root1") || g.sealed("emergency-1") {
		t.Error("sealed")
	}
}

func TestStageWords(t *testing.T) {
	var got []string
	for s := Done; s <= Retained; s++ {
		got = append(got, s.String())
	}
	if !slices.Equal(got, []string{"done", "due", "held", "parked", "retained"}) || Stage(99).String() != "?" {
		t.Errorf("%v", got)
	}
}
