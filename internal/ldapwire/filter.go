package ldapwire

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// CheckFilter says what is wrong with a filter (RFC 4515).
func CheckFilter(filter string) error {
	if _, err := ldap.CompileFilter(filter); err != nil {
		return setting("as in (&(objectClass=inetOrgPerson)(!(employeeType=former)))", "the filter %q: %v", filter, filterCause(err))
	}
	return nil
}

// filterCause takes the library's words off.
func filterCause(err error) error {
	if e, ok := err.(*ldap.Error); ok && e.Err != nil {
		return fmt.Errorf("%w", e.Err)
	}
	return err
}

// EscapeFilterValue makes a value safe inside a filter.
func EscapeFilterValue(s string) string { return ldap.EscapeFilter(s) }
