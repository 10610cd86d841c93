package plan

import (
	"slices"
	"strconv"
	"strings"
)

// alike are the subjects of one target that come to the same: one situation,
// one standing, the same verbs.
type alike struct {
	// what says it in words: "new: create, grant".
	what     string
	subjects []int // in the order of the plan
}

// groups are the subjects of a target that are shown, those that are alike
// beside each other, in the order of the first of each.
func (t *text) groups(name string) []alike {
	var out []alike
	at := map[string]int{}
	for i := range t.plan.Subjects {
		s := &t.plan.Subjects[i]
		if s.Target != name || !t.o.Verbose && !telling(s) {
			continue
		}
		key, what := "", ""
		if !t.o.Verbose { // everybody is shown, in the order of the plan
			what = likeness(s)
			standing := t.verdict.at(i)
			key = what + "\x00" + standing.Stage.String() + "\x00" + strings.Join(standing.Holds, " ")
		}
		g, known := at[key]
		if !known {
			g = len(out)
			at[key] = g
			out = append(out, alike{what: what})
		}
		out[g].subjects = append(out[g].subjects, i)
	}
	return out
}

// likeness is the situation with the verbs of the changes, each once.
func likeness(s *Subject) string {
	var verbs []string
	for c := range s.Changes {
		if v := s.Changes[c].Change.Verb.String(); !slices.Contains(verbs, v) {
			verbs = append(verbs, v)
		}
	}
	if len(verbs) == 0 {
		return s.Situation.String()
	}
	return s.Situation.String() + ": " + strings.Join(verbs, ", ")
}

// thousands writes a number as people do: 4,990.
func thousands(n int) string {
	out := strconv.Itoa(n)
	for at := len(out) - 3; at > 0; at -= 3 {
		out = out[:at] + "," + out[at:]
	}
	return out
}
