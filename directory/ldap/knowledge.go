package ldap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// knowledge asks an OpenLDAP what it has seen: contextCSN has a change sequence
// number for each server that takes writes (draft-ietf-ldup-model; syncprov keeps
// it). A server that does not say has none. Shown is after something was read.
func (s *Source) knowledge(ctx context.Context, conn *ldapwire.Conn, shown bool) directory.Knowledge {
	if isAD(conn.Server()) {
		// It said it before, or there was an error then.
		out, _ := s.seenByController(ctx, conn, nil, false)
		return out
	}
	if s.on(conn.Server()).profile.name == server389 {
		return s.seenBy389(ctx, conn, shown)
	}
	out := directory.Knowledge{}
	for _, suffix := range conn.Server().NamingContexts() {
		if !s.reads(suffix) {
			continue
		}
		// Hidden is the same as not there: it is a help, not a right.
		entry, err := conn.Base(ctx, suffix, "contextCSN")
		if err != nil {
			continue
		}
		for _, csn := range entry.Values("contextCSN") {
			// time#count#server#modification
			parts := strings.Split(csn, "#")
			if len(parts) == 4 {
				out[strings.ToLower(suffix)+" server "+parts[2]] = csn
			}
		}
	}
	return out
}

// dialCurrent connects to the first server that answers and has seen no less than
// is known, and says what it has seen. The server that made the last listing is
// believed a look-up also where it does not say any more. Where kept is
// given, the connection that it has comes before all, under the same conditions.
func (s *Source) dialCurrent(ctx context.Context, known directory.Knowledge, lister string, kept *ldapwire.Session) (*ldapwire.Conn, directory.Knowledge, error) {
	wire := s.cfg.wire()
	var seen directory.Knowledge
	wire.Accept = func(ctx context.Context, conn *ldapwire.Conn) error {
		if lister != "" && len(known) == 0 {
			return nil
		}
		if isAD(conn.Server()) {
			var err error
			if seen, err = s.seenByController(ctx, conn, known, true); err != nil {
				return err
			}
		} else if seen = nil; kept == nil || len(known) > 0 || !s.silent(conn.Server()) {
			seen = s.knowledge(ctx, conn, false)
		}
		url := strings.ToLower(conn.Server().URL)
		behind := directory.Current(url, seen, known)
		if behind == nil || len(seen) > 0 {
			return behind
		}
		if lister == url {
			return nil
		}
		// One that says nothing may have taken all rights from us: that is said
		// first.
		for _, base := range s.bases() {
			if err := readable(ctx, conn, base); err != nil {
				return err
			}
		}
		return behind
	}
	if kept != nil {
		if conn := kept.Take(ctx); conn != nil {
			if wire.Accept(ctx, conn) == nil {
				return conn, seen, nil
			}
			_ = conn.Close()
		}
	}
	conn, err := ldapwire.Dial(ctx, wire)
	var behind *directory.BehindError
	if errors.As(err, &behind) {
		// Of several reasons this is the one that somebody can decide on.
		return nil, nil, &behindError{err, behind}
	}
	return conn, seen, err
}

// silent says of an OpenLDAP that it is no provider, and of a 389 Directory Server
// that it has no change log: while changes are followed they are asked only if they
// showed something before, as one does that is fed by another.
func (s *Source) silent(server ldapwire.Server) bool {
	if s.on(server).profile.name == server389 {
		_, said := changeNumber(server.RootDSE, lastChange)
		return !said
	}
	return product(server) == openLDAP && !server.HasControl(ldapwire.OIDSync)
}

// behindError is that of all servers, with the hint of the one that is behind.
type behindError struct {
	error
	behind *directory.BehindError
}

func (e *behindError) Unwrap() error { return e.error }
func (e *behindError) Hint() string  { return e.behind.Hint() }

// listed remembers which server made the last listing, what it had seen, and whether
// its members are links.
func (s *Source) listed(p directory.Proof, linked bool) {
	s.last.mu.Lock()
	defer s.last.mu.Unlock()
	s.last.shown, s.last.server, s.last.linked = p.Shown(), p.Server(), linked
}

func (l *lastListing) isLinked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.linked
}

func (s *Source) lastListed() (directory.Knowledge, string) {
	s.last.mu.Lock()
	defer s.last.mu.Unlock()
	return s.last.shown, cmp.Or(s.last.server, "nobody")
}

// reads says whether a base lies in the tree.
func (s *Source) reads(suffix string) bool {
	root, err := identity.ParseDN(suffix)
	return err == nil && slices.ContainsFunc(slices.Concat(s.people, s.groups), func(base identity.DN) bool {
		return base.Equal(root) || base.Within(root)
	})
}
