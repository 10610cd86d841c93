// Package ldap is a target that is another LDAP directory: accounts are entries
// below a base, entitlements are its groups. Groups are never made or removed.
// What it does is done by package entries; here is what the configuration says
// of it.
package ldap

import (
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// Target is a directory with accounts. It is safe for concurrent use.
type Target struct{ *entries.Accounts }

// New makes the target. It does no I/O.
func New(cfg Config, name string) (*Target, error) {
	s, err := cfg.withDefaults().settings()
	if err != nil {
		return nil, fmt.Errorf("make the target %s: %w", name, err)
	}
	return &Target{entries.New(s)}, nil
}

// settings are the configuration as the accounts know it.
func (c Config) settings() (entries.Settings, error) {
	s := entries.Settings{
		Kind: "ldap", Wire: c.wire(), Connections: c.Connections,
		Filter: c.Filter, Name: c.RDN, RDN: c.RDN, ObjectClasses: c.ObjectClasses, IDAttribute: c.IDAttribute, Mark: c.Mark,
		Switch: c.Disable.byAttribute(), MakeContainers: c.Containers == create, Inspect: c.inspect,
		Groups: entries.Groups{Style: c.Groups.Style, Placeholder: c.Groups.Placeholder, Name: c.Groups.Name, Filter: c.Groups.Filter},
	}
	if err := s.Wire.Validate(); err != nil {
		return s, err
	}
	if c.private() {
		s.SetPassword = c.setPassword
	}
	for _, d := range []struct {
		text string
		to   *identity.DN
	}{{c.Base, &s.Base}, {c.Disable.MoveTo, &s.MoveTo}, {c.Groups.Base, &s.Groups.Base}} {
		dn, err := identity.ParseDN(d.text)
		if err != nil {
			return s, err
		}
		*d.to = dn
	}
	if s.Base.IsZero() || s.Filter == "" {
		return s, errors.New("it needs a base and object_classes")
	}
	return s, nil
}
