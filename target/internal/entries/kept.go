package entries

import (
	"maps"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// Kept are attributes that are not a policy's to write, by their names in lower case,
// each with what to do instead. They are what the kind itself looks after, what the
// server keeps, and what would let whoever writes a policy, or an attribute of a
// person, into accounts or past their limits.
type Kept map[string]string

// What to do instead, in the words of both kinds.
const (
	KeptPassword = "initial_password says how passwords are made and handed over"
	KeptServer   = "the server keeps it: leave it out"
	KeptOpen     = "whether an account may be used is rosterd's to decide: leave it out"
	KeptLogin    = "it decides who may log in as the account, or for whom it may act: leave it out"

	keptClasses = "object_classes says which ones a new account has"
	keptGroups  = "entitlements give memberships"
)

// KeptAnywhere are those of every directory.
var KeptAnywhere = Kept{
	"objectclass": keptClasses, "userpassword": KeptPassword, "structuralobjectclass": KeptServer,
	"member": keptGroups, "uniquemember": keptGroups, "memberuid": keptGroups, "memberof": keptGroups,
	"entrydn": KeptServer, "entryuuid": KeptServer, "entrycsn": KeptServer, "createtimestamp": KeptServer, "modifytimestamp": KeptServer, "creatorsname": KeptServer, "modifiersname": KeptServer,
	"distinguishedname": "container says where the entry is, and the naming attribute what it is called",
}

// And are these and others. An empty name is none: a key that was left out.
func (k Kept) And(more Kept) Kept {
	out := Kept{}
	maps.Copy(out, k)
	for name, why := range more {
		if name != "" {
			out[strings.ToLower(name)] = why
		}
	}
	return out
}

// Admit says why an attribute cannot stand in a policy; nil: it can.
func (k Kept) Admit(attribute string) error {
	name, options, _ := strings.Cut(strings.ToLower(attribute), ";")
	switch {
	case strings.Contains(name, ".") && identity.ValidType(name):
		return refused("write the name that the schema gives it", "%q is a number: which attribute that is cannot be seen", attribute)
	case !identity.ValidType(name) || strings.HasSuffix(attribute, ";") || strings.Trim(options, "abcdefghijklmnopqrstuvwxyz0123456789-;") != "":
		return refused("letters, digits and hyphens", "%q is not a name in a schema", attribute)
	}
	if why, kept := k[name]; kept {
		return refused(why, "%s is not an attribute's to say", attribute)
	}
	return nil
}
