package scim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestCheck: what is wrong is told before a cycle runs into it, and no word of it
// where all is well.
func TestCheck(t *testing.T) {
	scope := target.Scope{Attributes: []string{"displayName", "enterprise.department"}, Entitlements: []string{"Writers"}}
	for _, c := range []struct {
		name   string
		mode   scimd.Mode
		scope  func(*target.Scope)
		broken bool
		want   string
	}{
		{"all is well", "", nil, false, "it finds accounts by a filter|3 accounts|1 of 1 groups are there"},
		{"filters are not known", scimd.FilterIgnored, nil, false, "it does not know filters"},
		{"filters are refused", scimd.FilterRefused, nil, false, "it finds no accounts by a filter"},
		{"it says nothing of itself", scimd.NoDiscovery, nil, false, "it has no ServiceProviderConfig"},
		{"no PATCH", scimd.PatchUnsupported, nil, false, "it has no PATCH"},
		{"two groups of a name", scimd.TwinGroups, nil, true, `2 groups are called "Writers"`},
		{"no such group", "", func(s *target.Scope) { s.Entitlements = []string{"Nobody", "Writers"} }, true, `there is no group "Nobody"|groups that are there: 1`},
		{"by an ID that is none", "", func(s *target.Scope) { s.Entitlements = []string{"id:nothing"} }, true, `no group with the ID "nothing"`},
		{"members are hidden", scimd.MembersOmitted, nil, false, "no group shows a member"},
		{"an attribute that nobody knows", "", func(s *target.Scope) { s.Attributes = []string{"shoeSize"} }, false, "shoeSize is in none of the server's schemas"},
		{"no name of an attribute", "", func(s *target.Scope) { s.Attributes = []string{"active"} }, true, "active cannot be set"},
		{"the mark's attribute", "", func(s *target.Scope) { s.Attributes = []string{"externalId"} }, true, "holds the ownership mark"},
		{"all and one of them", "", func(s *target.Scope) { s.Attributes = []string{"emails", "emails.work"} }, true, "emails are all of them, and emails.work is one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, scimd.Options{}, "Writers", "Others")
			refs := s.many(3)
			w := s.open(t)
			if errs := w.Grant(t.Context(), "Writers", refs[:1]); errs != nil {
				t.Fatal(errs)
			}
			if c.mode != "" {
				s.Turn(c.mode)
			}
			w = s.open(t)
			scope := scope
			if c.scope != nil {
				c.scope(&scope)
			}
			s.Forget()
			notes, err := w.Check(t.Context(), scope)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			broken := false
			for _, n := range notes {
				if strings.Contains(n.Text, "0 of") {
					t.Errorf("told as what is well: %s", n.Text)
				}
				fmt.Fprintf(&text, "%v %s (%s)\n", n.Broken, n.Text, n.Hint)
				broken = broken || n.Broken
				if n.Broken && n.Hint == "" {
					t.Errorf("%q has no hint", n.Text)
				}
			}
			for want := range strings.SplitSeq(c.want, "|") {
				if !strings.Contains(text.String(), want) {
					t.Errorf("not said: %s, in\n%s", want, text.String())
				}
			}
			if broken != c.broken || s.Writes() > 0 {
				t.Errorf("broken %v, %d writes:\n%s", broken, s.Writes(), text.String())
			}
		})
	}
	s := serve(t, scimd.Options{}, "Writers")
	s.Turn(scimd.TotalMore)
	if _, err := s.open(t).Check(t.Context(), scope); err == nil {
		t.Error("a listing that is not complete is no finding")
	}
	w := s.open(t, func(c *Config) { c.Token = tokenFile(t, "another-token") })
	_, err := w.Check(t.Context(), scope)
	wantClass(t, err, target.Denied, "401")
}
