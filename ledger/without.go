package ledger

import (
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// Without is the link after an order of which the target said that it was
// carried out, and then did not show it: what After noted is taken back, except
// where believing it is the safer mistake. A grant stays noted, so that the
// entitlement is taken if it turns up late, and so does a closing, which is
// tried again as long as the account is seen enabled, and a value that was added. An account that was not
// deleted is a closed one, whose grace begins anew. The receiver is not changed.
func (l Link) Without(o Order) Link {
	l.Written, l.Added, l.Granted = maps.Clone(l.Written), maps.Clone(l.Added), slices.Clone(l.Granted)
	switch ch := o.Change; ch.Verb {
	case target.Create:
		l.Phase = Deleted
	case target.Enable, target.Delete:
		l.Phase = Closed
	case target.Rename:
		l.Name, l.Called = ch.OldName, ch.OldName
	case target.Update:
		for _, v := range ch.Set {
			delete(l.Written, v.Name)
			if v.How == target.Merge {
				l.SetAdded(v.Name, slices.Concat(l.Added[v.Name], v.Without))
			}
		}
	case target.Revoke:
		l.Taken = without(l.Taken, ch.Entitlement)
		i, had := slices.BinarySearchFunc(l.Granted, ch.Entitlement, func(g Granted, e string) int { return strings.Compare(g.Entitlement, e) })
		if !had {
			l.Granted = slices.Insert(l.Granted, i, Granted{Entitlement: ch.Entitlement, Roles: slices.Clone(o.Roles)})
		}
	}
	return l
}
