package words

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/rosterd/rosterd/mapping"
)

// What the owner of a file writes into it neither steers the terminal of whoever
// reads the page nor becomes part of the page's own marks.
func TestPageIsNotSteeredByWhatStandsInTheFile(t *testing.T) {
	const bad = "\x1b]0;owned\x07\x1b[2J\u202e\u0085\x00</b><script>alert(1)</script>\"'><img src=x>\n# Roles\n\n[x](javascript:1)"
	c := company(3)
	r := c.Roles["content-role-00"]
	r.Description, r.Owner, r.Groups = bad, bad, []string{"cn=team,ou=groups,dc=corp,dc=example"}
	c.Roles["content-role-00"] = r
	c.Targets["app0"].Entitlements["content-role-00"] = []string{bad}
	c.Targets["app0"].Attributes["title"] = mapping.AttributeRule{From: bad}
	c.Tables = map[string]map[string]string{"words": {bad: bad}}
	c.Tests = map[string]mapping.Test{"bad": {Source: "corp", Description: bad, Attributes: map[string]mapping.Texts{"employeeType": {"staff"}, "mail": {"a@example.org"}}, Lacks: []string{"role:content-role-00"}}}
	c.Retains = map[string]mapping.Retain{"x": {Person: bad, Reason: bad, Ticket: bad, Until: "never"}}
	in := input(t, c)
	in.Targets[0].Protect, in.Targets[0].BreakGlass = []string{bad}, []string{bad}
	in.Sources[0].Canaries = []string{bad}
	if got := codeSpan(`a\|b`); got != `a\\\|b` {
		t.Errorf("a bar that ends the cell of a table: %s", got)
	}
	page := New(in)
	for name, said := range map[string]string{"markdown": page.Markdown(), "html": page.HTML()} {
		for _, r := range said {
			if !unicode.IsPrint(r) && r != '\n' {
				t.Errorf("%s has %q", name, r)
				break
			}
		}
		if n := strings.Count(said, "\n# "); name == "markdown" && n > 0 {
			t.Errorf("%d titles come from the file", n)
		}
		for _, tag := range []string{"<script", "<img"} {
			if name == "html" && strings.Contains(said, tag) {
				t.Errorf("html has %s", tag)
			}
		}
		bare := regexp.MustCompile("`+[^`]*`+").ReplaceAllString(said, "")
		if at := regexp.MustCompile(`[^\\]\]\(javascript.*`).FindString(bare); name == "markdown" && at != "" {
			t.Errorf("a link comes from the file: %s", at)
		}
	}
}
