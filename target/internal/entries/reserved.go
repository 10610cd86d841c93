package entries

import (
	"maps"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// Reserved are attributes that are not a policy's to write, by their names in lower case,
// each with what to do instead. They are what the kind itself looks after, what the
// server keeps, and what would let whoever writes a policy, or an attribute of a
// person, into accounts or past their limits.
type Reserved map[string]string

// What to do instead, in the words of both kinds.
const (
	ReservedPassword = "initial_password says how passwords are made and handed over"
	ReservedServer   = "the server keeps it: leave it out"
	ReservedOpen     = "whether an account may be used is rosterd's to decide: leave it out"
	ReservedLogin    = "it decides who may log in as the account, or for whom it may act: leave it out"

	reservedClasses = "object_classes says which ones a new account has"
	reservedGroups  = "entitlements give memberships"
)

// ReservedAnywhere are those of every directory.
var ReservedAnywhere = Reserved{
	"objectclass": reservedClasses, "userpassword": ReservedPassword, "structuralobjectclass": ReservedServer,
	"member": reservedGroups, "uniquemember": reservedGroups, "memberuid": reservedGroups, "memberof": reservedGroups,
	"entrydn": ReservedServer, "entryuuid": ReservedServer, "entrycsn": ReservedServer, "createtimestamp": ReservedServer, "modifytimestamp": ReservedServer, "creatorsname": ReservedServer, "modifiersname": ReservedServer,
	"distinguishedname": "container says where the entry is, and the naming attribute what it is called",
}

// And are these and others. An empty name is none: a key that was left out.
func (r Reserved) And(more Reserved) Reserved {
	out := Reserved{}
	maps.Copy(out, r)
	for name, why := range more {
		if name != "" {
			out[strings.ToLower(name)] = why
		}
	}
	return out
}

// Admit says why an attribute cannot stand in a policy; nil: it can.
func (r Reserved) Admit(attribute string) error {
	name, options, _ := strings.Cut(strings.ToLower(attribute), ";")
	switch {
	case strings.Contains(name, ".") && identity.ValidType(name):
		return refused("write the name that the schema gives it", "%q is a number: which attribute that is cannot be seen", attribute)
	case !identity.ValidType(name) || strings.HasSuffix(attribute, ";") || strings.Trim(options, "abcdefghijklmnopqrstuvwxyz0123456789-;") != "":
		return refused("letters, digits and hyphens", "%q is not a name in a schema", attribute)
	}
	if why, has := r[name]; has {
		return refused(why, "%s is not an attribute's to say", attribute)
	}
	return nil
}
