package main

import (
	"fmt"

	rostersync "github.com/rosterd/rosterd/sync"
)

// readText says in short what a read brought.
func readText(r rostersync.Read) string {
	switch r.Way {
	case rostersync.Changes:
		s := r.Sealed
		if n := s.New + s.Changed + s.Missing; n > 0 {
			return count(n, "change") + " in " + r.Source
		}
		return "nothing new in " + r.Source
	case rostersync.IDs:
		return "IDs of " + count(r.Sealed.People, "person") + " in " + r.Source
	}
	return count(r.Sealed.People, "person") + " in " + r.Source
}

// rereadText says that everything was read though changes are followed there, and
// why; empty where that was not so.
func rereadText(r rostersync.Read) string {
	if r.Way != rostersync.Everything || r.Why == "" {
		return ""
	}
	return fmt.Sprintf("everything of %s was read: %s", r.Source, whyText(r))
}

// whyText is why, with its cause.
func whyText(r rostersync.Read) string {
	if r.Cause == nil {
		return r.Why
	}
	return r.Why + ": " + r.Cause.Error()
}

// readDocument is one read of a source, for machines. A source may be read twice in a
// cycle: for what changed, and then for who is there.
type readDocument struct {
	Source string `json:"source"`
	// Way is "everything", "ids" or "changes"; Engine is how changes were followed.
	Way    string `json:"way"`
	Engine string `json:"engine,omitempty"`
	// Why says why it was read so, where changes alone could have been enough.
	Why     string `json:"why,omitempty"`
	New     int    `json:"new"`
	Changed int    `json:"changed"`
	Missing int    `json:"missing"`
	Error   string `json:"error,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func newReadDocument(r rostersync.Read) readDocument {
	d := readDocument{Source: r.Source, Way: string(r.Way), Engine: r.Engine, Why: whyText(r), New: r.Sealed.New, Changed: r.Sealed.Changed, Missing: r.Sealed.Missing}
	if r.Err != nil {
		d.Error, d.Hint = r.Err.Error(), hintOf(r.Err)
	}
	return d
}
