// Package ad is a target that is an Active Directory domain: accounts are users
// below a container, entitlements are its groups. Groups are never made or removed.
// What it has in common with other directories is done by package entries; here is
// what only Active Directory has: accounts named by sAMAccountName in entries that
// are named by cn, the bits of userAccountControl, passwords, the primary group, what
// may exist only once in the domain, and the words in which it refuses.
package ad

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/guid"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// The attributes that the kind itself reads and writes.
const (
	samAccountName    = "sAMAccountName"
	userPrincipalName = "userPrincipalName"
	objectGUID        = "objectGUID"
	objectSID         = "objectSid"
	primaryGroupID    = "primaryGroupID"
	adminCount        = "adminCount"
	criticalObject    = "isCriticalSystemObject"
)

// Target is a domain with accounts. It is safe for concurrent use.
type Target struct {
	*entries.Accounts
	cfg  Config
	base identity.DN
}

// New makes the target. It does no I/O.
func New(cfg Config, name string) (*Target, error) {
	cfg = cfg.withDefaults()
	s, err := cfg.settings()
	if err != nil {
		return nil, fmt.Errorf("make the target %s: %w", name, err)
	}
	return &Target{Accounts: entries.New(s), cfg: cfg, base: s.Base}, nil
}

// Describe says what the configuration allows.
func (t *Target) Describe() target.Description {
	d := t.Accounts.Describe()
	d.PasswordFirst = t.cfg.WithoutPassword == ""
	return d
}

// settings are the configuration as the accounts know it.
func (c Config) settings() (entries.Settings, error) {
	s := entries.Settings{
		Kind: "active-directory", Wire: c.wire(), Connections: c.Connections,
		Filter: c.Filter, Name: samAccountName, RDN: "cn", ObjectClasses: c.ObjectClasses, Mark: c.Mark,
		IDAttribute: objectGUID, IDText: guidText, IDValue: guidValue,
		Switch: control(), Initial: c.initial,
		Groups: entries.Groups{
			Style: entries.StyleMember, Name: c.Groups.Name, Filter: c.Groups.Filter,
			Linked: true, Long: true, Searched: true, Already: already,
			Primary: entries.Primary{Attributes: []string{objectSID, primaryGroupID}, Of: primaryGroup, Group: objectSID},
		},
		MakeContainers: c.Containers == create, SetPassword: setPassword, MustChange: true, Inspect: c.inspect,
		FitName: fitName, Unique: []string{userPrincipalName},
		Guarded:  entries.Test{Attributes: []string{adminCount, criticalObject}, Is: guarded},
		Explain:  explain,
		Controls: []ldapwire.RequestControl{ldapwire.DomainScope().Optional()},
	}
	if err := s.Wire.Validate(); err != nil {
		return s, err
	}
	for _, d := range []struct {
		text string
		to   *identity.DN
	}{{c.Base, &s.Base}, {c.Groups.Base, &s.Groups.Base}} {
		dn, err := identity.ParseDN(d.text)
		if err != nil {
			return s, err
		}
		*d.to = dn
	}
	if s.Domain = domainOf(s.Base); s.Domain.IsZero() {
		return s, errors.New("it needs a base within a domain")
	}
	return s, nil
}

// domainOf is the domain that a container belongs to: the end of its name that is
// made of DNS labels.
func domainOf(dn identity.DN) identity.DN {
	for ; !dn.IsZero(); dn = dn.Parent() {
		if strings.EqualFold(dn.RDN()[0].Type, "dc") {
			return dn
		}
	}
	return dn
}

// guidText is the text of an objectGUID, guidValue the octets of the text.
func guidText(octets string) string {
	text, err := guid.Text([]byte(octets))
	if err != nil {
		return ""
	}
	return text
}

func guidValue(text string) string {
	octets, ok := guid.Octets(text)
	if !ok {
		return ""
	}
	return string(octets[:])
}

// primaryGroup is the SID of the primary group: that of the account, with another
// last number.
func primaryGroup(account ldapwire.Record) string {
	var rid uint32
	sid := account.First(objectSID)
	if _, err := fmt.Sscan(account.First(primaryGroupID), &rid); err != nil || len(sid) < 12 {
		return ""
	}
	return sid[:len(sid)-4] + string([]byte{byte(rid), byte(rid >> 8), byte(rid >> 16), byte(rid >> 24)})
}

// guarded says whether the domain itself guards the account: it is or was in a group
// of administrators, so that its access list is reset every hour, or belongs to the
// system.
func guarded(account ldapwire.Record) bool {
	count := account.First(adminCount)
	return count != "" && count != "0" || strings.EqualFold(account.First(criticalObject), "TRUE")
}
