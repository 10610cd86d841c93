package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// lookupIDs is how many IDs go into one filter.
const lookupIDs = 100

// Find looks for IDs in the whole naming context of each base. Every search
// also asks for an entry that is known to be there, so that a server that does
// not answer to IDs is not taken for one that knows none of them.
func (s *Source) Find(ctx context.Context, known []directory.Known) ([]directory.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find entries in source %s: %w", s.name, err)
	}
	if len(known) == 0 {
		return nil, nil
	}
	out, err := s.find(ctx, known)
	if err != nil {
		return nil, fmt.Errorf("find entries in source %s: %w", s.name, err)
	}
	return out, nil
}

func (s *Source) find(ctx context.Context, known []directory.Known) ([]directory.Finding, error) {
	l, roots, err := s.lookUp(ctx)
	if err != nil {
		return nil, err
	}
	defer l.conn.Close() //nolint:errcheck // all was answered, or there is an error already
	ids := make([]identity.ID, 0, len(known))
	for _, k := range known {
		ids = append(ids, normalID(string(k.ID)))
	}
	if err := l.all(ctx, roots, ids); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	listed, err := l.listed(ctx, known)
	if err != nil {
		return nil, err
	}
	if err := l.placed(ctx, listed); err != nil {
		return nil, err
	}
	out := make([]directory.Finding, len(known))
	for i, k := range known {
		id := normalID(string(k.ID))
		dn, ok := l.at[id]
		out[i] = directory.Finding{Kind: k.Kind, ID: k.ID, Found: ok, DN: dn, Listed: listed[id]}
	}
	return out, nil
}

// listed are those whom a listing would show now, of those that were found: whoever was
// hidden while it was made, or on the way to another base, is not out of scope.
func (l *lookup) listed(ctx context.Context, known []directory.Known) (map[identity.ID]bool, error) {
	out := map[identity.ID]bool{}
	for _, part := range l.source.parts() {
		var ids []identity.ID
		for _, k := range known {
			id := normalID(string(k.ID))
			if dn, found := l.at[id]; found && k.Kind == part.kind && dn.Within(part.base) {
				ids = append(ids, id)
			}
		}
		for some := range slices.Chunk(ids, lookupIDs) {
			_, err := l.conn.Search(ctx, l.source.request(l.conn, false, ldapwire.Request{Base: part.base.String(), Scope: ldapwire.ScopeSubtree,
				Filter: "(&" + part.filter + l.source.anyOf(some) + ")", Attributes: []string{l.source.cfg.IDAttribute}}), func(e *ldapwire.Entry) error {
				id, err := l.shape.identify(e)
				out[id] = true
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// lookUp begins a look-up, on a connection of its own, of what is below the roots.
func (s *Source) lookUp(ctx context.Context) (_ *lookup, roots []identity.DN, err error) {
	// A server that has seen less than the one that listed would find who is gone.
	shown, lister := s.lastListed()
	conn, _, err := s.dialCurrent(ctx, shown, lister, nil)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			conn.Close() //nolint:errcheck // there is an error already
		}
	}()
	for _, base := range s.bases() {
		if err := readable(ctx, conn, base); err != nil {
			return nil, nil, err
		}
	}
	if roots, err = s.roots(ctx, conn); err != nil {
		return nil, nil, err
	}
	s = s.on(conn.Server())
	l := &lookup{source: s, shape: s.shape(), conn: conn, at: map[identity.ID]identity.DN{}, leaves: map[identity.ID]bool{}}
	return l, roots, l.proofs(ctx, roots)
}

// missing says whether an error is that there is no such entry, or none that is
// shown.
func missing(err error) bool {
	return errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry)
}

// roots are where entries can have gone: the naming contexts that hold the
// bases, or the bases themselves where the root of a context is hidden.
func (s *Source) roots(ctx context.Context, conn *ldapwire.Conn) ([]identity.DN, error) {
	var contexts, roots []identity.DN
	for _, n := range conn.Server().NamingContexts() {
		if dn, err := identity.ParseDN(n); err == nil && !dn.IsZero() {
			contexts = append(contexts, dn)
		}
	}
	for _, base := range s.bases() {
		root := base
		if i := slices.IndexFunc(contexts, base.Within); i >= 0 {
			switch err := readable(ctx, conn, contexts[i]); {
			case err == nil:
				root = contexts[i]
			case !errors.Is(err, ErrBase) && !errors.Is(err, ldapwire.ErrInsufficientAccess):
				return nil, err
			}
		}
		roots = append(roots, root)
	}
	var out []identity.DN
	for i, r := range roots {
		covered := slices.ContainsFunc(roots, func(o identity.DN) bool { return !o.Equal(r) && r.Within(o) }) ||
			slices.ContainsFunc(roots[:i], r.Equal)
		if !covered {
			out = append(out, r)
		}
	}
	return out, nil
}

// hasSubordinates says whether an entry has others below it.
const hasSubordinates = "hasSubordinates"

// lookup is one Find in progress.
type lookup struct {
	source *Source
	shape  *shape
	conn   *ldapwire.Conn
	sure   []identity.ID // per root: an entry that is there, or ""
	at     map[identity.ID]identity.DN
	// leaves are those of whom the server says that nobody is below them. Not all
	// servers say it.
	leaves map[identity.ID]bool
}

// proofs finds for each root an entry whose ID is known: a canary, or a base.
// With an ID attribute that only people have there may be none.
func (l *lookup) proofs(ctx context.Context, roots []identity.DN) error {
	s := l.source
	for _, root := range roots {
		var sure identity.ID
		for _, dn := range slices.Concat(s.canaries, s.people, s.groups) {
			if !dn.Within(root) {
				continue
			}
			rec, err := l.conn.Base(ctx, dn.String(), s.cfg.IDAttribute)
			if errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry) {
				continue
			}
			if err != nil {
				return err
			}
			if v := rec.Values(l.shape.id); len(v) == 1 {
				if sure, err = idOf(l.shape.id, []byte(v[0])); err == nil {
					break
				}
			}
		}
		if sure == "" && everywhere(s.cfg.IDAttribute) {
			return fail(ErrLookup, "every entry has one: let the bind user read it", "no base below %q shows its %s", root, s.cfg.IDAttribute)
		}
		l.sure = append(l.sure, sure)
	}
	return nil
}

// all looks the IDs up below each root.
func (l *lookup) all(ctx context.Context, roots []identity.DN, ids []identity.ID) error {
	for batch := range slices.Chunk(ids, lookupIDs) {
		for i, root := range roots {
			if err := l.search(ctx, root, l.sure[i], batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lookup) search(ctx context.Context, root identity.DN, sure identity.ID, ids []identity.ID) error {
	asked := make(map[identity.ID]bool, len(ids)+1)
	var filter strings.Builder
	ask := func(id identity.ID) {
		if part, ok := idFilter(l.source.cfg.IDAttribute, id); ok && !asked[id] {
			asked[id] = true
			filter.WriteString(part)
		}
	}
	filter.WriteString("(|")
	for _, id := range ids {
		ask(id)
	}
	ask(sure)
	filter.WriteString(")")
	if len(asked) == 0 {
		return nil
	}
	proved := sure == ""
	_, err := l.conn.Search(ctx, l.source.request(l.conn, true, ldapwire.Request{Base: root.String(), Scope: ldapwire.ScopeSubtree, Filter: filter.String(),
		Attributes: []string{l.source.cfg.IDAttribute, hasSubordinates}}), func(e *ldapwire.Entry) error {
		id, err := l.shape.identify(e)
		if err != nil {
			return err
		}
		if strings.EqualFold(e.First(strings.ToLower(hasSubordinates)), "FALSE") {
			l.leaves[id] = true
		}
		dn, err := identity.ParseDN(string(e.DN))
		if err != nil {
			return fmt.Errorf("read the name of an entry: %w", err)
		}
		if !asked[id] {
			return fail(ErrLookup, "", "the server answered with %q, whose ID %s was not asked for", e.DN, id)
		}
		if other, twice := l.at[id]; twice && !other.Equal(dn) {
			return fail(ErrID, "no two entries may have the same "+l.source.cfg.IDAttribute, "the ID %s is that of %q and of %q", id, other, dn)
		}
		proved = proved || id == sure
		l.at[id] = dn
		return nil
	})
	if err == nil && !proved {
		return fail(ErrLookup, fmt.Sprintf("let the bind user search by %s (access rules), and check that the server has no limit on it", l.source.cfg.IDAttribute),
			"a look-up by %s below %q does not find an entry that is there", l.source.cfg.IDAttribute, root)
	}
	return err
}
