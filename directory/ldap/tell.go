package ldap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// telling reads afresh whom the news names, and tells what it finds.
type telling struct {
	source  *Source
	shape   *shape
	conn    *ldapwire.Conn
	changes directory.Changes
	news    *news

	was       map[identity.ID]directory.Known // as the snapshot has them
	now       map[identity.ID]sight           // as they are
	done      map[identity.ID]bool
	primaries *primaries // these two where members are links
	links     links
	entered   []identity.DN          // entries in scope that are nobody, and were not known
	fresh     map[string]identity.DN // of each container where somebody is new, one of those
	missing   int                    // known, not found, and nothing proves why

	chunk        []directory.Entry
	chunkMembers int
}

// sight is where an entry is now.
type sight struct {
	kind directory.Kind
	dn   identity.DN
}

func (t *telling) tell(ctx context.Context) error {
	t.was, t.now, t.done = map[identity.ID]directory.Known{}, map[identity.ID]sight{}, map[identity.ID]bool{}
	t.fresh = map[string]identity.DN{}
	if t.source.linked() {
		t.primaries = newPrimaries(t.source, t.conn, true)
	}
	todo, err := t.first()
	if err != nil {
		return err
	}
	// Who is below what was renamed, and the groups with members that were, come
	// in the second round; more rounds need renamings in the meantime.
	for round := 0; len(todo) > 0; round++ {
		if round > 8 {
			return fmt.Errorf("the tree changes faster than it can be read: another round of %d entries", len(todo))
		}
		if todo, err = t.round(ctx, todo); err != nil {
			return err
		}
	}
	if err := t.containers(ctx); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(t.news.edits) > 0 {
		if err := t.changes.Edit(t.news.edits); err != nil {
			return fmt.Errorf("stage changes of groups: %w", err)
		}
	}
	if t.missing > 0 && t.news.sweep == "" {
		t.news.sweep = counted(t.missing, "entry is", "entries are") + " not there any more, and nothing proves that they were deleted"
	}
	return nil
}

// first is whom the engine named, but strangers that were seen outside of what
// is read.
func (t *telling) first() ([]identity.ID, error) {
	named := slices.Collect(maps.Keys(t.news.touched))
	for id := range t.news.gone {
		if _, both := t.news.touched[id]; !both {
			named = append(named, id)
		}
	}
	slices.Sort(named)
	if err := t.look(named); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(named, func(id identity.ID) bool {
		_, known := t.was[id]
		// Of the deleted only those who are known count, of the others those who may
		// be new.
		return !known && !t.news.touched[id]
	}), nil
}

// look asks what the snapshot has.
func (t *telling) look(ids []identity.ID) error {
	for some := range slices.Chunk(ids, chunkEntries) {
		known, err := t.changes.Lookup(some)
		if err != nil {
			return fmt.Errorf("look up what is known: %w", err)
		}
		for _, k := range known {
			t.was[k.ID] = k
		}
	}
	return nil
}

// round tells of some, and returns who is concerned by that.
func (t *telling) round(ctx context.Context, ids []identity.ID) ([]identity.ID, error) {
	for _, id := range ids {
		t.done[id] = true
	}
	if len(t.done) > tooMany {
		return nil, &directory.LostError{Why: fmt.Sprintf("more than %d entries are concerned by what changed", tooMany)}
	}
	for some := range slices.Chunk(ids, lookupIDs) {
		if err := t.read(ctx, some); err != nil {
			return nil, err
		}
	}
	rest := slices.DeleteFunc(slices.Clone(ids), func(id identity.ID) bool {
		_, seen := t.now[id]
		return seen
	})
	if err := t.rest(ctx, rest); err != nil {
		return nil, err
	}
	concerned, err := t.concerned(ids)
	if err != nil {
		return nil, err
	}
	brought, err := t.brought(ctx)
	if err != nil {
		return nil, err
	}
	concerned = append(concerned, brought...)
	if t.primaries != nil {
		groups, err := t.unlike(ctx)
		if err != nil {
			return nil, err
		}
		concerned = append(concerned, groups...)
	}
	slices.Sort(concerned)
	return slices.Compact(concerned), nil
}

// read reads those of the IDs that are in scope.
func (t *telling) read(ctx context.Context, ids []identity.ID) error {
	asked := map[identity.ID]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	any := t.source.anyOf(ids)
	for _, part := range t.source.parts() {
		_, err := t.conn.Search(ctx, t.source.request(t.conn, false, ldapwire.Request{Base: part.base.String(), Scope: ldapwire.ScopeSubtree,
			Filter: "(&" + part.filter + any + ")", Attributes: t.attributes(part)}), func(e *ldapwire.Entry) error {
			return t.take(part.kind, e, asked)
		})
		if err != nil {
			return err
		}
		if err := t.complete(ctx); err != nil {
			return err
		}
	}
	return nil
}

// take tells of an entry that is in scope.
func (t *telling) take(kind directory.Kind, e *ldapwire.Entry, asked map[identity.ID]bool) (err error) {
	var out directory.Entry
	if kind == directory.Group {
		out, _, err = t.shape.group(e)
	} else {
		out, err = t.shape.person(e)
	}
	if err != nil {
		return err
	}
	if !asked[out.ID] {
		return fail(ErrLookup, "", "the server answered with %q, whose ID %s was not asked for", e.DN, out.ID)
	}
	switch before, again := t.now[out.ID]; {
	case again && before.kind != kind:
		return bothKinds(out.DN)
	case again && before.dn.Equal(out.DN):
		return nil // bases may overlap
	}
	t.now[out.ID] = sight{kind, out.DN}
	if was, known := t.was[out.ID]; !known || !was.DN.Parent().Equal(out.DN.Parent()) {
		t.fresh[out.DN.Parent().Key()] = out.DN
	}
	if t.primaries != nil {
		if err := t.links.note(e, out.DN); err != nil {
			return err
		}
		if kept, err := t.primaries.take(e, out); kept || err != nil {
			return err
		}
	}
	return t.put(out)
}

// rest tells of those who are not in scope.
func (t *telling) rest(ctx context.Context, ids []identity.ID) error {
	at, err := t.anywhere(ctx, ids)
	if err != nil {
		return err
	}
	var left []directory.Finding
	var gone []directory.Gone
	for _, id := range ids {
		was, known := t.was[id]
		dn, found := at[id]
		switch {
		case !known && (!found || !t.news.touched[id]):
		case !known: // in a base, and nobody by the filter
			t.entered = append(t.entered, dn)
		case !found && t.news.gone[id] != "":
			gone = append(gone, directory.Gone{ID: id, By: t.news.gone[id]})
		case !found && was.Kind == directory.Container:
			// Nobody's standing rests on it.
		case !found:
			t.missing++
		case t.source.retired(dn) != "":
			gone = append(gone, directory.Gone{ID: id, By: t.source.retired(dn)})
		case was.Kind == directory.Container && slices.ContainsFunc(t.source.bases(), dn.Within):
			t.now[id] = sight{directory.Container, dn}
			if err := t.put(directory.Entry{Kind: directory.Container, ID: id, DN: dn}); err != nil {
				return err
			}
		default:
			// It may have been moved from base to base while they were read.
			if err := t.again(ctx, id, dn); err != nil {
				return err
			}
			if _, back := t.now[id]; !back {
				left = append(left, directory.Finding{Kind: was.Kind, ID: id, Found: true, DN: dn})
			}
		}
	}
	if len(left) > 0 {
		if err := t.changes.Left(left); err != nil {
			return fmt.Errorf("stage who is out of scope: %w", err)
		}
	}
	if len(gone) > 0 {
		if err := t.changes.Gone(gone); err != nil {
			return fmt.Errorf("stage who is gone: %w", err)
		}
	}
	return nil
}

// again reads an entry by its name, if it lies where it would be in scope.
func (t *telling) again(ctx context.Context, id identity.ID, dn identity.DN) error {
	asked := map[identity.ID]bool{id: true}
	for _, part := range t.source.parts() {
		if !dn.Within(part.base) {
			continue
		}
		_, err := t.conn.Search(ctx, t.source.request(t.conn, false, ldapwire.Request{Base: dn.String(), Scope: ldapwire.ScopeBase,
			Filter: "(&" + part.filter + t.source.anyOf([]identity.ID{id}) + ")", Attributes: t.attributes(part)}), func(e *ldapwire.Entry) error {
			return t.take(part.kind, e, asked)
		})
		if err == nil {
			err = t.complete(ctx)
		}
		if err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) {
			return err
		}
	}
	return nil
}

// attributes are those of a listing, and those by which memberships are compared.
func (t *telling) attributes(p part) []string {
	if t.primaries == nil {
		return p.attributes
	}
	return compact(append(slices.Clone(p.attributes), memberOf))
}

// complete puts the groups that have members beside those they show.
func (t *telling) complete(ctx context.Context) error {
	if t.primaries == nil {
		return nil
	}
	return t.primaries.complete(ctx, t.put)
}

// anywhere looks the IDs up in the whole tree.
func (t *telling) anywhere(ctx context.Context, ids []identity.ID) (map[identity.ID]identity.DN, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	roots, err := t.source.roots(ctx, t.conn)
	if err != nil {
		return nil, err
	}
	l := &lookup{source: t.source, shape: t.shape, conn: t.conn, at: map[identity.ID]identity.DN{}}
	if err := l.proofs(ctx, roots); err != nil {
		return nil, err
	}
	return l.at, l.all(ctx, roots, ids)
}

// concerned are those who changed by what others did: who is below what was
// renamed, and the groups that have those as members whose names are new.
func (t *telling) concerned(ids []identity.ID) ([]identity.ID, error) {
	var names []identity.DN
	next := map[identity.ID]bool{}
	add := func(known []directory.Known) {
		for _, k := range known {
			if !t.done[k.ID] {
				next[k.ID], t.was[k.ID] = true, k
			}
		}
	}
	for _, id := range ids {
		was, known := t.was[id]
		if now, seen := t.now[id]; !known || seen && now.dn.Equal(was.DN) {
			continue
		}
		below, err := t.changes.Below(was.DN)
		if err != nil {
			return nil, fmt.Errorf("look up who is below %q: %w", was.DN, err)
		}
		add(below)
		if was.Kind != directory.Container && !t.news.edited {
			names = append(names, was.DN)
		}
	}
	for some := range slices.Chunk(names, chunkEntries) {
		holding, err := t.changes.Holding(some)
		if err != nil {
			return nil, fmt.Errorf("look up groups by their members: %w", err)
		}
		add(holding)
	}
	for id := range next {
		t.news.touched[id] = true
	}
	return slices.Sorted(maps.Keys(next)), nil
}

// anyOf is a filter for the IDs.
func (s *Source) anyOf(ids []identity.ID) string {
	var b strings.Builder
	b.WriteString("(|")
	for _, id := range ids {
		if part, ok := idFilter(s.cfg.IDAttribute, id); ok {
			b.WriteString(part)
		}
	}
	return b.String() + ")"
}

// retired says why who is at that place has left, or "".
func (s *Source) retired(dn identity.DN) string {
	if s.profile.retired == nil || slices.ContainsFunc(s.bases(), dn.Within) {
		return ""
	}
	return s.profile.retired(dn)
}

func (t *telling) put(e directory.Entry) error {
	t.chunk = append(t.chunk, e)
	t.chunkMembers += len(e.Members)
	if len(t.chunk) >= chunkEntries || t.chunkMembers >= chunkMembers {
		return t.flush()
	}
	return nil
}

func (t *telling) flush() error {
	full := t.chunk
	t.chunk, t.chunkMembers = nil, 0
	if len(full) == 0 {
		return nil
	}
	if err := t.changes.Put(full); err != nil {
		return fmt.Errorf("stage what changed: %w", err)
	}
	return nil
}
