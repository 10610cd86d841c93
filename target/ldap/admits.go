package ldap

import "github.com/rosterd/rosterd/target/internal/entries"

// kept are the attributes of the servers that the page names which are not a policy's
// to write.
var kept = entries.KeptAnywhere.And(entries.Kept{
	"authPassword": entries.KeptPassword, "krbPrincipalKey": entries.KeptPassword, "sambaNTPassword": entries.KeptPassword,
	"sambaLMPassword": entries.KeptPassword, "ipaNTHash": entries.KeptPassword, "unicodePwd": entries.KeptPassword,
	"pwdReset": entries.KeptPassword, "pwdHistory": entries.KeptPassword, "pwdChangedTime": entries.KeptPassword, "passwordExpirationTime": entries.KeptPassword,

	"nsAccountLock": entries.KeptOpen, "pwdAccountLockedTime": entries.KeptOpen, "pwdFailureTime": entries.KeptOpen,
	"pwdPolicySubentry": entries.KeptOpen, "loginDisabled": entries.KeptOpen,

	"authzTo": entries.KeptLogin, "authzFrom": entries.KeptLogin, "saslAuthzTo": entries.KeptLogin, "saslAuthzFrom": entries.KeptLogin,
	"ipaAllowedToPerform": entries.KeptLogin, "krbAllowedToDelegateTo": entries.KeptLogin,
	"aci": entries.KeptLogin, "olcAccess": entries.KeptLogin, "nsRole": entries.KeptLogin, "nsRoleDN": entries.KeptLogin,

	"nsUniqueId": entries.KeptServer, "parentid": entries.KeptServer, "subschemaSubentry": entries.KeptServer,
	"hasSubordinates": entries.KeptServer, "numSubordinates": entries.KeptServer, "ref": entries.KeptServer, "aliasedObjectName": entries.KeptServer,
})

// Admits says whether an attribute can stand in the configuration. One by which rosterd
// closes accounts, or knows them again, cannot: a value that a policy gives it would
// open an account that was closed, or make it somebody else's.
func (c *Config) Admits(attribute string) error {
	d := c.withDefaults()
	return kept.And(entries.Kept{
		d.Disable.Attribute: "disable names it: " + entries.KeptOpen,
		d.Mark:              "mark names it: give the mark an attribute of its own",
		d.IDAttribute:       "id_attribute names it: " + entries.KeptServer,
	}).Admit(attribute)
}
