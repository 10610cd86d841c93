package entries

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// dynamic says whether the members of a group follow from a search that it names.
func dynamic(group ldapwire.Record) bool {
	return slices.ContainsFunc(group.Values("objectClass"), func(class string) bool { return strings.EqualFold(class, "groupOfURLs") })
}

const dynamicTip = "change what its memberURL finds, or name a group whose members can be written"

func (s *session) dynamicGroup(dn string) error {
	return refused(dynamicTip, "%s: the members of %s follow from a search (memberURL), and cannot be given or taken one by one", s.doing, dn)
}

// noGroup says why there is no group for an entitlement: it may be there and not be
// admitted by the filter.
func (s *session) noGroup(ctx context.Context, entitlement string) error {
	t := s.t
	var recs []ldapwire.Record
	var err error
	if dn, ok := t.groupDN(entitlement); ok {
		recs = make([]ldapwire.Record, 1)
		if recs[0], err = s.groupAt(ctx, dn, "(objectClass=*)", "objectClass"); classOf(err) == target.Missing {
			recs, err = nil, nil
		}
		err = s.read(err)
	} else {
		recs, err = s.searchGroups(ctx, "("+t.cfg.Groups.Name+"="+ldapwire.EscapeFilterValue(entitlement)+")", "objectClass")
	}
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if dynamic(rec) {
			return s.dynamicGroup(rec.DN)
		}
		return missing(fmt.Sprintf("it is %s, and groups.filter is %s", strings.Join(rec.Values("objectClass"), ", "), t.cfg.Groups.Filter),
			"%s: the filter of groups does not admit %s", s.doing, rec.DN)
	}
	return missing("rosterd never makes a group in a target: make it, or correct the name", "%s: there is no such group below %s", s.doing, t.cfg.Groups.Base)
}
