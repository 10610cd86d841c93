package ldap

import (
	"context"
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
	above     map[identity.ID]identity.DN     // where it has containers
	now       map[identity.ID]sight           // as they are
	batch     map[identity.ID]identity.DN     // what one look has shown
	done      map[identity.ID]bool
	again     map[identity.ID]bool // groups that were read because of a name
	late      map[identity.ID]bool // groups that the server may still change because of one
	primaries *primaries           // these two where members are links
	links     links
	dead      map[identity.ID]bool        // told to be gone
	out       map[identity.ID]identity.DN // told to be out of scope, and where
	entered   []identity.DN               // new names in scope that others may be below
	seen      map[string]bool             // of kinds and containers, whether one is seen there
	fresh     map[string]identity.DN      // of each container where somebody is new, one of those
	missing   []identity.ID               // known, not found, and nothing proves why
	blinded   []identity.ID               // known, and not found by a filter that finds nobody where they are

	chunk        []directory.Entry
	chunkMembers int
}

// sight is where an entry is now.
type sight struct {
	kind directory.Kind
	dn   identity.DN
}

func (t *telling) tell(ctx context.Context) error {
	t.batch = map[identity.ID]identity.DN{}
	t.was, t.above = map[identity.ID]directory.Known{}, map[identity.ID]identity.DN{}
	t.now, t.done = map[identity.ID]sight{}, map[identity.ID]bool{}
	t.again, t.late = map[identity.ID]bool{}, map[identity.ID]bool{}
	t.seen, t.fresh, t.dead = map[string]bool{}, map[string]identity.DN{}, map[identity.ID]bool{}
	t.out = map[identity.ID]identity.DN{}
	if t.source.linked() {
		t.primaries = newPrimaries(t.source, t.conn, true)
	}
	todo, err := t.first()
	if err != nil {
		return err
	}
	if err := t.rounds(ctx, todo); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.edit(); err != nil {
		return err
	}
	if err := t.witnesses(ctx); err != nil {
		return err
	}
	if err := t.containers(ctx); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if n := len(t.missing); n > 0 && t.news.sweep == "" {
		t.news.sweep = counted(n, "entry is", "entries are") + " not there any more, and nothing proves that they were deleted"
	}
	if n := len(t.blinded); n > 0 && t.news.sweep == "" {
		t.news.sweep = counted(n, "entry is", "entries are") + " not found by the filter, and neither is anybody else in the same container"
	}
	return nil
}

func (t *telling) rounds(ctx context.Context, todo []identity.ID) (err error) {
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
	return nil
}

// witnesses reads some of those who have, as far as is known, what those who changed
// have lost.
func (t *telling) witnesses(ctx context.Context) error {
	known, err := directory.WitnessesOf(t.changes)
	if err != nil {
		return fmt.Errorf("choose whom else to look at: %w", err)
	}
	t.knew(known)
	var todo []identity.ID
	for _, k := range known {
		if !t.done[k.ID] {
			t.news.touched[k.ID] = true
			todo = append(todo, k.ID)
		}
	}
	return t.rounds(ctx, todo)
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
	absent, err := t.absent()
	if err != nil {
		return nil, err
	}
	named = append(named, absent...)
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

// absent are those of the snapshot who are not present, and of whom nothing else
// is said.
func (t *telling) absent() ([]identity.ID, error) {
	var out []identity.ID
	for _, p := range t.news.present {
		root, err := identity.ParseDN(p.root)
		if err != nil {
			return nil, fmt.Errorf("read the name of a root: %w", err)
		}
		known, err := t.changes.Below(root)
		if err != nil {
			return nil, fmt.Errorf("look up who is below %q: %w", root, err)
		}
		for _, k := range known {
			_, named := t.news.touched[k.ID]
			if !named && !p.ids[k.ID] && t.news.gone[k.ID] == "" {
				t.news.touchOutside(k.ID)
				out = append(out, k.ID)
			}
		}
	}
	return out, nil
}

// look asks what the snapshot has.
func (t *telling) look(ids []identity.ID) error {
	for some := range slices.Chunk(ids, chunkEntries) {
		known, err := t.changes.Lookup(some)
		if err != nil {
			return fmt.Errorf("look up what is known: %w", err)
		}
		t.knew(known)
	}
	return nil
}

// knew takes what the snapshot has. A container may be a person or a group as
// well, and that counts for more.
func (t *telling) knew(known []directory.Known) {
	for _, k := range known {
		if k.Kind == directory.Container {
			t.above[k.ID] = k.DN
			if _, more := t.was[k.ID]; more {
				continue
			}
		}
		t.was[k.ID] = k
	}
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
	concerned, err := t.concerned(ctx, ids)
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
	t.batch = map[identity.ID]identity.DN{}
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
	if first, twice := t.batch[out.ID]; twice && !first.Equal(out.DN) {
		// Or it was moved just now, and the next read is right.
		return fail(ErrID, "no two entries may have the same "+t.source.cfg.IDAttribute, "the ID %s came twice, at %q and at %q", out.ID, first, out.DN)
	}
	t.batch[out.ID] = out.DN
	switch before, again := t.now[out.ID]; {
	case again && before.kind != kind:
		return bothKinds(out.DN)
	case again && before.dn.Equal(out.DN) && !t.again[out.ID]:
		return nil // bases may overlap
	}
	t.now[out.ID] = sight{kind, out.DN}
	if was, known := t.was[out.ID]; t.source.profile.misnames || !known || was.Left || !was.DN.Parent().Equal(out.DN.Parent()) {
		t.fresh[out.DN.Parent().Key()] = out.DN
	}
	if was, known := t.was[out.ID]; (!known || was.Kind == directory.Container || !was.DN.Equal(out.DN)) && strings.EqualFold(e.First(strings.ToLower(hasSubordinates)), "TRUE") {
		t.entered = append(t.entered, out.DN) // people can have others below them
	}
	if old, holds := t.above[out.ID]; holds && !old.Equal(out.DN) {
		if err := t.put(directory.Entry{Kind: directory.Container, ID: out.ID, DN: out.DN}); err != nil {
			return err
		}
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

// attributes are those of a listing, and those by which it is seen who else is
// concerned: who may be below, or memberships.
func (t *telling) attributes(p part) []string {
	if t.primaries == nil {
		return compact(append(slices.Clone(p.attributes), hasSubordinates))
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
