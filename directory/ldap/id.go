package ldap

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// normalID is the form in which IDs are compared; for a UUID RFC 4530 says so.
func normalID(s string) identity.ID { return identity.ID(strings.ToLower(s)) }

// idOf makes an ID of a value of the attribute that holds it.
func idOf(attribute string, value []byte) (identity.ID, error) {
	if strings.EqualFold(attribute, objectGUID) {
		return parseGUID(value)
	}
	if len(bytes.TrimSpace(value)) == 0 {
		return "", fmt.Errorf("it is blank")
	}
	return normalID(string(value)), nil
}

// idFilter finds the entry with the ID. A text that cannot be an ID of this kind
// finds nobody, and is left out.
func idFilter(attribute string, id identity.ID) (filter string, ok bool) {
	if strings.EqualFold(attribute, objectGUID) {
		octets, ok := guidOctets(id)
		return fmt.Sprintf("(%s=%s)", attribute, escapeOctets(octets[:])), ok
	}
	return fmt.Sprintf("(%s=%s)", attribute, ldapwire.EscapeFilterValue(string(id))), id != ""
}

// everywhere says whether every entry of a server has the attribute, whatever it
// is the entry of.
func everywhere(attribute string) bool {
	return strings.EqualFold(attribute, entryUUID) || strings.EqualFold(attribute, objectGUID) || strings.EqualFold(attribute, nsUniqueID)
}
