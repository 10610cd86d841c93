package ad

import "github.com/rosterd/rosterd/target/internal/entries"

// reserved are the attributes of a domain that are not a policy's to write. Those that the
// domain keeps by itself are refused by it too, with the first account; here
// they are refused with the file.
var reserved = entries.ReservedAnywhere.And(entries.Reserved{
	userAccountControl: entries.ReservedOpen + "; without_password says how it begins", "lockoutTime": entries.ReservedOpen, "msDS-User-Account-Control-Computed": entries.ReservedOpen,
	"userAccountDisabled": entries.ReservedOpen, "msDS-UserAccountDisabled": entries.ReservedOpen,

	unicodePwd: entries.ReservedPassword, "dBCSPwd": entries.ReservedPassword, "lmPwdHistory": entries.ReservedPassword, "ntPwdHistory": entries.ReservedPassword,
	"supplementalCredentials": entries.ReservedPassword, "unixUserPassword": entries.ReservedPassword, "msSFU30Password": entries.ReservedPassword,
	"clearTextPassword": entries.ReservedPassword, pwdLastSet: entries.ReservedPassword, "msDS-ResultantPSO": entries.ReservedPassword,

	primaryGroupID: entries.ReservedLogin, objectSID: entries.ReservedLogin, "sIDHistory": entries.ReservedLogin, "securityIdentifier": entries.ReservedLogin, "nTSecurityDescriptor": entries.ReservedLogin,
	"msDS-AllowedToDelegateTo": entries.ReservedLogin, "msDS-AllowedToActOnBehalfOfOtherIdentity": entries.ReservedLogin, "msDS-KeyCredentialLink": entries.ReservedLogin,
	"servicePrincipalName": entries.ReservedLogin, "altSecurityIdentities": entries.ReservedLogin, "msDS-GroupMSAMembership": entries.ReservedLogin, "msDS-AssignedAuthNPolicy": entries.ReservedLogin,
	"msDS-AssignedAuthNPolicySilo": entries.ReservedLogin, "msDS-SupportedEncryptionTypes": entries.ReservedLogin, "tokenGroups": entries.ReservedLogin,
	"msDS-SupersededManagedAccountLink": entries.ReservedLogin, "msDS-ManagedAccountPrecededByLink": entries.ReservedLogin, "msDS-DelegatedMSAState": entries.ReservedLogin,

	objectGUID: entries.ReservedServer, adminCount: entries.ReservedServer, criticalObject: entries.ReservedServer, "objectCategory": entries.ReservedServer,
	"sAMAccountType": entries.ReservedServer, "groupType": entries.ReservedServer, "systemFlags": entries.ReservedServer, "instanceType": entries.ReservedServer, "isDeleted": entries.ReservedServer,
	"whenCreated": entries.ReservedServer, "whenChanged": entries.ReservedServer, "uSNCreated": entries.ReservedServer, "uSNChanged": entries.ReservedServer,

	"name": "cn names the entry", "commonName": "cn names the entry",
})

// Admits says whether an attribute can stand in the configuration.
func (c *Config) Admits(attribute string) error {
	return reserved.And(entries.Reserved{c.Mark: "mark names it: give the mark an attribute of its own"}).Admit(attribute)
}

// suitsMark says whether the mark has an attribute of its own.
func suitsMark(attribute string) bool {
	own := entries.Reserved{samAccountName: "", userPrincipalName: "", "cn": ""}
	return reserved.And(own).Admit(attribute) == nil
}
