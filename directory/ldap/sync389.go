package ldap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// sync389 asks 389 Directory Server for what changed, in the dialect of its
// plug-in Content Synchronization. It never says what is present, and calls each
// answer one after which everything else is gone: absence is never inferred here.
// It asks for all entries, since the plug-in does not tell who leaves a filter.
//
// The plug-in goes on from any number, whether or not the change log still has
// what came after it. So that is asked for.
type sync389 struct {
	s    *Source
	conn *ldapwire.Conn
}

func newSync389(s *Source, conn *ldapwire.Conn) engine { return &sync389{s, conn} }

func (r *sync389) deletes() bool { return true }

const (
	lastChange  = "lastchangenumber"
	firstChange = "firstchangenumber"
	// dataVersion is another after each start, as after an import, of which the
	// change log knows nothing.
	dataVersion = "dataversion"

	// unseenAge is how old a cursor may be where the server does not say from when on
	// it has changes: half of what FreeIPA keeps.
	unseenAge = 24 * time.Hour

	inTheChangeLog = "a deletion in the change log of the server"
)

// like: changes are numbered by each server, and since it started nobody has put
// other data in their place.
func (r *sync389) like() string {
	server := r.conn.Server()
	return strings.ToLower(server.URL) + " " + server.RootDSE.First(dataVersion)
}

type token389 struct {
	Roots []root389 `json:"roots"`
	At    time.Time `json:"at"`
}

type root389 struct {
	Root   string `json:"root"`
	Cookie string `json:"cookie"`
}

// number is that of the last change that a cookie knows.
func (r root389) number() (int64, error) {
	_, text, found := cutLast(r.Cookie, "#")
	n, err := strconv.ParseInt(text, 10, 64)
	if !found || err != nil || n < 0 {
		return 0, &directory.LostError{Why: fmt.Sprintf("the cookie %q has no number of a change", r.Cookie)}
	}
	return n, nil
}

func (r *sync389) start(ctx context.Context) ([]byte, error) {
	server := r.conn.Server()
	if !server.HasControl(ldapwire.OIDSync) {
		return nil, &unfitError{"the server does not tell changes (RFC 4533)", "enable the plug-ins Retro Changelog (with nsslapd-attribute: nsuniqueid:targetUniqueId) and Content Synchronization"}
	}
	if !strings.EqualFold(r.s.cfg.IDAttribute, nsUniqueID) {
		return nil, &unfitError{"it knows entries by nsUniqueId, and id_attribute is " + r.s.cfg.IDAttribute, ""}
	}
	roots, err := r.s.roots(ctx, r.conn)
	if err != nil {
		return nil, err
	}
	token := token389{At: r.s.cfg.Now()}
	for _, root := range roots {
		// A cookie is for a base and a filter, whatever the scope: one entry is enough
		// to get it.
		done, err := r.ask(ctx, root389{Root: root.String()}, ldapwire.ScopeBase, func(ldapwire.SyncMessage) error { return nil })
		if err != nil {
			return nil, err
		}
		one := root389{Root: root.String(), Cookie: string(done.Cookie)}
		if _, err := one.number(); err != nil {
			return nil, &unfitError{"the server gives no cookie to go on from", "enable the plug-in Retro Changelog"}
		}
		token.Roots = append(token.Roots, one)
	}
	return token.text()
}

func (t token389) text() ([]byte, error) {
	out, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return out, nil
}

func (r *sync389) ask(ctx context.Context, root root389, scope ldapwire.Scope, sink func(ldapwire.SyncMessage) error) (ldapwire.SyncDone, error) {
	done, err := r.conn.Sync(ctx, ldapwire.Request{Base: root.Root, Scope: scope, IgnoreReferrals: r.s.cfg.IgnoreReferrals},
		ldapwire.SyncRequest{Cookie: []byte(root.Cookie)}, sink)
	switch {
	case errors.Is(err, ldapwire.ErrRefreshRequired), errors.Is(err, ldapwire.ErrUnwilling):
		return done, &directory.LostError{Why: "the server refuses the cookie", Err: err}
	case errors.Is(err, ldapwire.ErrCriticalExtension), errors.Is(err, ldapwire.ErrInsufficientAccess):
		return done, &unfitError{fmt.Sprintf("the server does not tell %s its changes: %v", orAnybody(r.conn.Server().BindDN), err),
			"give it the right to read oid=1.3.6.1.4.1.4203.1.9.1.1,cn=features,cn=config"}
	}
	return done, err
}

func (r *sync389) moved(_ context.Context, b []byte, _ directory.Knowledge) (bool, error) {
	token, err := r.read(b)
	if err != nil {
		return false, err
	}
	// The root entry was read when the connection was made.
	root := r.conn.Server().RootDSE
	last, said := changeNumber(root, lastChange)
	moved := !said
	for _, one := range token.Roots {
		n, err := one.number()
		if err != nil {
			return false, err
		}
		if said && n > last {
			return false, &directory.LostError{Why: fmt.Sprintf("the change log ends at %d, and %d was read", last, n)}
		}
		moved = moved || n != last
	}
	if !moved {
		return false, nil
	}
	return true, r.covered(root, token)
}

func (r *sync389) read(b []byte) (token389, error) {
	var out token389
	if err := json.Unmarshal(b, &out); err != nil || len(out.Roots) == 0 {
		return out, &directory.LostError{Why: "the token is not one of this engine", Err: err}
	}
	return out, nil
}

// covered makes sure that the change log still has all that came after the token.
func (r *sync389) covered(root ldapwire.Record, token token389) error {
	first, said := changeNumber(root, firstChange)
	if !said {
		if age := r.s.cfg.Now().Sub(token.At); age > unseenAge || age < 0 {
			return &directory.LostError{Why: fmt.Sprintf("the server does not say from when on it has changes, and they were followed %s ago", age.Round(time.Minute))}
		}
		return nil
	}
	for _, one := range token.Roots {
		n, err := one.number()
		if err != nil {
			return err
		}
		if first > n+1 {
			return &directory.LostError{Why: fmt.Sprintf("the change log begins at %d, and %d was read last", first, n)}
		}
	}
	return nil
}

func (r *sync389) news(ctx context.Context, b []byte, n *news) ([]byte, error) {
	token, err := r.read(b)
	if err != nil {
		return nil, err
	}
	next := token389{At: r.s.cfg.Now(), Roots: slices.Clone(token.Roots)}
	for i, root := range token.Roots {
		done, err := r.ask(ctx, root, ldapwire.ScopeSubtree, func(m ldapwire.SyncMessage) error { return r.take(m, n, r.whole(root)) })
		if err != nil {
			return nil, err
		}
		if len(done.Cookie) > 0 {
			next.Roots[i].Cookie = string(done.Cookie)
		}
		if _, err := next.Roots[i].number(); err != nil {
			return nil, err
		}
	}
	// It may have been cut while it was read.
	root, err := r.conn.Base(ctx, "", firstChange)
	if err != nil {
		return nil, err
	}
	if err := r.covered(root, token); err != nil {
		return nil, err
	}
	return next.text()
}

// whole says whether a root is all of a tree. Of a part the plug-in calls those
// deleted, too, who went to another one.
func (r *sync389) whole(root root389) bool {
	dn, err := identity.ParseDN(root.Root)
	return err == nil && slices.ContainsFunc(r.conn.Server().NamingContexts(), func(context string) bool {
		top, err := identity.ParseDN(context)
		return err == nil && top.Equal(dn)
	})
}

func (r *sync389) take(m ldapwire.SyncMessage, n *news, whole bool) error {
	deleted := func(id identity.ID) {
		if whole {
			n.gone[id] = inTheChangeLog
		} else {
			n.touchOutside(id) // looked for, and missed
		}
	}
	switch m := m.(type) {
	case *ldapwire.SyncEntry:
		id := nsUniqueIDOf(m.ID)
		if m.State == ldapwire.SyncDelete {
			deleted(id)
			return nil
		}
		dn, err := identity.ParseDN(string(m.Entry.DN))
		if err != nil {
			return fmt.Errorf("read the name of an entry: %w", err)
		}
		if !slices.ContainsFunc(r.s.bases(), dn.Within) {
			n.touchOutside(id)
			return nil
		}
		return n.touch(id)
	case *ldapwire.SyncIDs:
		for _, raw := range m.IDs {
			if m.Gone {
				deleted(nsUniqueIDOf(raw))
			}
		}
	}
	return nil
}

// nsUniqueIDOf is the text of a nsUniqueId.
func nsUniqueIDOf(b ldapwire.SyncID) identity.ID {
	return identity.ID(dashed(b[:], 4, 8, 12))
}

func changeNumber(root ldapwire.Record, name string) (int64, bool) {
	n, err := strconv.ParseInt(root.First(name), 10, 64)
	return n, err == nil
}
