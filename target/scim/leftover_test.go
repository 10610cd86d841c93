package scim

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestLaw05ProbeDeletesWhatAProbeLeft: what a probe left that was killed is named by a
// check and deleted by the next probe: that and nothing else, however much it is called
// so, and not what a probe has made that runs now.
func TestLaw05ProbeDeletesWhatAProbeLeft(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	// The server counts from the beginning of the year.
	moved := clock.NewFake(time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC))
	open := func() *Target {
		w, err := newTarget(s.cfg, "wiki", moved)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() }) //nolint:errcheck // it cannot fail
		return w
	}
	probe := func(digits string) (said string) {
		out, err := open().Probe(t.Context(), target.ProbeName+digits, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range out.Notes {
			said += n.Text + "\n"
		}
		return said
	}
	check := func() (said string) {
		notes, err := open().Check(t.Context(), target.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range notes {
			if strings.Contains(n.Text, "a probe that was stopped") {
				said += n.Text
			}
		}
		return said
	}
	names := func() []string { return slices.Sorted(maps.Keys(s.contents())) }
	add := func(r scimd.Resource) string { r["active"] = true; return s.Add(scimd.Users, r) }

	const first, second, group = "rosterd-probe-00000000000000aa", "rosterd-probe-00000000000000bb", "rosterd-probe-00000000000000cc"
	someone := add(scimd.Resource{"userName": "someone"})
	unsigned := []string{first + "-7", first, first + "-1-2", "x" + first + "-1", "rosterd-probe-team"}
	for _, name := range unsigned {
		r := scimd.Resource{"userName": name, "displayName": name, "emails": []any{map[string]any{"value": name + "@corp.example"}}}
		if name != first+"-7" && name != first {
			r["externalId"] = name // its mark is right, and its name is not
		}
		add(r)
	}
	s.Add(scimd.Groups, scimd.Resource{"displayName": group, "members": []any{map[string]any{"value": someone}}})
	before := s.contents()
	if said := check(); !strings.Contains(said, first+"-7") || strings.Contains(said, "rosterd-probe-team") {
		t.Errorf("a check says %q", said)
	}

	s.Turn(scimd.DeleteRefused) // as good as killed: nothing is deleted
	probe("00000000000000aa")
	s.TurnOff(scimd.DeleteRefused)
	left := names()
	if len(left) != len(before)+5 {
		t.Fatalf("left: %q", left)
	}
	if said := check(); !strings.Contains(said, first+"-1") || !strings.Contains(said, first+"-4") {
		t.Errorf("a check says %q", said)
	}
	// It may run still.
	if said := probe("00000000000000bb"); !strings.Contains(said, "may be somebody's") || !slices.Equal(names(), left) {
		t.Errorf("%q\nleft: %q", said, names())
	}
	moved.Set(moved.Now().Add(2 * probeTakes))
	said := probe("00000000000000bb")
	if !strings.Contains(said, "there were 5 accounts and groups") || !strings.Contains(said, first+"-7") || !strings.Contains(said, group) || strings.Contains(said, second) {
		t.Errorf("the next probe says %q", said)
	}
	if after := s.contents(); !maps.Equal(after, before) {
		t.Errorf("after: %q", names())
	}
}
