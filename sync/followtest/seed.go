package followtest

import (
	"os"
	"strconv"
	"testing"
)

// Drawn is a seed and how many operations a walk of the tests has: those of
// ROSTERD_SEED and ROSTERD_WALK, or one that the caller drew, and 200.
func Drawn(t *testing.T, seed uint64) (uint64, int) {
	t.Helper()
	operations := 200
	for name, take := range map[string]func(uint64){
		"ROSTERD_SEED": func(n uint64) { seed = n }, "ROSTERD_WALK": func(n uint64) { operations = int(n) }} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			take(n)
		}
	}
	return seed, operations
}
