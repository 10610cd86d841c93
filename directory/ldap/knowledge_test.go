package ldap_test

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/servers"
)

// Law 13: a server with syncprov says what it has seen, and says more after each
// change; one without says nothing, and is not thought to be behind for it.
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
	silent := slapdWorld(t, servers.SlapdConfig{})
	silent.crowd(5, people)
	_, p := sourcetest.Read(t, silent.open(nil))
	if place, _ := p.Knowledge().Behind(nil); len(p.Knowledge()) != 0 || place != "" {
		t.Errorf("a server without syncprov says %v", p.Knowledge())
	}
}
