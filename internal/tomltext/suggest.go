package tomltext

import (
	"maps"
	"slices"
	"strings"
)

// Suggest gives the word that was probably meant, or "".
func Suggest(word string, known []string) string {
	known = slices.Clone(known)
	slices.Sort(known)
	best, least := "", 0
	for _, candidate := range known {
		if plain(candidate) == plain(word) {
			return candidate
		}
		limit := max(1, min(len(word), len(candidate))/3)
		if d := distance(strings.ToLower(word), candidate); d <= limit && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	if best != "" {
		return best
	}
	// base_dn for base, people_base for people: one is the beginning or end of the other.
	for _, candidate := range known {
		if len(candidate) >= 3 && (strings.HasPrefix(word, candidate+"_") || strings.HasSuffix(word, "_"+candidate) ||
			strings.HasPrefix(candidate, word+"_") || strings.HasSuffix(candidate, "_"+word)) {
			return candidate
		}
	}
	return ""
}

// plain is a word without what people write in several ways.
func plain(word string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(word))
}

// distance counts the letters to add, drop, change or swap.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

// sortedKeys are the names of a table in a fixed order.
func sortedKeys(table map[string]any) []string {
	return slices.Sorted(maps.Keys(table))
}
