package ldap

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// A stage is given at most chunkEntries entries at once, and no more when they
// have chunkMembers members together, but for a group that is larger alone.
const (
	chunkEntries = 1000
	chunkMembers = 50000
)

// Read lists people and groups, base by base, over one connection.
func (s *Source) Read(ctx context.Context, stage directory.Stage) (directory.Proof, error) {
	return s.listing(ctx, stage, false)
}

// Sweep lists their IDs, and asks for nothing else of them.
func (s *Source) Sweep(ctx context.Context, stage directory.Stage) (directory.Proof, error) {
	return s.listing(ctx, stage, true)
}

func (s *Source) listing(ctx context.Context, stage directory.Stage, ids bool) (directory.Proof, error) {
	at := s.cfg.Now()
	r, err := s.read(ctx, stage, ids)
	if err != nil {
		return directory.Proof{}, fmt.Errorf("read source %s: %w", s.name, err)
	}
	p := proof.New(proof.Facts{Source: s.name, Server: strings.ToLower(r.server.URL), Bind: bindIdentity(r.server), Scope: r.source.scope,
		Coverage: s.coverage, People: r.people, Groups: r.groups, At: at, Knowledge: r.knowledge, Shown: r.shown, Cursor: r.cursor.since(at)})
	s.listed(p, r.source.linked())
	return p, nil
}

// read returns what was read only if that was everything.
func (s *Source) read(ctx context.Context, stage directory.Stage, ids bool) (*reading, error) {
	conn, knowledge, cursor, err := s.begin(ctx, directory.KnownTo(stage), !ids)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // all was read, or there is an error already
	s = s.on(conn.Server())
	r := &reading{source: s, cursor: cursor, shape: s.shape(), stage: stage, server: conn.Server(), seed: maphash.MakeSeed(), seed2: maphash.MakeSeed(),
		ids: map[[2]uint64]seen{}, waiting: map[string]bool{}, containers: map[string]identity.DN{}}
	for _, c := range s.canaries {
		r.waiting[c.Key()] = true
	}
	if !ids {
		r.open = map[string]bool{}
		for _, c := range s.closed {
			r.open[c.Key()] = true
		}
	}
	r.knowledge = knowledge
	if s.linked() {
		r.primaries = newPrimaries(s, conn, false)
	}
	if s.cfg.derives() != "" {
		r.derived = newDerived(s)
	}
	for _, part := range s.parts() {
		attributes, sink := part.attributes, r.person
		switch {
		case ids:
			attributes, sink = []string{s.cfg.IDAttribute}, r.sighting(part.kind)
		case part.kind == directory.Group:
			sink = r.group
		}
		if err := r.list(ctx, conn, part.base, part.filter, attributes, sink); err != nil {
			return nil, err
		}
		if r.primaries != nil {
			if err := r.primaries.complete(ctx, r.add); err != nil {
				return nil, err
			}
		}
		if r.derived != nil {
			if err := r.derived.complete(ctx, conn, r.add); err != nil {
				return nil, err
			}
		}
	}
	if !r.cursor.cursor.IsZero() || s.profile.misnames {
		if err := r.listContainers(ctx, conn); err != nil {
			return nil, err
		}
	}
	if err := r.flush(); err != nil {
		return nil, err
	}
	r.shown = s.knowledge(ctx, conn, true)
	for _, c := range s.canaries {
		if r.waiting[c.Key()] {
			return nil, fail(ErrCanary, canaryHint(r.server), "the canary %q was not seen among %d people and %d groups", c, r.people, r.groups)
		}
	}
	for _, c := range s.closed {
		if r.open[c.Key()] {
			return nil, s.seenOpen(c, r.server)
		}
	}
	// Everything came, and yet: who gave up does not get a proof.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r, nil
}

// begin connects, and begins to follow if that is asked for. Where that ends the
// connection, or nothing comes of it in time, it would do so at each read: on a new one
// everything is read, and not followed this time.
func (s *Source) begin(ctx context.Context, known directory.Knowledge, follow bool) (*ldapwire.Conn, directory.Knowledge, started, error) {
	conn, seen, err := s.dialCurrent(ctx, known, "", nil)
	if err != nil || !follow {
		return conn, seen, started{}, err
	}
	out, cause := s.on(conn.Server()).start(ctx, conn)
	if cause == nil {
		return conn, seen, out, nil
	}
	_ = conn.Close()
	if ctx.Err() != nil {
		return nil, nil, started{}, cause
	}
	conn, seen, err = s.dialCurrent(ctx, known, "", nil)
	return conn, seen, started{declined: append(out.declined, declined{err: cause})}, err
}

// reading is one read in progress.
type reading struct {
	source *Source
	shape  *shape
	stage  directory.Stage
	server ldapwire.Server
	// knowledge is from before the first page: the listing shows as much at least.
	knowledge directory.Knowledge
	// shown is from after the last: a later server must know it all.
	shown directory.Knowledge
	// cursor is from before the first page; none: changes cannot be followed.
	cursor started
	// primaries are groups that have members beside those they show; nil: none do.
	primaries *primaries
	// derived works members out that stand in no group; nil: there are none.
	derived *derived

	chunk        []directory.Entry
	chunkMembers int
	waiting      map[string]bool // keys of canaries that were not seen
	open         map[string]bool // keys of those that were not seen closed
	containers   map[string]identity.DN
	people       int
	groups       int
	unreadable   int // members whose names are none

	// ids are the IDs that were seen, hashed twice: a million of them fit into
	// 60 MB.
	ids         map[[2]uint64]seen
	seed, seed2 maphash.Seed
}

// seen is what an ID belongs to.
type seen struct {
	dn   uint64
	kind directory.Kind
}

// list reads everything below a base, which itself must be readable: where it
// is hidden, nothing below it proves anything.
func (r *reading) list(ctx context.Context, conn *ldapwire.Conn, base identity.DN, filter string, attributes []string, sink func(*ldapwire.Entry) error) error {
	if err := readable(ctx, conn, base); err != nil {
		return err
	}
	_, err := conn.Search(ctx, r.source.request(conn, false, ldapwire.Request{Base: base.String(), Scope: ldapwire.ScopeSubtree, Filter: filter, Attributes: attributes}), sink)
	return err
}

func readable(ctx context.Context, conn *ldapwire.Conn, base identity.DN) error {
	_, err := conn.Base(ctx, base.String(), "1.1")
	if errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry) {
		e := fail(ErrBase, fmt.Sprintf("check the spelling of the base, and that %s may read that entry and all below it", orAnybody(conn.Server().BindDN)),
			"base %q not found, or no right to see it", base)
		e.err = err
		return e
	}
	return err
}

func (r *reading) person(e *ldapwire.Entry) error {
	out, err := r.shape.person(e)
	if err == nil && r.primaries != nil {
		_, err = r.primaries.take(e, out)
	}
	if err != nil {
		return err
	}
	if r.derived != nil {
		r.derived.person(e, out.DN)
	}
	return r.add(out)
}

func (r *reading) group(e *ldapwire.Entry) error {
	out, unreadable, err := r.shape.group(e)
	if err != nil {
		return err
	}
	r.unreadable += unreadable
	if r.derived != nil && r.derived.group(e, &out) {
		return nil
	}
	if r.primaries != nil {
		if kept, err := r.primaries.take(e, out); kept || err != nil {
			return err
		}
	}
	return r.add(out)
}

// sighting takes an entry of which the ID alone was asked for.
func (r *reading) sighting(kind directory.Kind) func(*ldapwire.Entry) error {
	return func(e *ldapwire.Entry) error {
		out, err := r.shape.entry(kind, e, nil, identity.Coverage{})
		if err != nil {
			return err
		}
		return r.add(out)
	}
}

// add stages an entry, once: bases may overlap.
func (r *reading) add(e directory.Entry) error {
	id := [2]uint64{maphash.String(r.seed, string(e.ID)), maphash.String(r.seed2, string(e.ID))}
	now := seen{maphash.String(r.seed, e.DN.Key()), e.Kind}
	switch before, again := r.ids[id]; {
	case again && before == now:
		return nil
	case again && before.kind != now.kind:
		return bothKinds(e.DN)
	case again:
		return fail(ErrID, "if an entry was moved just now, the next read is right; else no two entries may have the same "+r.source.cfg.IDAttribute,
			"the ID %s came twice, the second time at %q", e.ID, e.DN)
	}
	r.ids[id] = now
	delete(r.waiting, e.DN.Key())
	if e.Validity.ClosedBy != "" {
		delete(r.open, e.DN.Key())
	}
	if e.Kind == directory.Person {
		r.people++
	} else {
		r.groups++
	}
	if !r.cursor.cursor.IsZero() || r.source.profile.misnames {
		r.holds(e.DN)
	}
	return r.put(e)
}

func (r *reading) put(e directory.Entry) error {
	r.chunk = append(r.chunk, e)
	r.chunkMembers += len(e.Members)
	if len(r.chunk) >= chunkEntries || r.chunkMembers >= chunkMembers {
		return r.flush()
	}
	return nil
}

func (r *reading) flush() error {
	full := r.chunk
	r.chunk, r.chunkMembers = nil, 0
	if len(full) == 0 {
		return nil
	}
	if err := r.stage.Add(full); err != nil {
		return fmt.Errorf("stage entries: %w", err)
	}
	return nil
}

func bothKinds(dn identity.DN) error {
	return fail(ErrID, "narrow the filters of people and groups, so that no entry matches both", "the entry %q is a person and a group", dn)
}

// seenOpen: whoever is closed for good is shown as open, or not at all.
func (s *Source) seenOpen(canary identity.DN, server ldapwire.Server) error {
	return fail(ErrCanary, fmt.Sprintf("it is always closed, so %s may not see who is: let it read %s. If it was opened on purpose, name another one in closed_canaries",
		orAnybody(server.BindDN), strings.Join(believed(s.cfg.AccountState), ", ")), "the canary %q is not seen to be closed", canary)
}

func canaryHint(server ldapwire.Server) string {
	return fmt.Sprintf("it is always there, so something else must be wrong: may %s read it, and does it match the filter? If it was deleted on purpose, name another one in canaries", orAnybody(server.BindDN))
}

// bindIdentity is who the server takes us for.
func bindIdentity(s ldapwire.Server) string {
	switch {
	case s.AuthzID != "":
		return s.AuthzID
	case s.BindDN != "":
		return "dn:" + s.BindDN
	}
	return "anybody"
}

func orAnybody(bindDN string) string {
	if bindDN == "" {
		return "anybody"
	}
	return bindDN
}
