package ad

import (
	"errors"
	"testing"
)

// TestLaw05PolicyDoesNotReach: what closes an account, knows it again, gives rights or lets
// somebody log in as it is no attribute of a policy, however it is written.
func TestLaw05PolicyDoesNotReach(t *testing.T) {
	c := sound()
	c.Mark = "info"
	for _, name := range []string{
		"userAccountControl", "useraccountcontrol", "unicodePwd", "userPassword", "primaryGroupID", "sIDHistory", "objectClass", "objectSid", "objectGUID", "adminCount", "isCriticalSystemObject",
		"member", "memberOf", "nTSecurityDescriptor", "msDS-AllowedToDelegateTo", "msds-allowedtoactonbehalfofotheridentity", "msDS-KeyCredentialLink", "servicePrincipalName", "altSecurityIdentities",
		"pwdLastSet", "lockoutTime", "dBCSPwd", "info", "name", "distinguishedName", "1.2.840.113556.1.4.8", "oid.1.2.840.113556.1.4.8", "userAccountControl;range=0-1", "a b", "",
	} {
		err := c.Admits(name)
		var h interface{ Hint() string }
		if err == nil || !errors.As(err, &h) || h.Hint() == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"sAMAccountName", "cn", "userPrincipalName", "container", "displayName", "manager", "mail", "accountExpires", "proxyAddresses", "scriptPath", "extensionAttribute1", "employeeNumber"} {
		if err := c.Admits(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
