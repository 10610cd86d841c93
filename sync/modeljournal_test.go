package sync_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"

	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
)

// names is whatever tells who somebody in a model is.
var names = regexp.MustCompile(`\bp\d\d\b|@|uid=|hand-|admin`)

// checkJournal wants an intent before and an outcome after for each write, and
// nobody's name in what is kept for ever.
func (m *model) checkJournal() {
	m.verifyJournal()
	intents, outcomes := map[string]int{}, map[string]int{}
	err := m.engine.Store.Journal(state.JournalFilter{}, func(r journal.Sealed) error {
		head := r.Record
		head.Public, head.Parts = nil, nil
		if found := names.FindString(fmt.Sprintf("%+v ", head) + string(r.Public)); found != "" {
			return fmt.Errorf("record %d (%s) names %q in public: %s", r.Seq, r.Kind, found, r.Public)
		}
		key := r.Target + " " + r.Action
		switch r.Kind {
		case "intent":
			intents[key]++
		case "outcome":
			if !bytes.Contains(r.Public, []byte(`"class":"in-doubt"`)) {
				outcomes[key]++
			}
			if outcomes[key] > intents[key] {
				return fmt.Errorf("an outcome of %s before its intent", key)
			}
		}
		return nil
	})
	if err != nil {
		m.t.Fatalf("law 7: %v", err)
	}
	if !maps.Equal(intents, outcomes) {
		m.t.Fatalf("law 7: intents %v, outcomes %v", intents, outcomes)
	}
	for _, name := range []string{"chat", "wiki"} {
		wrote := map[string]int{}
		for _, w := range m.member[name].Writes() {
			if w.Done {
				wrote[name+" "+w.Verb.String()]++
			}
		}
		for key, n := range wrote {
			if n > intents[key] {
				m.t.Fatalf("law 7: %d writes of %s, and %d intents", n, key, intents[key])
			}
		}
	}
	if doubts, err := m.engine.Store.InDoubt(); err != nil || len(doubts) > 0 {
		m.t.Fatalf("law 7: %d writes without an outcome, %v", len(doubts), err)
	}
}

func (m *model) verifyJournal() {
	if _, _, err := m.engine.Store.VerifyJournal(); err != nil {
		m.t.Fatalf("law 7: the journal does not verify: %v", err)
	}
}
