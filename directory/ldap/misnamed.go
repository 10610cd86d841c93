package ldap

import (
	"context"
	"errors"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// 389 DS keeps with each entry the name that it was written by (dsEntryDN), and shows
// it by that. When a container above is renamed for the second time and the referential
// integrity plug-in looks at the entry meanwhile, the old name stays for good: it is
// shown below a container that is not there, and not found below the one where it is,
// while the groups name it by the new one. Who is believed by that is in none of their
// groups, or out of scope. The server says of a name that is not there another thing
// than of one that is hidden, so it can be seen.

// misnamed is the error of an entry that is shown by a name that it cannot have.
func misnamed(below identity.DN, err error) error {
	e := fail(ErrName, "if it was renamed just now, the next read is right; else the server shows old names: set nsslapd-return-original-entrydn to off in cn=config, and start it again",
		"somebody is shown below %q, and is not there, so that nobody can tell in which groups they are", below)
	e.err = err
	return e
}

// misplaced says whether an entry is shown below one that is not there. What lies below
// no root was not looked up.
func (s *Source) misplaced(ctx context.Context, conn *ldapwire.Conn, dn identity.DN) (bool, error) {
	parent := dn.Parent()
	if !s.profile.misnames || slices.ContainsFunc(s.bases(), parent.Equal) {
		return false, nil
	}
	_, err := conn.Base(ctx, parent.String(), "1.1")
	switch {
	case errors.Is(err, ldapwire.ErrNoSuchObject):
		return !parent.IsZero(), nil
	case errors.Is(err, ldapwire.ErrNoEntry): // hidden
		return false, nil
	}
	return false, err
}

// placed makes sure that those who are there, and in no base, can be where they are shown.
func (l *lookup) placed(ctx context.Context, listed map[identity.ID]bool) error {
	there := map[string]bool{}
	for id, dn := range l.at {
		key := dn.Parent().Key()
		if listed[id] || there[key] || slices.Contains(l.sure, id) {
			continue
		}
		if not, err := l.source.misplaced(ctx, l.conn, dn); err != nil {
			return err
		} else if not {
			return misnamed(dn.Parent(), nil)
		}
		there[key] = true
	}
	return nil
}
