package ldap

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestLaw05NotMovedAndNotKnownWhere: a change that did not arrive moved nothing, and where
// somebody of that name was closed before is not where this account was.
func TestLaw05NotMovedAndNotKnownWhere(t *testing.T) {
	c := newCutoff(t, entries.StyleMember)
	c.cycle()
	c.join("Readers", c.stands("ada", inLeft)) // of an Ada who is gone
	c.set("ada", "employeetype", "former")
	c.faults().Add(ldapd.Fault{Op: ldapd.OpRename, Do: ldapd.Drop})
	c.cycle()
	c.faults().Clear()
	c.forgetReferences()
	c.cycle()
	c.cycle()
	c.want("Readers")
	c.want("Writers", c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts))
}

// TestLaw10OneGroupIsNotOursToWrite: a group that rosterd may not write keeps nobody else
// out, and no account in doubt for ever: it is named once.
func TestLaw10OneGroupIsNotOursToWrite(t *testing.T) {
	c := newCutoff(t, entries.StyleMember)
	readers := ldapd.Fault{Op: ldapd.OpModify, Base: "cn=Readers," + inGroups, Code: ldapd.InsufficientAccessRights}
	c.faults().Add(readers)
	c.join("Readers", c.stands("bob", inAccounts)) // of a Bob who is gone
	c.cycle()
	said := func(want string) {
		t.Helper()
		if r := c.cycle(); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Outcome.Err, want) || r.InDoubt != 0 || len(r.Down) != 0 {
			t.Errorf("%d in doubt, down: %+v, failed: %+v", r.InDoubt, r.Down, r.Failed)
		}
		if r := c.cycle(); len(r.Failed) != 0 || len(r.Down) != 0 {
			t.Errorf("said again: %+v %+v", r.Failed, r.Down)
		}
	}
	said("may hold what somebody held")
	c.want("Writers", c.stands("ada", inAccounts), c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts))

	c.setMembers(t, "Readers", "cn=nobody", c.stands("ada", inAccounts))
	c.set("ada", "uid", "lovelace")
	c.cycle()
	said("not all groups that have uid=ada")
	c.want("Writers", c.stands("lovelace", inAccounts), c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts))
}
