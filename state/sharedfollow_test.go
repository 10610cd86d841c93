package state

import (
	"testing"

	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// Who is closed at the source is not doubted for a key that two carry; so the doubt is
// looked for when they change.
func TestASharedKeyOfSomebodyWhoWasClosed(t *testing.T) {
	for name, change := range map[string]func(k *kit, closed identity.ID){
		"is open again": func(k *kit, closed identity.ID) {
			k.src.Change(closed, func(r *memory.Record) { r.Disabled = false })
		},
		"carries another key": func(k *kit, closed identity.ID) {
			k.src.Change(closed, func(r *memory.Record) { r.Attributes["employeenumber"] = []string{"99"} })
		},
		"is deleted": func(k *kit, closed identity.ID) { k.src.Remove(closed) },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, "title")
			k.persons(10)
			closed := k.person("closed", "employeeNumber", "77")
			k.person("other", "employeeNumber", "77")
			k.src.Change(closed, func(r *memory.Record) { r.Disabled = true })
			k.read()
			k.wantStanding("closed", identity.Disabled, identity.NoDoubt)
			k.wantStanding("other", identity.Unknown, identity.SharedKey)
			change(k, closed)
			k.undecided("rehire key")
			k.read()
			if name == "is open again" {
				k.wantStanding("closed", identity.Unknown, identity.SharedKey)
				return
			}
			k.wantStanding("other", identity.Active, identity.NoDoubt)
		})
	}
}
