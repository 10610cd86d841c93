package sync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/sync/plan"
)

// A deny acts though nothing else of the person can be worked out: whoever can spoil
// an attribute of their own entry would keep what is denied them.
func TestDenyOfARoleActsOnWhoCannotBeMapped(t *testing.T) {
	for what, spoil := range map[string]func(*world){
		"an attribute with two values": func(w *world) { w.set(w.source.At("uid=p0003,"+people), "sn", "a", "b") },
		"another entry with their key": func(w *world) { w.set(w.source.At("uid=p0007,"+people), "employeeNumber", "n-p0003") },
		"a required attribute blank":   func(w *world) { w.set(w.source.At("uid=p0003,"+people), "sn") },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			ids := w.joinMany("p", 12)
			for _, id := range ids {
				w.set(id, "sn", "name")
			}
			if strings.HasPrefix(what, "a required") {
				s := w.config.Sources["corp"]
				s.Required = []string{"sn"}
				w.excepting(func(c *mapping.Config) { c.Sources["corp"] = s })
			}
			w.members("managers", "p0003", "p0004")
			w.members("writers", "p0003", "p0005")
			w.synced()
			w.has("p0003", true, "Publishers", "Writers")
			spoil(w)
			w.sync()
			w.has("p0003", true, "Publishers", "Writers")
			// Only what the denied role alone gave goes.
			w.excepting(func(c *mapping.Config) {
				c.Denies = map[string]mapping.Deny{"d": {Person: "p0003", Role: "manager", Reason: "x", Until: "2026-03-09"}}
			})
			r := w.sync()
			w.has("p0003", true, "Writers")
			if t.Failed() {
				t.Fatal(text(r))
			}
			before := len(w.wiki.Writes())
			w.sync()
			if len(w.wiki.Writes()) != before {
				t.Error("law 11: it is done twice")
			}
			// The account, where the denied role gave that.
			w.excepting(func(c *mapping.Config) {
				c.Denies = map[string]mapping.Deny{"d": {Person: "p0003", Role: "employee", Reason: "x", Until: "2026-03-09"}}
			})
			w.sync()
			w.has("p0003", false)
			if strings.HasPrefix(what, "an attribute") {
				w.is("p0003", plan.Unentitled, "no role gives an account here")
			} else {
				w.is("p0003", plan.Offboarded, "denied: x, until 2026-03-09 (deny.d at rosterd.toml:deny.d)")
			}
			w.has("p0005", true, "Writers")
			// It ends, and nothing is given to somebody who cannot be worked out.
			w.now = time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
			w.sync()
			w.has("p0003", false)
		})
	}
}

// A grant ends though its person cannot be mapped; what a rule gives beside it stays.
func TestGrantEndsForWhoCannotBeMapped(t *testing.T) {
	for what, spoil := range map[string]func(*world, string){
		"an attribute with two values": func(w *world, who string) { w.set(w.source.At("uid="+who+","+people), "sn", "a", "b") },
		"another entry with their key": func(w *world, who string) { w.set(w.source.At("uid=p0007,"+people), "employeeNumber", "n-"+who) },
	} {
		for _, c := range []struct {
			who  string
			left []string
		}{{"p0003", nil}, {"p0004", []string{"Publishers", "Writers"}}} {
			w := newWorld(t)
			w.joinMany("p", 12)
			w.members("managers", "p0004")
			w.excepting(func(m *mapping.Config) {
				m.Grants = map[string]mapping.Grant{"fair": {Person: c.who, Role: "manager", Reason: "the fair", Until: "2026-03-06"}}
			})
			w.synced()
			spoil(w, c.who)
			w.sync()
			w.has(c.who, true, "Publishers", "Writers")
			w.now = time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
			r := w.sync()
			w.has(c.who, true, c.left...)
			if c.left == nil && !strings.Contains(text(r), "grant.fair of manager ended") || t.Failed() {
				t.Errorf("%s, %s:\n%s", what, c.who, text(r))
			}
		}
	}
}
