package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// AcceptDark takes the absence of the groups that vanished with all under their
// container as meant: they are presumed gone, and nobody is in them. People who
// vanished so are AcceptBlackout's. It is for what an approval decides.
//
// Everybody is marked first: who is killed in between has looked at them for nothing,
// and nobody keeps what a group gave that is not there.
func (s *Store) AcceptDark(source, by string) error {
	dark, err := s.DarkGroups(source)
	if err != nil || len(dark) == 0 {
		return err
	}
	if _, err := s.MarkEveryone(source, "absence of groups accepted"); err != nil {
		return err
	}
	err = s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		r, ok, err := sourceOf(tx, source)
		if err != nil || !ok {
			return err
		}
		dark, err := darkGroups(tx, r.Num)
		if err != nil {
			return err
		}
		for _, g := range dark {
			if err := dismiss(tx, g); err != nil {
				return err
			}
		}
		return s.noteDecision(tx, recordOf("accept-dark"), map[string]any{"source": source, "groups": len(dark)}, by, "")
	})
	if err != nil {
		return fmt.Errorf("accept the absence of %d groups of %s: %w", len(dark), source, err)
	}
	return nil
}

// DarkGroups are the groups of a source that vanished with all under their container.
func (s *Store) DarkGroups(source string) (out []directory.Known, err error) {
	err = s.view(func(tx *txn) error {
		r, ok, err := sourceOf(tx, source)
		if err != nil || !ok {
			return err
		}
		dark, err := darkGroups(tx, r.Num)
		for _, o := range dark {
			e, err := decodeLean(tx.Bucket(bGroups).Get(ordKey(o)))
			if err != nil {
				return err
			}
			dn, err := identity.ParseDN(e.dn)
			if err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			out = append(out, directory.Known{Kind: directory.Group, ID: e.id, DN: dn})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read which groups of %s vanished at once: %w", source, err)
	}
	return out, nil
}

// darkGroups are those that vanished with all under their container.
func darkGroups(tx *txn, source uint64) (dark []identity.Ordinal, err error) {
	err = tx.Bucket(bGroups).ForEach(func(k, v []byte) error {
		if entrySource(v) != source {
			return nil
		}
		e, err := decodeLean(v)
		if err == nil && e.standing == identity.Unknown && e.doubt == identity.Blackout {
			dark = append(dark, identity.Ordinal(fromU64(k)))
		}
		return err
	})
	return dark, err
}
