// Package ldap is a target that is another LDAP directory: accounts are entries
// below a base, entitlements are its groups. Groups are never made or removed.
//
// An account is known by its entryUUID. Before each write its entry is found
// again by that ID, so a write meets the account that was meant, wherever it
// was moved, and never another that has taken its name.
//
// A directory does not always keep memberships in step with names. Where it
// does not, this package does: a rename or a move is followed in the groups
// below the base of groups, a deletion empties them of the account, and what is
// left there of somebody who had the name before is not inherited.
package ldap

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Target is a directory with accounts. It is safe for concurrent use.
type Target struct {
	cfg    Config
	name   string
	wire   ldapwire.Config
	base   identity.DN
	moveTo identity.DN // zero: not disabled by a move
	groups identity.DN // zero: no groups

	slots chan struct{} // one for each connection that may be open
	mu    sync.Mutex    // guards what follows
	idle  []*ldapwire.Conn
	done  bool
	known map[target.NativeID]string // where an account was last seen

	// moving keeps a move from one searched container to another out of a
	// listing that reads them one after the other: it would be in neither.
	moving sync.RWMutex
}

// New makes the target. It does no I/O.
func New(cfg Config, name string) (*Target, error) {
	cfg = cfg.withDefaults()
	fail := func(err error) (*Target, error) { return nil, fmt.Errorf("make the target %s: %w", name, err) }
	t := &Target{cfg: cfg, name: name, wire: cfg.wire(), slots: make(chan struct{}, max(1, cfg.Connections)), known: map[target.NativeID]string{}}
	if err := t.wire.Validate(); err != nil {
		return fail(err)
	}
	for _, d := range []struct {
		text string
		to   *identity.DN
	}{{cfg.Base, &t.base}, {cfg.Disable.MoveTo, &t.moveTo}, {cfg.Groups.Base, &t.groups}} {
		dn, err := identity.ParseDN(d.text)
		if err != nil {
			return fail(err)
		}
		*d.to = dn
	}
	if t.base.IsZero() || cfg.Filter == "" {
		return fail(errors.New("it needs a base and object_classes"))
	}
	return t, nil
}

// Describe says what the configuration allows.
func (t *Target) Describe() target.Description {
	return target.Description{
		Kind: "ldap", NameAttribute: t.cfg.RDN,
		CanRename: true, CanDisable: t.cfg.Disable.Attribute != "" || !t.moveTo.IsZero(), CanDelete: true,
		Entitlements: !t.groups.IsZero(), ReadBack: true, Marks: t.cfg.Mark != "", References: true,
		Same:     same,
		SameName: func(a, b string) bool { return canon(t.cfg.RDN, a) == canon(t.cfg.RDN, b) },
	}
}

// Identity is the base and the ID of its entry: another directory with the same
// names has another.
func (t *Target) Identity(ctx context.Context) (string, error) {
	var id string
	err := t.with(ctx, "read the base", func(s *session) error {
		rec, err := s.c.Base(ctx, t.base.String(), t.cfg.IDAttribute)
		if err != nil {
			return s.read(err)
		}
		id = "ldap:" + t.base.Key() + "?" + rec.First(t.cfg.IDAttribute)
		return nil
	})
	return id, err
}

// bases are the containers in which accounts are looked for.
func (t *Target) bases() []string {
	if t.moveTo.IsZero() || t.moveTo.Within(t.base) {
		return []string{t.base.String()}
	}
	return []string{t.base.String(), t.moveTo.String()}
}
