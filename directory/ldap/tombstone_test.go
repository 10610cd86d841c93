package ldap

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// Only what lies in Deleted Objects, or is said to be deleted, is: a name that looks
// like that of a deleted object proves nothing.
func TestWhatProvesADeletion(t *testing.T) {
	const root = "DC=lab,DC=example"
	const id = "c526877e-e3da-4acc-a4cb-ee1e13acbf6a"
	octets, _ := guidOctets(id)
	attribute := func(name, value string) ldapwire.Attribute {
		return ldapwire.Attribute{Name: strings.ToLower(name), Values: [][]byte{[]byte(value)}}
	}
	guid := attribute(objectGUID, string(octets[:]))
	mangled := `CN=Writer\0ADEL:` + id
	for _, c := range []struct {
		name, dn      string
		attributes    []ldapwire.Attribute
		told, deleted bool
	}{
		{"somebody", "CN=Writer,OU=People," + root, []ldapwire.Attribute{guid}, true, false},
		{"deleted", mangled + ",CN=Deleted Objects," + root, []ldapwire.Attribute{guid, attribute(attrDeleted, "TRUE")}, true, true},
		{"deleted, and nothing of it is shown", mangled + ",CN=Deleted Objects," + root, nil, true, true},
		{"deleted where it was", "CN=Writer,OU=People," + root, []ldapwire.Attribute{guid, attribute(attrDeleted, "TRUE")}, true, true},
		{"such a name elsewhere", mangled + ",OU=People," + root, []ldapwire.Attribute{guid}, true, false},
		{"such a name in a container of that name", mangled + ",CN=Deleted Objects,OU=People," + root, []ldapwire.Attribute{guid}, true, false},
		{"the container", "CN=Deleted Objects," + root, []ldapwire.Attribute{guid, attribute(attrDeleted, "TRUE")}, false, false},
		{"the container, hidden", "CN=Deleted Objects," + root, nil, false, false},
	} {
		got, told, err := traceOf(&ldapwire.Entry{DN: []byte(c.dn), Attributes: c.attributes}, identity.MustDN(root))
		if err != nil || told != c.told || got.deleted != c.deleted || told && got.id != id {
			t.Errorf("%s: %+v, told %t, %v", c.name, got, told, err)
		}
	}
	for _, unfit := range [][]ldapwire.Attribute{nil, {attribute(objectGUID, "short")}} {
		if _, told, err := traceOf(&ldapwire.Entry{DN: []byte("CN=Writer,OU=People," + root), Attributes: unfit}, identity.MustDN(root)); err == nil || told {
			t.Errorf("without an ID: told %t, %v", told, err)
		}
	}
}
