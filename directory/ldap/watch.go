package ldap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

var _ directory.Watcher = (*Source)(nil)

// Watches says whether push is set.
func (s *Source) Watches() bool { return s.cfg.Push }

// watchKind is how the server says that something moved; zero for not at all.
func watchKind(s ldapwire.Server) ldapwire.WatchKind {
	switch {
	case isAD(s):
		return ldapwire.WatchNotification
	case product(s) == openLDAP && s.HasControl(ldapwire.OIDSync):
		return ldapwire.WatchSync
	case s.HasControl(ldapwire.OIDPersistentSearch):
		return ldapwire.WatchPersistent
	}
	return 0
}

// Watch holds a search open in each tree that is read, each on a connection of
// its own, all to one server.
func (s *Source) Watch(ctx context.Context, watching func(how string), moved func()) error {
	err := s.watch(ctx, watching, moved)
	if err == nil {
		err = ldapwire.ErrWatchEnded
	}
	return fmt.Errorf("watch source %s: %w", s.name, err)
}

func (s *Source) watch(ctx context.Context, watching func(how string), moved func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	first, err := ldapwire.Dial(ctx, s.cfg.wire())
	if err != nil {
		return err
	}
	defer first.Close() //nolint:errcheck // the watch has its own error
	all, err := s.watchings(ctx, first)
	if err != nil {
		return err
	}
	ended := make(chan error, len(all))
	var ready atomic.Int32
	one := func(conn *ldapwire.Conn, w ldapwire.Watching) {
		err := conn.Watch(ctx, w, func() {
			if int(ready.Add(1)) == len(all) {
				watching(w.Kind.String() + " at " + first.Server().URL)
			}
		}, moved)
		cancel(err)
		ended <- err
	}
	wire := s.cfg.wire()
	wire.URLs = []string{first.Server().URL}
	for _, w := range all[1:] {
		go func() {
			conn, err := ldapwire.Dial(ctx, wire)
			if err != nil {
				cancel(err)
				ended <- err
				return
			}
			defer conn.Close() //nolint:errcheck // the watch has its own error
			one(conn, w)
		}()
	}
	one(first, all[0])
	err = context.Cause(ctx) // the first that ended, or why it was to end
	for range all {
		<-ended
	}
	return err
}

// watchings are the searches to hold open.
func (s *Source) watchings(ctx context.Context, conn *ldapwire.Conn) ([]ldapwire.Watching, error) {
	server := conn.Server()
	kind := watchKind(server)
	if kind == 0 {
		return nil, fail(nil, "leave push out; the schedule finds what changed", "%s at %s offers no way to say at once that something changed", cmp.Or(product(server), "the server"), server.URL)
	}
	var out []ldapwire.Watching
	for suffix, base := range s.trees(server.NamingContexts(), kind == ldapwire.WatchNotification) {
		w := ldapwire.Watching{Kind: kind, Base: base.String(), Scope: ldapwire.ScopeSubtree}
		if kind == ldapwire.WatchSync {
			entry, err := conn.Base(ctx, suffix, "contextCSN")
			csns := entry.Values("contextCSN")
			if err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) && !errors.Is(err, ldapwire.ErrNoEntry) {
				return nil, err
			}
			// Without it everything would be sent at each connection.
			if len(csns) == 0 {
				return nil, fail(nil, fmt.Sprintf("load syncprov in the database, and give %s the right to read contextCSN of %q", cmp.Or(server.BindDN, "the bind user"), suffix),
					"the contextCSN of %q cannot be read, so there is nothing to watch from", suffix)
			}
			slices.Sort(csns)
			w.Cookie = []byte("rid=000,csn=" + strings.Join(csns, ";"))
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return nil, fail(nil, "check the bases", "no base is in a naming context of %s", server.URL)
	}
	return out, nil
}

// trees are what is to be watched: in each naming context that is read, the
// nearest entry above all bases there; its root where nothing else can be watched.
func (s *Source) trees(suffixes []string, roots bool) map[string]identity.DN {
	out := map[string]identity.DN{}
	for _, base := range s.bases() {
		nearest, above := "", identity.DN{}
		for _, suffix := range suffixes {
			dn, err := identity.ParseDN(suffix)
			if err == nil && base.Within(dn) && (nearest == "" || dn.Depth() > above.Depth()) {
				nearest, above = suffix, dn
			}
		}
		switch had, known := out[nearest]; {
		case nearest == "":
		case roots:
			out[nearest] = above
		case !known:
			out[nearest] = base
		default:
			for !base.Within(had) {
				had = had.Parent()
			}
			out[nearest] = had
		}
	}
	return out
}

// pushes says how the server would say at once that something changed, if that is
// asked for.
func (c *checking) pushes(ctx context.Context) {
	if !c.source.Watches() {
		return
	}
	all, err := c.source.watchings(ctx, c.conn)
	if err != nil {
		c.note(directory.Warning, hintOf(err), "push: %v", err)
		return
	}
	for _, w := range all {
		c.note(directory.Fine, "", "push: %s of %q", w.Kind, w.Base)
	}
}
