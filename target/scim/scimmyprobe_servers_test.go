//go:build servers

package scim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target"
)

// TestScimmyProbe: on express 4 the probe finds what the profile says; on express 5
// it finds that nothing can be done there. Nothing is left behind.
func TestScimmyProbe(t *testing.T) {
	for _, express := range []int{4, 5} {
		t.Run(fmt.Sprintf("express%d", express), func(t *testing.T) {
			s := servers.StartScimmy(t, express)
			for i := range 25 {
				if err := s.Put("Users", fmt.Sprintf("m%d", i), map[string]any{"userName": fmt.Sprintf("stranger%02d", i), "active": true}); err != nil {
					t.Fatal(err)
				}
			}
			w, err := New(Config{URL: s.URL, Token: tokenFile(t, servers.ScimmyToken)}, "wiki")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.Close() }) //nolint:errcheck // it cannot fail
			out, err := w.Probe(t.Context(), "rosterd-probe-1", func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			want := profiles()["scimmy"]
			broken := slices.ContainsFunc(out.Notes, func(n target.Note) bool {
				return n.Broken && strings.Contains(n.Text, "does not show all")
			})
			if express == 5 {
				want.Paging, want.PageSize = "", 20
			}
			if broken != (express == 5) {
				t.Error(out.Notes)
			}
			if got := want.toml(); out.Settings != got {
				t.Errorf("found\n%swant\n%s%v", out.Settings, got, out.Notes)
			}
			store, err := s.Store()
			if err != nil {
				t.Fatal(err)
			}
			if len(store.Users) != 25 || len(store.Groups) != 0 {
				t.Errorf("%d users and %d groups are left", len(store.Users), len(store.Groups))
			}
			// A listing on express 5 is no listing.
			_, err = target.Collect(t.Context(), w, target.Scope{})
			if (err == nil) != (express == 4) {
				t.Errorf("a listing on express %d: %v", express, err)
			}
		})
	}
}
