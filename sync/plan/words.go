package plan

import (
	"fmt"

	"github.com/rosterd/rosterd/target"
)

// Words says a change in words, the same for as long as it is the same change:
// "grant Writers of writer7".
func Words(ch target.Change) string {
	name := ch.Name
	if name == "" {
		name = string(ch.Account)
	}
	switch ch.Verb {
	case target.Grant, target.Revoke:
		return fmt.Sprintf("%s %s of %s", ch.Verb, ch.Entitlement, name)
	case target.SetPassword:
		return "set an initial password for " + name
	case target.Rename:
		return fmt.Sprintf("rename %s to %s", ch.OldName, ch.Name)
	case target.Update:
		if len(ch.Set) > 0 {
			return fmt.Sprintf("update %s of %s", ch.Set[0].Name, name)
		}
	}
	return ch.Verb.String() + " " + name
}
