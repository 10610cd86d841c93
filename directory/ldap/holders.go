package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// A server may keep the names in its groups true (refint of slapd, the plug-in of
// 389 DS): it does so after the renaming or the deletion, and the group shows no
// trace of it, no later time and no change. So whenever a name is new or gone, the
// groups that hold it are looked for, and given a moment.

const (
	// rewriteWithin is how long a server is given to write new names into groups,
	// and lookAgain after what time it is asked once more.
	rewriteWithin = time.Second
	lookAgain     = 5 * time.Second
	rewritePause  = 250 * time.Millisecond
)

// holders are the groups that had one of the old names as a member, and those that
// have one of the fresh ones, or had it: of somebody else, who is nobody any more. While
// some still have the name of somebody who was renamed, it waits; those that do not
// lose it are looked at once more next time.
func (t *telling) holders(ctx context.Context, old, fresh []identity.DN) ([]identity.ID, error) {
	if t.news.edited || len(old)+len(fresh) == 0 || len(t.source.groups) == 0 {
		return nil, nil
	}
	groups := map[identity.ID]bool{}
	for some := range slices.Chunk(slices.Concat(old, fresh), chunkEntries) {
		holding, err := t.changes.Holding(some)
		if err != nil {
			return nil, fmt.Errorf("look up groups by their members: %w", err)
		}
		t.knew(holding)
		for _, k := range holding {
			groups[k.ID] = true
		}
	}
	for waited := time.Duration(0); ; waited += rewritePause {
		late, err := t.source.having(ctx, t.conn, t.shape, old)
		if err != nil {
			return nil, err
		}
		for _, id := range late {
			groups[id] = true
		}
		// Whoever is nowhere any more gives nothing by being named.
		if len(late) == 0 || len(fresh) == 0 || waited >= rewriteWithin {
			for _, id := range late {
				t.late[id] = true
			}
			break
		}
		if err := t.source.cfg.Pause(ctx, rewritePause); err != nil {
			return nil, err
		}
	}
	having, err := t.source.having(ctx, t.conn, t.shape, fresh)
	if err != nil {
		return nil, err
	}
	for _, id := range having {
		groups[id] = true
	}
	out := make([]identity.ID, 0, len(groups))
	for id := range groups {
		out = append(out, id)
	}
	return out, t.look(out)
}

// having are the groups that have one of the names as a member now.
func (s *Source) having(ctx context.Context, conn *ldapwire.Conn, shape *shape, names []identity.DN) ([]identity.ID, error) {
	var out []identity.ID
	for some := range slices.Chunk(names, lookupIDs) {
		var any strings.Builder
		for _, attribute := range s.cfg.Groups.Members {
			if strings.EqualFold(attribute, "memberUid") {
				continue // logins, which nobody rewrites
			}
			for _, dn := range some {
				fmt.Fprintf(&any, "(%s=%s)", attribute, ldapwire.EscapeFilterValue(dn.String()))
			}
		}
		if any.Len() == 0 {
			return nil, nil
		}
		for _, part := range s.parts() {
			if part.kind != directory.Group {
				continue
			}
			_, err := conn.Search(ctx, s.request(conn, false, ldapwire.Request{Base: part.base.String(), Scope: ldapwire.ScopeSubtree,
				Filter: "(&" + part.filter + "(|" + any.String() + "))", Attributes: []string{s.cfg.IDAttribute}}), func(e *ldapwire.Entry) error {
				id, err := shape.identify(e)
				out = append(out, id)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
