package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// holdNumber is 7 for "h7".
func holdNumber(id string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "h"))
	if err != nil {
		return 0
	}
	return n
}

func compareHolds(a, b ledger.Hold) int {
	return cmp.Or(cmp.Compare(holdNumber(a.ID), holdNumber(b.ID)), cmp.Compare(a.ID, b.ID))
}

// lapse ends an approval that was not used in time, and copies what the judge
// will change.
func lapse(h ledger.Hold, now time.Time) ledger.Hold {
	h.Approved, h.Refused, h.Keys = slices.Clone(h.Approved), slices.Clone(h.Refused), slices.Clone(h.Keys)
	if len(h.Approved) > 0 && !now.Before(h.Expires) {
		h.Approved, h.ApprovedBy, h.Expires = nil, "", time.Time{}
		if h.Status == ledger.Approved {
			h.Status = ledger.Waiting
		}
	}
	return h
}

// Rebuilt is a hold that the judge does not make, with the keys that it has now. It
// waits, unless each of them is approved, in time, or refused.
func Rebuilt(h ledger.Hold, keys []ledger.Held, now time.Time) ledger.Hold {
	h = lapse(h, now)
	since := make(map[target.Key]time.Time, len(h.Keys))
	for _, k := range h.Keys {
		since[k.Key] = k.Since
	}
	undecided := make(map[target.Key]bool, len(keys))
	for i, k := range keys {
		undecided[k.Key] = true
		if was, held := since[k.Key]; held {
			keys[i].Since = was
		}
	}
	slices.SortFunc(keys, func(a, b ledger.Held) int { return slices.Compare(a.Key[:], b.Key[:]) })
	h.Keys = keys
	h.Approved, h.Refused = kept(h.Approved, keys), kept(h.Refused, keys)
	h.Status = status(h, undecided)
	return h
}

// join finds the hold that waits in this bucket, or opens one.
func (j *judge) join(at bucket, text wording) fate {
	for i := range j.holds {
		h := &j.holds[i]
		if h.Target == at.target && h.Rule == at.rule.String() && h.Role == at.role && h.Status == ledger.Waiting {
			j.texts[i] = text
			return fate{state: waiting, hold: i, member: true}
		}
	}
	i := len(j.holds)
	j.holds = append(j.holds, ledger.Hold{ID: fmt.Sprintf("h%d", j.next), Target: at.target, Rule: at.rule.String(), Role: at.role,
		Opened: j.book.Now, Status: ledger.Waiting})
	j.next++
	j.texts[i] = text
	return fate{state: waiting, hold: i, member: true}
}

// rebuild makes the holds anew: what is planned and kept by them, and what
// belongs to people of whom this plan says nothing.
func (j *judge) rebuild() []ledger.Hold {
	silent := map[place]bool{}
	said := map[place]bool{}
	for i := range j.plan.Subjects {
		s := &j.plan.Subjects[i]
		said[place{s.Target, s.Person}] = true
		silent[place{s.Target, s.Person}] = s.unread || s.Look != nil
	}
	members := make([]map[target.Key]ledger.Held, len(j.holds))
	waits := make([]map[target.Key]bool, len(j.holds))
	later := map[target.Key]bool{} // neither done nor given up: what holds them still does
	for i := range j.plan.Subjects {
		s := &j.plan.Subjects[i]
		for c := range s.Changes {
			f := j.fates[i][c]
			if f.state == retrying || f.state == withheld || f.state == following {
				later[s.Changes[c].Key] = true
			}
			if f.hold < 0 || !f.member {
				continue
			}
			if members[f.hold] == nil {
				members[f.hold], waits[f.hold] = map[target.Key]ledger.Held{}, map[target.Key]bool{}
			}
			k := s.Changes[c].Key
			waits[f.hold][k] = f.state == waiting
			members[f.hold][k] = ledger.Held{Key: k, Person: s.Person, Text: Words(s.Changes[c].Change), Since: j.book.Now}
		}
	}
	var out []ledger.Hold
	for i, h := range j.holds {
		var keys []ledger.Held
		for _, k := range h.Keys {
			here := place{h.Target, k.Person}
			if m, is := members[i][k.Key]; is {
				m.Since = k.Since
				keys = append(keys, m)
				delete(members[i], k.Key)
			} else if !said[here] || silent[here] || later[k.Key] {
				keys = append(keys, k)
			}
		}
		for _, m := range members[i] {
			keys = append(keys, m)
		}
		if len(keys) == 0 {
			continue
		}
		slices.SortFunc(keys, func(a, b ledger.Held) int { return slices.Compare(a.Key[:], b.Key[:]) })
		fewer := people(keys) != people(h.Keys)
		h.Keys = keys
		h.Approved, h.Refused = kept(h.Approved, keys), kept(h.Refused, keys)
		h.Status = status(h, waits[i])
		if text, fresh := j.texts[i]; fresh {
			h.Text = text(people(keys))
		} else if at := (bucket{h.Target, Rule(h.Rule), h.Role}); fewer && j.targets[h.Target] != nil && limited[at.rule] {
			limit, used, n := j.limit(at)
			h.Text = j.overLimit(at, limit, used, n)(people(keys))
		}
		out = append(out, h)
	}
	return out
}

// people counts them.
func people(keys []ledger.Held) int {
	seen := map[identity.Ordinal]bool{}
	for _, k := range keys {
		seen[k.Person] = true
	}
	return len(seen)
}

// status is what the keys say together; waits are those that this plan has
// waiting.
func status(h ledger.Hold, waits map[target.Key]bool) ledger.HoldStatus {
	yes, no := setOf(h.Approved), setOf(h.Refused)
	refused := 0
	for _, k := range h.Keys {
		switch {
		case yes[k.Key]:
		case no[k.Key]:
			refused++
		case h.Status != ledger.Approved || waits[k.Key]:
			return ledger.Waiting
		}
	}
	if refused == len(h.Keys) {
		return ledger.Rejected
	}
	return ledger.Approved
}

func kept(list []target.Key, keys []ledger.Held) []target.Key {
	there := make(map[target.Key]bool, len(keys))
	for _, k := range keys {
		there[k.Key] = true
	}
	return slices.DeleteFunc(list, func(k target.Key) bool { return !there[k] })
}

func setOf(keys []target.Key) map[target.Key]bool {
	out := make(map[target.Key]bool, len(keys))
	for _, k := range keys {
		out[k] = true
	}
	return out
}

// limited are the rules that count.
var limited = map[Rule]bool{RuleRemove: true, RuleCreate: true, RuleEnable: true, RuleRename: true, RuleRevoke: true, RuleUpdate: true}

// number writes a limit without needless digits.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// tally says how many changes of a rule come together.
func tally(at bucket, n, used int) string {
	accounts := plural(n, "account", "accounts")
	text := map[Rule]string{
		RuleRemove: accounts + " would be disabled or deleted",
		RuleCreate: accounts + " would be created or adopted",
		RuleEnable: accounts + " would be enabled again",
		RuleRename: accounts + " would be renamed",
		RuleRevoke: plural(n, "person", "people") + " would lose what " + cmp.Or(at.role, "no role") + " gives",
		RuleUpdate: accounts + " would change " + at.role,
	}[at.rule]
	if used > 0 {
		text += fmt.Sprintf(", after %d before", used)
	}
	return text
}
