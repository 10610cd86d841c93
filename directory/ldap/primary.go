package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// Everybody has a primary group in Active Directory. It is named by a number in
// their entry, and neither the members of the group nor memberOf show them.
const (
	primaryGroupID = "primaryGroupID"
	objectSID      = "objectSid"
)

// primaries collects groups whose members are not all known yet, and completes
// them by those whose primary group they are.
type primaries struct {
	s    *Source
	conn *ldapwire.Conn
	// all says that any group may be a primary one. Otherwise of are the identifiers
	// of those of the people that were listed.
	all bool
	of  map[string]bool
	// waiting are groups by identifier.
	waiting map[string]*directory.Entry
}

func newPrimaries(s *Source, conn *ldapwire.Conn, all bool) *primaries {
	return &primaries{s: s, conn: conn, all: all, of: map[string]bool{}, waiting: map[string]*directory.Entry{}}
}

// primaryOf is the identifier of somebody's primary group; "" if they have none.
func primaryOf(e *ldapwire.Entry) (string, error) {
	number, octets := e.First(strings.ToLower(primaryGroupID)), e.Values(strings.ToLower(objectSID))
	if number == "" || len(octets) != 1 {
		return "", nil
	}
	rid, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return "", fail(nil, "", "%s of %q is %q, which is no number", primaryGroupID, e.DN, number)
	}
	own, err := parseSID(octets[0])
	if err != nil {
		return "", fail(nil, "", "%s of %q: %v", objectSID, e.DN, err)
	}
	return own.sibling(uint32(rid)), nil
}

// take is of an entry of either kind: true if it is kept until complete.
func (p *primaries) take(e *ldapwire.Entry, out directory.Entry) (kept bool, err error) {
	if out.Kind == directory.Group {
		return p.group(e, out)
	}
	return false, p.person(e)
}

// person notes whose primary group there is.
func (p *primaries) person(e *ldapwire.Entry) error {
	group, err := primaryOf(e)
	if err == nil && group != "" {
		p.of[group] = true
	}
	return err
}

// group keeps a group that may be somebody's primary one; false if it is none.
func (p *primaries) group(e *ldapwire.Entry, out directory.Entry) (kept bool, err error) {
	octets := e.Values(strings.ToLower(objectSID))
	if len(octets) != 1 {
		return false, nil
	}
	own, err := parseSID(octets[0])
	if err != nil {
		return false, fail(nil, "", "%s of %q: %v", objectSID, e.DN, err)
	}
	if !p.all && !p.of[own.text] {
		return false, nil
	}
	if other := p.waiting[own.text]; other != nil && other.ID != out.ID {
		return false, fail(ErrID, "", "%q and %q have one %s", other.DN, out.DN, objectSID)
	}
	p.waiting[own.text] = &out
	return true, nil
}

// complete asks for the members by primary group of those who wait, and hands them
// out. Who is not among the people by the filter is no member by this.
func (p *primaries) complete(ctx context.Context, add func(directory.Entry) error) error {
	if len(p.waiting) == 0 {
		return nil
	}
	var numbers strings.Builder
	groups := slices.Sorted(maps.Keys(p.waiting))
	for _, text := range groups {
		fmt.Fprintf(&numbers, "(%s=%s)", primaryGroupID, text[strings.LastIndexByte(text, '-')+1:])
	}
	filter := fmt.Sprintf("(&%s(|%s))", p.s.cfg.People.Filter, numbers.String())
	for _, base := range p.s.people {
		req := p.s.request(p.conn, false, ldapwire.Request{Base: base.String(), Scope: ldapwire.ScopeSubtree, Filter: filter,
			Attributes: []string{primaryGroupID, objectSID}})
		_, err := p.conn.Search(ctx, req, func(e *ldapwire.Entry) error {
			text, err := primaryOf(e)
			group := p.waiting[text]
			if err != nil || group == nil {
				return err
			}
			dn, err := identity.ParseDN(string(e.DN))
			if err != nil {
				return fmt.Errorf("read the name of an entry: %w", err)
			}
			group.Members = append(group.Members, directory.Member{DN: dn})
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, text := range groups {
		group := p.waiting[text]
		delete(p.waiting, text)
		if err := add(*group); err != nil {
			return err
		}
	}
	return nil
}
