package ldap_test

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/servers"
)

// Law 13: a server with syncprov says what it has seen, and says more after each
// change.
func TestLaw13KnowledgeOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Overlays: []string{"syncprov"}})
	w.crowd(5, people)
	_, first := sourcetest.Read(t, w.open(nil))
	if len(first.Knowledge()) == 0 {
		t.Fatal("a server with syncprov does not say what it has seen")
	}
	w.person("late", people)
	_, second := sourcetest.Read(t, w.open(nil))
	place, seen := first.Knowledge().Behind(second.Knowledge())
	if !strings.HasPrefix(place, strings.ToLower(suffix)+" server ") || seen == "" {
		t.Errorf("what was read before a change is not behind: %q, %q; %v and %v", place, seen, first.Knowledge(), second.Knowledge())
	}
	if place, _ := second.Knowledge().Behind(first.Knowledge()); place != "" {
		t.Errorf("what was read after a change is behind in %q", place)
	}
	// One without may have a contextCSN from when it was loaded. It is never behind
	// itself.
	silent := slapdWorld(t, servers.SlapdConfig{})
	silent.crowd(5, people)
	_, before := sourcetest.Read(t, silent.open(nil))
	silent.person("late", people)
	_, after := sourcetest.Read(t, silent.open(nil))
	if place, seen := after.Knowledge().Behind(before.Knowledge()); place != "" {
		t.Errorf("a server without syncprov is behind itself in %q: %s", place, seen)
	}
	t.Logf("without syncprov: %v, then %v", before.Knowledge(), after.Knowledge())
}
