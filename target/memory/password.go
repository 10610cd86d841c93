package memory

import (
	"crypto/sha256"

	"github.com/rosterd/rosterd/target"
)

// password is what is kept of one.
type password struct {
	digest     [sha256.Size]byte
	mustChange bool
}

// PasswordFirst makes a target whose accounts are created disabled, and are enabled
// only once they have a password, as Active Directory has it.
func (t *Target) PasswordFirst() *Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passwordFirst = true
	return t
}

// Login says whether somebody gets in with the password, and whether they have to
// choose another first.
func (t *Target) Login(id target.NativeID, text string) (in, mustChange bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, p := t.book.Get(id), t.passwords[id]
	return a != nil && a.Enabled && p.digest == sha256.Sum256([]byte(text)), p.mustChange
}

func (t *Target) setPassword(id target.NativeID, p password) {
	if t.passwords == nil {
		t.passwords = map[target.NativeID]password{}
	}
	t.passwords[id] = p
}
