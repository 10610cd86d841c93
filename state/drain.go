package state

import (
	"context"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Drain moves a sealed listing into the snapshot.
func (s *Store) Drain(ctx context.Context) (Drained, error) { return Drained{}, errSoon }

// Relink gives the person old the entry of the person now.
func (s *Store) Relink(old, now identity.Ordinal) error { return errSoon }

// Pins ties the groups that the policy names to their IDs.
func (s *Store) Pins(source string, written []string) ([]ledger.Pin, error) { return nil, errSoon }

// AcceptPin takes the present state of a pinned group as good.
func (s *Store) AcceptPin(source, written string) error { return errSoon }

// Memberships says which of the named groups the persons are in, and how.
func (s *Store) Memberships(ords []identity.Ordinal, named []identity.Ordinal) (map[identity.Ordinal][]identity.Membership, error) {
	return nil, errSoon
}
