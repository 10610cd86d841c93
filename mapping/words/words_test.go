package words

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/mapping"
)

// Fifty roles are a page with a card each, and pictures that fit a sheet.
func TestFiftyRoles(t *testing.T) {
	c := company(50)
	page := New(input(t, c))
	html := page.HTML()
	for name := range c.Roles {
		if n := strings.Count(html, `<article class="card" id="role-`+name+`">`); n != 1 {
			t.Errorf("%d cards of %s", n, name)
		}
	}
	for app := range c.Targets {
		if !strings.Contains(html, `id="app-`+app+`"`) {
			t.Errorf("no card of %s", app)
		}
	}
	shown := map[string]bool{}
	for _, d := range drawn(page) {
		// A sheet has 225 mm of height for 182 of width.
		if d.height*182 > d.width*225 && d.height > 850 {
			t.Errorf("a picture of %d × %d does not fit a sheet", d.width, d.height)
		}
		for _, n := range d.nodes {
			shown[n.kind+" "+n.name] = true
		}
	}
	for name, r := range c.Roles {
		if !shown["role "+name] {
			t.Errorf("no picture shows %s", name)
		}
		for _, g := range r.Groups {
			if !shown["group "+g] {
				t.Errorf("no picture shows %s", g)
			}
		}
	}
	if len(html) > 1<<20 {
		t.Errorf("the page has %d bytes", len(html))
	}
}

func drawn(p Page) (out []*diagram) {
	for _, s := range p.Sections {
		for _, b := range s.Blocks {
			if x, is := b.(Picture); is {
				out = append(out, x.Diagram)
			}
		}
	}
	return out
}

// Every anchor that a link leads to is there, once.
func TestLinksLeadSomewhere(t *testing.T) {
	html := New(input(t, company(12))).HTML()
	for _, part := range strings.Split(html, `href="#`)[1:] {
		to, _, _ := strings.Cut(part, `"`)
		if n := strings.Count(html, ` id="`+to+`"`); n != 1 {
			t.Errorf("%d places are called %s", n, to)
		}
	}
}

// The same policy gives the same page.
func TestSamePage(t *testing.T) {
	first := New(input(t, company(30)))
	for range 5 {
		again := New(input(t, company(30)))
		if first.HTML() != again.HTML() || first.Markdown() != again.Markdown() {
			t.Fatal("another page")
		}
	}
}

// What people write into a policy is text, whatever it looks like.
func TestNothingWrittenIsMarkup(t *testing.T) {
	const bad = "<script>alert(1)</script> `x` **y** [z](http://evil.example) | \n# head"
	c := mapping.Config{
		Roles:     map[string]mapping.Role{"all": {Description: bad, Owner: bad, When: `person.l == "` + "<b>`|" + `"`}, "two": {Groups: []string{"cn=<i>\\,x,dc=a"}}},
		Conflicts: map[string]mapping.Conflict{"k": {Roles: []string{"all", "two"}}},
		Tables:    map[string]map[string]string{"t": {"<u>": bad}},
		Tests:     map[string]mapping.Test{"t": {Description: bad, Attributes: map[string]mapping.Texts{"l": {"x"}}, Lacks: []string{"role:all"}}},
		Targets: map[string]mapping.Target{"app": {Entitlements: map[string][]string{"all": {bad}, "two": {"x"}}, Attributes: mapping.Attributes{"name": {From: bad}},
			NameAttribute: "name"}},
	}
	in := input(t, c)
	in.Targets[0].Protect, in.Sources = []string{"account:<b>"}, []Source{{Name: "<b>", Canaries: []string{bad}}}
	page := New(in)
	html := page.HTML()
	for _, tag := range []string{"<script", "<i>", "<u>", "<b><b>", "<b>`"} {
		if strings.Contains(html, tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	md := page.Markdown()
	for line := range strings.Lines(md) {
		if strings.HasPrefix(line, "# head") {
			t.Error("a description made a heading")
		}
		if strings.HasPrefix(line, "|") && strings.Contains(line, "alert") {
			bare := strings.ReplaceAll(line, `\|`, "")
			if n := strings.Count(bare, "|"); n > 6 {
				t.Errorf("a cell is torn: %s", line)
			}
		}
	}
	if strings.Contains(md, "\n<script") || strings.Contains(strings.ReplaceAll(md, `\<`, ""), " <script>alert(1)</script> **") || strings.Contains(md, "](http") && !strings.Contains(md, `\](http`) {
		t.Errorf("markup came through:\n%s", md)
	}
}

// The page loads nothing: no address stands where a browser would follow it, and
// its own policy forbids it to.
func TestNothingIsLoaded(t *testing.T) {
	html := New(input(t, company(20))).HTML()
	for _, word := range []string{"src=", "url(", "@import", "<script", "<link", "<iframe", "http://", "https://", " style=", " onclick", " onload"} {
		if strings.Contains(html, word) {
			t.Errorf("the page has %q", word)
		}
	}
	if !strings.Contains(html, "default-src 'none'") {
		t.Error("the page may load what it likes")
	}
}

func TestWhetherItIsInForce(t *testing.T) {
	in := input(t, company(2))
	if md := New(in).Markdown(); !strings.Contains(md, "**Of the file.**") {
		t.Errorf("%s", md)
	}
	in.Since = time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC)
	if md := New(in).Markdown(); !strings.Contains(md, "In force since **2026-11-28 22:00 UTC**") || strings.Contains(md, "Of the file") {
		t.Errorf("%s", md)
	}
}

// Each limit, grace and rule of drift is said as it is.
func TestRulesAreSaid(t *testing.T) {
	cap30, ceiling := 30.0, 200.0
	for _, c := range []struct {
		limit Limit
		want  string
	}{
		{Limit{Count: 5, Percent: 5, CapPercent: &cap30, Ceiling: &ceiling}, "5 or 5 %, whichever is more; at most 30 % and 200"},
		{Limit{Count: 5}, "5"}, {Limit{Percent: 2.5}, "2.5 %"}, {Limit{}, "1"},
		{Limit{Count: 5, Ceiling: &ceiling}, "5; at most 200"}, {Limit{Percent: 5, CapPercent: &cap30}, "5 %; at most 30 %"},
	} {
		if got := c.limit.words(); got != c.want {
			t.Errorf("%+v: %s", c.limit, got)
		}
	}
	in := input(t, company(2))
	in.Targets[0].Delete = map[string]string{"gone": "30d", "out-of-scope": "never"}
	in.Targets[0].Drift = Drift{"report", "report", "revoke", "keep", "recreate"}
	in.Targets[0].BreakGlass, in.Targets[0].Protect, in.Targets[0].First = []string{"account:emergency-*"}, []string{"entitlement:Admins"}, "apply"
	md := New(in).Markdown()
	for _, want := range []string{
		"deleted 30d later if gone from the directory", "| after 30d, and another complete read | never | never |",
		"A changed attribute is reported.", "A right that no role gives is taken away.", "An account that is gone is made anew.",
		"Never touched, by any command: the account `emergency-*`.", "whoever has `Admins`", "| is done without asking |",
		"employeeType is staff or contractor",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("it does not say: %s", want)
		}
	}
}

// What has no short way of saying is shown as it stands.
func TestConditionIsShown(t *testing.T) {
	c := company(2)
	r := c.Roles["employee"]
	r.When = `person.l in split(person.ou, ",")`
	c.Roles["employee"] = r
	if md := New(input(t, c)).Markdown(); !strings.Contains(md, "`person.l in split(person.ou, \",\")`") {
		t.Errorf("%s", md)
	}
}

// A target of two roles that give each other has one column more.
func TestColumns(t *testing.T) {
	w := &writer{Input: input(t, company(13)), includedBy: map[string][]string{}}
	w.config = w.Policy.Config()
	w.roles = sorted(w.config.Roles)
	w.includedBy["content-role-04"] = []string{"content-role-05"}
	d := w.draw("app0", []string{"content-role-04", "content-role-05"})
	layer := map[string]int{}
	for _, n := range d.nodes {
		layer[n.name] = n.layer
	}
	if layer["content-role-05"] != 1 || layer["content-role-04"] != 2 || layer["Right 4"] != 3 || layer["cn=team-04,ou=groups,dc=corp,dc=example"] != 0 {
		t.Errorf("%v", layer)
	}
	if !slices.ContainsFunc(d.edges, func(e edge) bool { return e.gives }) || !slices.ContainsFunc(d.edges, func(e edge) bool { return len(e.bends) > 0 }) {
		t.Errorf("%+v", d.edges)
	}
}

// Dates, owners and what everybody has are said.
func TestRolesInTime(t *testing.T) {
	c := company(2)
	c.Roles["employee"] = mapping.Role{Birthright: true, Owners: []string{"second", "head"}, From: "2026-12-01", Until: "2027-01-31"}
	md := New(input(t, c)).Markdown()
	for _, want := range []string{"Everybody whose entry is open.", "Nobody has it before **2026-12-01** or after **2027-01-31**.", "**head** and **second**", "It need not be asked for"} {
		if !strings.Contains(md, want) {
			t.Errorf("it does not say: %s", want)
		}
	}
}

// Exceptions of the file are said, with their end and their reason.
func TestExceptionsAreSaid(t *testing.T) {
	c := company(3)
	c.Grants = map[string]mapping.Grant{"g": {Person: "writer7", Role: "content-role-00", Reason: "stands in", Ticket: "T-1", From: "2026-12-01", Until: "2027-01-31"}}
	c.Denies = map[string]mapping.Deny{"d": {Person: "writer8", Role: "content-role-01", Reason: "moved", Until: "never"},
		"e": {Person: "writer9", Target: "app1", Reason: "audit", Until: "2027-02-01"}, "f": {Person: "writer10", Reason: "case", Until: "2027-02-01"}}
	c.Retains = map[string]mapping.Retain{"r": {Person: "writer11", Target: "app2", Reason: "legal", Until: "never"}, "s": {Person: "writer12", Reason: "legal", Until: "never"}}
	md := New(input(t, c)).Markdown()
	for _, want := range []string{
		"| `writer7` | has [content-role-00](#content-role-00), as though its rules gave it, from **2026-12-01** | 2027-01-31 | stands in (`T-1`) |",
		"| `writer8` | does not have [content-role-01](#content-role-01), whatever gives it | never | moved |",
		"| `writer9` | has nothing in [app1](#app1): the account is disabled and stripped, not deleted | 2027-02-01 | audit |",
		"| `writer10` | has nothing anywhere", "| `writer11` | is never deleted in [app2](#app2) | never | legal |", "| `writer12` | is never deleted, anywhere | never | legal |",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("it does not say: %s\n%s", want, md)
		}
	}
}

// A name that is made unique is not said to be always what its first rule gives.
func TestUniqueNamesInWords(t *testing.T) {
	for mode, want := range map[string]string{
		"":        "when the account is made, and then kept; nobody else gets the name for **1y** after it was given up",
		"enforce": "when the account is made, and when the person would not get that name any more; nobody else gets the name for **1y** after it was given up",
	} {
		c := company(2)
		app := c.Targets["app0"]
		app.Attributes["number"] = mapping.AttributeRule{From: "${person.employeeNumber}"}
		app.Attributes["name"] = mapping.AttributeRule{From: "${person.sn}", Otherwise: "${person.sn}${number}", Mode: mode}
		app.Account.Match = []string{"number"}
		c.Targets["app0"] = app
		said := New(input(t, c)).Markdown()
		for _, w := range []string{want, "where somebody else has that, `${person.sn}${number}` with a number from 2 on"} {
			if !strings.Contains(said, w) {
				t.Errorf("%q: the page does not say %q", mode, w)
			}
		}
	}
}
