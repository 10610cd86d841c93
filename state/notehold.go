package state

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

// heldNote is the public part of the records of a hold.
type heldNote struct {
	Hold   string `json:"hold"`
	Rule   string `json:"rule"`
	Role   string `json:"role,omitempty"`
	Status string `json:"status"`
	// Changes is how many it holds; the others what this record is about.
	Changes  int `json:"changes"`
	Added    int `json:"added,omitempty"`
	Dropped  int `json:"dropped,omitempty"`
	Approved int `json:"approved,omitempty"`
	Refused  int `json:"refused,omitempty"`
}

// heldChange is one change of a hold in the part of its person.
type heldChange struct {
	Key  target.Key `json:"key"`
	Text string     `json:"text"`
	// Now is what this record says of it: added, dropped, approved, refused.
	Now string `json:"now"`
}

// noteHold appends what became of a hold: what came and went since it was, and
// what was decided. The version is a hash of the keys, and so belongs to
// everybody whom the record is about.
func (s *Store) noteHold(tx *txn, kind string, was, h ledger.Hold, by string) error {
	public := heldNote{Hold: h.ID, Rule: h.Rule, Role: h.Role, Status: h.Status.String(), Changes: len(h.Keys)}
	of := map[identity.Ordinal][]heldChange{}
	say := func(k ledger.Held, now string, count *int) {
		of[k.Person] = append(of[k.Person], heldChange{k.Key, k.Text, now})
		*count++
	}
	before, after := heldKeys(was), heldKeys(h)
	approved, refused := fresh(was.Approved, h.Approved), fresh(was.Refused, h.Refused)
	for _, k := range h.Keys {
		if _, known := before[k.Key]; !known {
			say(k, "added", &public.Added)
		}
		if approved[k.Key] {
			say(k, "approved", &public.Approved)
		}
		if refused[k.Key] {
			say(k, "refused", &public.Refused)
		}
	}
	for _, k := range was.Keys {
		if _, still := after[k.Key]; !still {
			say(k, "dropped", &public.Dropped)
		}
	}
	parts := []said{{uint64(journal.Everybody), map[string]string{"text": h.Text, "version": h.Version()}}}
	for _, o := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, said{uint64(o), map[string]any{"changes": of[o]}})
	}
	decider, err := deciders{}.part(tx, by)
	if err != nil {
		return err
	}
	return s.note(tx, journal.Record{Kind: kind, Target: h.Target}, public, append(parts, decider...)...)
}

func heldKeys(h ledger.Hold) map[target.Key]struct{} {
	out := make(map[target.Key]struct{}, len(h.Keys))
	for _, k := range h.Keys {
		out[k.Key] = struct{}{}
	}
	return out
}

// fresh are the keys of now that were not there before.
func fresh(was, now []target.Key) map[target.Key]bool {
	out := make(map[target.Key]bool, len(now))
	for _, k := range now {
		out[k] = true
	}
	for _, k := range was {
		delete(out, k)
	}
	return out
}
