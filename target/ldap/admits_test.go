package ldap

import (
	"errors"
	"testing"
)

// TestLaw05PolicyDoesNotReach: what closes an account, knows it again, gives rights or lets
// somebody log in as it is no attribute of a policy, however it is written.
func TestLaw05PolicyDoesNotReach(t *testing.T) {
	c := sound()
	c.Mark, c.IDAttribute = "businessCategory", "nsUniqueID"
	for _, name := range []string{
		"employeeType", "EMPLOYEETYPE", "employeeType;lang-en", "businessCategory", "nsuniqueid", "userPassword", "userpassword;x-a", "objectClass", "entryUUID",
		"2.5.4.35", "OID.2.5.4.35", "oid.2.5.4.35", "member", "memberOf", "uniqueMember", "memberUid", "aci", "nsAccountLock", "pwdAccountLockedTime", "pwdPolicySubentry", "authzTo",
		"krbPrincipalKey", "sambaNTPassword", "nsRoleDN", "ref", "", "a b", "uid)(x", "sn;", "sn;a b", ";binary",
	} {
		err := c.Admits(name)
		var h interface{ Hint() string }
		if err == nil || !errors.As(err, &h) || h.Hint() == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"uid", "cn", "mail", "container", "manager", "sn;lang-en", "userCertificate;binary", "uidNumber", "sshPublicKey", "krbPrincipalName", "employeeNumber"} {
		if err := c.Admits(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	c.Disable, c.Mark = Disable{}, ""
	if err := c.Admits("employeeType"); err != nil {
		t.Error(err)
	}
}
