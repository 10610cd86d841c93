package sync_test

import (
	"strings"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// protectedName is whose accounts nobody changes but by a command that says so.
const protectedName = "p05"

// untouched wants that of a protected account: it is made and completed by the cycle
// that makes it, and by no other.
func (m *model) untouched(name string, w memory.Write) {
	if !m.with["protected"] || !strings.HasPrefix(w.Account.Name, protectedName) {
		return
	}
	if w.Verb == target.Create {
		m.fresh[name+"/"+string(w.Account.ID)] = true
	}
	if w.Changed && !m.insists && !m.fresh[name+"/"+string(w.Account.ID)] {
		m.t.Fatalf("law 5: %s: %s of %s, which is protected", name, w.Verb, w.Account.Name)
	}
}
