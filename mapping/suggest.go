package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean is a hint that names the known word nearest to the one written;
// empty if none is near. Of several equally near the first in order is named.
func didYouMean(written string, known []string) string {
	best, distance := "", max(2, len(written)/3)+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		d := editDistance(strings.ToLower(written), strings.ToLower(k))
		if d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// oneOf is a hint that names the nearest word, or else all of them.
func oneOf(written string, known []string) string {
	if hint := didYouMean(written, known); hint != "" {
		return hint
	}
	return "one of: " + strings.Join(known, ", ")
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that make one word the other.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 200 || len(y) > 200 {
		return 200
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
