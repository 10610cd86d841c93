package state

import (
	"os"
	"strings"
	"testing"
)

// The same backup is restored twice: what was given between is given to nobody
// again, neither a number nor the ID of a hold.
func TestABackupThatIsRestoredTwice(t *testing.T) {
	k, old := used(t)
	backup, err := os.ReadFile(old)
	ok(t, err)
	var ordinal, hold uint64
	for round := range 3 {
		ok(t, k.s.Close())
		k.s = nil
		ok(t, os.WriteFile(k.path, backup, 0o600))
		k.open()
		if _, is, err := k.s.Restored(); !is || err != nil {
			t.Fatal(round, is, err)
		}
		k.person("between" + strings.Repeat("x", round))
		k.read()
		if p := k.one("between" + strings.Repeat("x", round)); uint64(p.Ordinal) <= ordinal {
			t.Errorf("round %d: %s was given before, up to %d", round, p.Ordinal, ordinal)
		}
		id := must2(k.s.NextHoldID())
		n, err := holdKey(id)
		ok(t, err)
		if fromU64(n) <= hold {
			t.Errorf("round %d: hold %s was given before, up to h%d", round, id, hold)
		}
		ok(t, k.s.view(func(tx *txn) error {
			ordinal, hold = fromU64(tx.Bucket(bMeta).Get(kOrdinal)), fromU64(tx.Bucket(bMeta).Get(kHold))
			return nil
		}))
	}
}
