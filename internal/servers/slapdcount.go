package servers

import "regexp"

// operation is a line of the log with which an operation begins: one with a
// number of its own, whatever else is said of it.
var operation = regexp.MustCompile(`(?m) conn=(\d+) op=(\d+) (BIND|SRCH|ADD|MOD|MODRDN|DEL|CMP|EXT|PASSMOD)\b`)

// Operations counts the requests that the server has answered so far, by what its
// log calls them: BIND, SRCH, ADD, MOD, MODRDN, DEL, CMP, EXT. It must log them
// (Debug "stats").
func (s *Slapd) Operations() map[string]int {
	out, seen := map[string]int{}, map[string]bool{}
	for _, m := range operation.FindAllStringSubmatch(s.Log(), -1) {
		if id := m[1] + " " + m[2]; !seen[id] {
			seen[id] = true
			out[m[3]]++
		}
	}
	return out
}
