package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// Follow tells what changed since the cursor. An engine says whom to look at;
// they are read as they are now.
func (s *Source) Follow(ctx context.Context, since directory.Cursor, known directory.Knowledge, open func() (directory.Changes, error)) (directory.Followed, error) {
	out, err := s.follow(ctx, since, known, open)
	if err != nil {
		return directory.Followed{}, fmt.Errorf("follow source %s: %w", s.name, err)
	}
	return out, nil
}

func (s *Source) follow(ctx context.Context, since directory.Cursor, known directory.Knowledge, open func() (directory.Changes, error)) (out directory.Followed, err error) {
	at := s.cfg.Now()
	conn, seen, err := s.dialCurrent(ctx, known, "", s.kept)
	if err != nil {
		return directory.Followed{}, err
	}
	defer func() {
		s.keep(conn, err)
		err = lostBy(ctx, err)
	}()
	s = s.on(conn.Server())
	engine, err := s.resume(conn, since)
	if err != nil {
		return directory.Followed{}, err
	}
	facts := proof.FollowedFacts{Source: s.name, Server: strings.ToLower(conn.Server().URL), Bind: bindIdentity(conn.Server()),
		Scope: s.scope, Coverage: s.coverage, Knowledge: seen, Cursor: since, At: at}
	from, err := bookmarkOf(since.Token)
	if err != nil {
		return directory.Followed{}, err
	}
	moved, err := engine.moved(ctx, from.Engine, seen)
	if err != nil {
		return directory.Followed{}, err
	}
	if !moved && !from.due(at) {
		facts.Nothing = true
		return proof.NewFollowed(facts), ctx.Err()
	}
	// Nothing of this was asked of somebody else.
	if err := conn.Confirm(ctx); err != nil {
		return directory.Followed{}, err
	}
	n := newNews()
	next := from
	if moved {
		if next.Engine, err = engine.news(ctx, from.Engine, n); err != nil {
			return directory.Followed{}, err
		}
	}
	if from.due(at) {
		for _, id := range from.Late {
			n.touchOutside(id)
		}
		next.Late = nil
	}
	facts.Cursor.At, facts.Cursor.Deletes = at, engine.deletes()
	if err := s.inSight(ctx, conn); err != nil {
		return directory.Followed{}, err
	}
	changes, err := open()
	if err != nil {
		return directory.Followed{}, err
	}
	t := &telling{source: s, shape: s.shape(), conn: conn, changes: changes, news: n}
	if err := t.tell(ctx); err != nil {
		return directory.Followed{}, err
	}
	if facts.Cursor.Token, err = next.with(t.late, at).text(); err != nil {
		return directory.Followed{}, err
	}
	facts.Shown = s.knowledge(ctx, conn, true)
	facts.Sweep, facts.Unseen = t.news.sweep, append(t.missing, t.blinded...)
	// Everything came, and yet: who gave up does not get a proof.
	if err := ctx.Err(); err != nil {
		return directory.Followed{}, err
	}
	return proof.NewFollowed(facts), nil
}

// keep leaves the connection for the next time, if it is one to the server that
// comes first: another one stands in until that is back.
func (s *Source) keep(conn *ldapwire.Conn, err error) {
	if conn.Server().URL != s.cfg.URLs[0] {
		_ = conn.Close()
		return
	}
	s.kept.Give(conn, err)
}

// lostBy is what an error means that came once there was a server to follow. It asks
// for more than a listing does, and elsewhere: in the whole tree, by IDs and by names,
// without pages. So what it was refused it would be refused each time, while a listing
// goes on; and where that is refused as well, it says so itself. Base and canaries are
// seen by both in the same way.
func lostBy(ctx context.Context, err error) error {
	var lost *directory.LostError
	var unfit *unfitError
	switch {
	case err == nil, ctx.Err() != nil, errors.As(err, &lost), errors.Is(err, ErrBase), errors.Is(err, ErrCanary):
		return err
	case errors.As(err, &unfit):
		return &directory.LostError{Why: "the server or its rights do not fit any more", Err: err}
	case errors.Is(err, ldapwire.ErrSizeLimit), errors.Is(err, ldapwire.ErrTimeLimit):
		return &directory.LostError{Why: "it takes more than the server allows", Err: err}
	}
	return &directory.LostError{Why: "what changed could not be read", Err: err}
}

// inSight makes sure, in the session that shows changes, that nothing else is
// wrong: bases are there, and so is who always is.
func (s *Source) inSight(ctx context.Context, conn *ldapwire.Conn) error {
	for _, base := range s.bases() {
		if err := readable(ctx, conn, base); err != nil {
			return err
		}
	}
	for _, canary := range s.canaries {
		seen := false
		for _, part := range s.parts() {
			if seen || !canary.Within(part.base) {
				continue
			}
			found, _, err := conn.Collect(ctx, ldapwire.Request{Base: canary.String(), Scope: ldapwire.ScopeBase, Filter: part.filter,
				IgnoreReferrals: s.cfg.IgnoreReferrals})
			if err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) {
				return err
			}
			seen = len(found) == 1
		}
		if !seen {
			return fail(ErrCanary, canaryHint(conn.Server()), "the canary %q was not seen while changes were followed", canary)
		}
	}
	for _, canary := range s.closed {
		found, _, err := conn.Collect(ctx, ldapwire.Request{Base: canary.String(), Scope: ldapwire.ScopeBase, Filter: s.cfg.People.Filter,
			Attributes: believed(s.cfg.AccountState), IgnoreReferrals: s.cfg.IgnoreReferrals})
		if err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) {
			return err
		}
		if len(found) != 1 || validity(viewOf(found[0]), believed(s.cfg.AccountState), nil).ClosedBy == "" {
			return s.seenOpen(canary, conn.Server())
		}
	}
	return nil
}
