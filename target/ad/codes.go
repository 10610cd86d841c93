package ad

import (
	"errors"
	"strconv"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// meaning is what one of the numbers means that a domain controller begins its words
// with, "0000052D: …", and what can be done about it.
type meaning struct {
	class target.Class
	tip   string
}

// The numbers are those of Windows ([MS-ERREF], 2.2), where a controller gives them
// for an update ([MS-ADTS], 3.1.1.5).
var meanings = map[uint64]meaning{
	0x05:   {target.Denied, noRight},                                                                                                                // ERROR_ACCESS_DENIED
	0x1F:   {target.Refused, "the domain takes a password only over an encrypted connection"},                                                       // ERROR_GEN_FAILURE
	0x523:  {target.Refused, "the domain does not take this sAMAccountName"},                                                                        // ERROR_INVALID_ACCOUNT_NAME
	0x524:  {target.Exists, ""},                                                                                                                     // ERROR_USER_EXISTS
	0x526:  {target.Exists, "a group has that name"},                                                                                                // ERROR_GROUP_EXISTS
	0x563:  {target.Exists, "a group has that name"},                                                                                                // ERROR_ALIAS_EXISTS
	0x52C:  {target.Refused, policy},                                                                                                                // ERROR_ILL_FORMED_PASSWORD
	0x52D:  {target.Refused, policy},                                                                                                                // ERROR_PASSWORD_RESTRICTION
	0x55B:  {target.Refused, "the account belongs to the system"},                                                                                   // ERROR_SPECIAL_ACCOUNT
	0x55E:  {target.Refused, "it is the primary group of the account: give it another first"},                                                       // ERROR_MEMBERS_PRIMARY_GROUP
	0x56C:  {target.Refused, "this kind of object cannot be in this kind of group"},                                                                 // ERROR_INVALID_MEMBER
	0x200E: {target.Transient, ""},                                                                                                                  // ERROR_DS_BUSY
	0x200F: {target.Transient, ""},                                                                                                                  // ERROR_DS_UNAVAILABLE
	0x202F: {target.Refused, "the domain does not take a value: too long, of another form, or one that no two may have, such as userPrincipalName"}, // ERROR_DS_CONSTRAINT_VIOLATION
	0x2071: {target.Exists, ""},                                                                                                                     // ERROR_DS_OBJ_STRING_NAME_EXISTS
	0x2077: {target.Refused, ownedBySystem},                                                                                                         // ERROR_DS_ILLEGAL_MOD_OPERATION
	0x2098: {target.Denied, noRight},                                                                                                                // ERROR_DS_INSUFF_ACCESS_RIGHTS
	0x209A: {target.Refused, ownedBySystem},                                                                                                         // ERROR_DS_ATTRIBUTE_OWNED_BY_SAM
	0x20B1: {target.Refused, ownedBySystem},                                                                                                         // ERROR_DS_CANT_MOD_SYSTEM_ONLY
	0x20B5: {target.Refused, "a value names an object that is not there"},                                                                           // ERROR_DS_NAME_REFERENCE_INVALID
	0x2141: {target.Refused, scope},                                                                                                                 // ERROR_DS_INVALID_GROUP_TYPE
	0x2144: {target.Refused, scope},                                                                                                                 // ERROR_DS_GLOBAL_CANT_HAVE_LOCAL_MEMBER
	0x2145: {target.Refused, scope},                                                                                                                 // ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER
	0x2146: {target.Refused, scope},                                                                                                                 // ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER
	0x2147: {target.Refused, "a global group takes members of its own domain only: make it universal, or domain local"},                             // ERROR_DS_GLOBAL_CANT_HAVE_CROSSDOMAIN_MEMBER
	0x2148: {target.Refused, scope},                                                                                                                 // ERROR_DS_LOCAL_CANT_HAVE_CROSSDOMAIN_LOCAL_MEMBER
	0x216D: {target.Denied, "the bind user may create no more objects: give it the right to create users in the container, which has no quota"},     // ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED
	0x21C8: {target.Refused, "no two accounts of the forest may have the same userPrincipalName: give it an expression that tells them apart"},      // ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST
}

const (
	noRight       = "give the bind user the right (docs/targets/active-directory.md has the commands); of an account that is or was an administrator the domain takes it away again within the hour"
	policy        = "the password policy of the domain refuses it: length, characters, a part of the name in it; an account without a password cannot be open either"
	scope         = "the scope of the group does not take this member: a global group takes accounts of its domain and global groups, a universal one anything but domain local groups"
	ownedBySystem = "the domain keeps this attribute itself: take it out of attributes"
)

// numberOf is the number that the controller began its words with; 0 if there is none.
func numberOf(e *ldapwire.Error) uint64 {
	if len(e.Diagnostic) < 9 || e.Diagnostic[8] != ':' {
		return 0
	}
	n, err := strconv.ParseUint(e.Diagnostic[:8], 16, 32)
	if err != nil {
		return 0
	}
	return n
}

// explain says what an answer of a controller means, where its number says more than
// the code of LDAP.
func explain(e *ldapwire.Error) (target.Class, string) {
	m, known := meanings[numberOf(e)]
	if !known && e.Code == ldapwire.CodeInsufficientAccess {
		return target.Denied, noRight // Samba says it without a number
	}
	return m.class, m.tip
}

// What a controller says of a member that is there already, or not there: in groups
// and in those that are local to the domain.
const (
	memberInGroup    = 0x528 // ERROR_MEMBER_IN_GROUP
	memberNotInGroup = 0x529 // ERROR_MEMBER_NOT_IN_GROUP
	memberNotInAlias = 0x561 // ERROR_MEMBER_NOT_IN_ALIAS
	memberInAlias    = 0x562 // ERROR_MEMBER_IN_ALIAS
)

// already says whether a member is as it should be. The code of LDAP is none that
// other servers have for it: unwilling, and already exists.
func already(err error, add bool) bool {
	var e *ldapwire.Error
	if !errors.As(err, &e) {
		return false
	}
	switch numberOf(e) {
	case memberInGroup, memberInAlias:
		return add
	case memberNotInGroup, memberNotInAlias:
		return !add
	}
	return false
}
