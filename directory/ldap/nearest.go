package ldap

import (
	"maps"
	"slices"
)

// nearest is the name that is most likely meant: at most two letters added,
// left out or changed, and less than half of it. "" if there is none.
func nearest(name string, among map[string]bool) string {
	best, least := "", 3
	for _, other := range slices.Sorted(maps.Keys(among)) {
		if d := distance(name, other); d > 0 && d < least && 2*d < len(name) {
			best, least = other, d
		}
	}
	return best
}

// distance is that of Levenshtein, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
