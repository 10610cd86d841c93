package ldap

import "github.com/rosterd/rosterd/target/internal/entries"

// reserved are the attributes of the servers that the page names which are not a policy's
// to write.
var reserved = entries.ReservedAnywhere.And(entries.Reserved{
	"authPassword": entries.ReservedPassword, "krbPrincipalKey": entries.ReservedPassword, "sambaNTPassword": entries.ReservedPassword,
	"sambaLMPassword": entries.ReservedPassword, "ipaNTHash": entries.ReservedPassword, "unicodePwd": entries.ReservedPassword,
	"pwdReset": entries.ReservedPassword, "pwdHistory": entries.ReservedPassword, "pwdChangedTime": entries.ReservedPassword, "passwordExpirationTime": entries.ReservedPassword,

	"nsAccountLock": entries.ReservedOpen, "pwdAccountLockedTime": entries.ReservedOpen, "pwdFailureTime": entries.ReservedOpen,
	"pwdPolicySubentry": entries.ReservedOpen, "loginDisabled": entries.ReservedOpen,

	"authzTo": entries.ReservedLogin, "authzFrom": entries.ReservedLogin, "saslAuthzTo": entries.ReservedLogin, "saslAuthzFrom": entries.ReservedLogin,
	"ipaAllowedToPerform": entries.ReservedLogin, "krbAllowedToDelegateTo": entries.ReservedLogin,
	"aci": entries.ReservedLogin, "olcAccess": entries.ReservedLogin, "nsRole": entries.ReservedLogin, "nsRoleDN": entries.ReservedLogin,

	"nsUniqueId": entries.ReservedServer, "parentid": entries.ReservedServer, "subschemaSubentry": entries.ReservedServer,
	"hasSubordinates": entries.ReservedServer, "numSubordinates": entries.ReservedServer, "ref": entries.ReservedServer, "aliasedObjectName": entries.ReservedServer,
})

// Admits says whether an attribute can stand in the configuration. One by which rosterd
// closes accounts, or knows them again, cannot: a value that a policy gives it would
// open an account that was closed, or make it somebody else's.
func (c *Config) Admits(attribute string) error {
	d := c.withDefaults()
	return reserved.And(entries.Reserved{
		d.Disable.Attribute: "disable names it: " + entries.ReservedOpen,
		d.Mark:              "mark names it: give the mark an attribute of its own",
		d.IDAttribute:       "id_attribute names it: " + entries.ReservedServer,
	}).Admit(attribute)
}
