package ad

import "github.com/rosterd/rosterd/target/internal/entries"

// kept are the attributes of a domain that are not a policy's to write. Those that the
// domain keeps by itself are refused by it too, with the first account; here
// they are refused with the file.
var kept = entries.KeptAnywhere.And(entries.Kept{
	userAccountControl: entries.KeptOpen + "; without_password says how it begins", "lockoutTime": entries.KeptOpen, "msDS-User-Account-Control-Computed": entries.KeptOpen,
	"userAccountDisabled": entries.KeptOpen, "msDS-UserAccountDisabled": entries.KeptOpen,

	unicodePwd: entries.KeptPassword, "dBCSPwd": entries.KeptPassword, "lmPwdHistory": entries.KeptPassword, "ntPwdHistory": entries.KeptPassword,
	"supplementalCredentials": entries.KeptPassword, "unixUserPassword": entries.KeptPassword, "msSFU30Password": entries.KeptPassword,
	"clearTextPassword": entries.KeptPassword, pwdLastSet: entries.KeptPassword, "msDS-ResultantPSO": entries.KeptPassword,

	primaryGroupID: entries.KeptLogin, objectSID: entries.KeptLogin, "sIDHistory": entries.KeptLogin, "securityIdentifier": entries.KeptLogin, "nTSecurityDescriptor": entries.KeptLogin,
	"msDS-AllowedToDelegateTo": entries.KeptLogin, "msDS-AllowedToActOnBehalfOfOtherIdentity": entries.KeptLogin, "msDS-KeyCredentialLink": entries.KeptLogin,
	"servicePrincipalName": entries.KeptLogin, "altSecurityIdentities": entries.KeptLogin, "msDS-GroupMSAMembership": entries.KeptLogin, "msDS-AssignedAuthNPolicy": entries.KeptLogin,
	"msDS-AssignedAuthNPolicySilo": entries.KeptLogin, "msDS-SupportedEncryptionTypes": entries.KeptLogin, "tokenGroups": entries.KeptLogin,
	"msDS-SupersededManagedAccountLink": entries.KeptLogin, "msDS-ManagedAccountPrecededByLink": entries.KeptLogin, "msDS-DelegatedMSAState": entries.KeptLogin,

	objectGUID: entries.KeptServer, adminCount: entries.KeptServer, criticalObject: entries.KeptServer, "objectCategory": entries.KeptServer,
	"sAMAccountType": entries.KeptServer, "groupType": entries.KeptServer, "systemFlags": entries.KeptServer, "instanceType": entries.KeptServer, "isDeleted": entries.KeptServer,
	"whenCreated": entries.KeptServer, "whenChanged": entries.KeptServer, "uSNCreated": entries.KeptServer, "uSNChanged": entries.KeptServer,

	"name": "cn names the entry", "commonName": "cn names the entry",
})

// Admits says whether an attribute can stand in the configuration.
func (c *Config) Admits(attribute string) error {
	return kept.And(entries.Kept{c.Mark: "mark names it: give the mark an attribute of its own"}).Admit(attribute)
}

// suitsMark says whether the mark has an attribute of its own.
func suitsMark(attribute string) bool {
	own := entries.Kept{samAccountName: "", userPrincipalName: "", "cn": ""}
	return kept.And(own).Admit(attribute) == nil
}
