package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/identity"
)

// operation is one entry of the log of changes.
type operation struct {
	id      identity.ID
	removed bool
	// edit is set where nothing but the members of a group changed.
	edit *directory.Edit
}

// logged is how many operations are remembered: who comes later reads everything.
const logged = 100_000

func (s *Source) happened(o operation) {
	s.log = append(s.log, o)
	if len(s.log) > 2*logged {
		s.trim(logged)
	}
}

func (s *Source) trim(keep int) {
	n := max(0, len(s.log)-keep)
	s.log, s.trimmed = slices.Clone(s.log[n:]), s.trimmed+n
}

// Trim forgets all but the last operations.
func (s *Source) Trim(keep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim(keep)
}

// cursor stands after so many operations; the zero cursor where nobody follows.
func (s *Source) cursor(reached int, at time.Time, faults Faults) directory.Cursor {
	if !s.cfg.Follow {
		return directory.Cursor{}
	}
	return directory.Cursor{Engine: "memory", Like: s.like(faults), Token: []byte(strconv.Itoa(reached)), At: at, Deletes: !s.cfg.Mute}
}

// like is what a cursor depends on.
func (s *Source) like(faults Faults) string {
	return strings.Join([]string{s.name, cmp.Or(faults.Server, "memory"), cmp.Or(faults.Bind, "anybody"),
		strings.Join(s.cfg.Bases, " "), strings.Join(s.coverage.Names(), " ")}, "\n")
}

// Follow tells what happened since the cursor.
func (s *Source) Follow(ctx context.Context, since directory.Cursor, known directory.Knowledge, open func() (directory.Changes, error)) (directory.Followed, error) {
	f, err := s.follow(ctx, since, known, open)
	if err != nil {
		return directory.Followed{}, fmt.Errorf("follow source %s: %w", s.name, err)
	}
	return f, nil
}

func (s *Source) follow(ctx context.Context, since directory.Cursor, known directory.Knowledge, open func() (directory.Changes, error)) (none directory.Followed, _ error) {
	at := s.now()
	records, faults, reached := s.view(&s.follows)
	server := cmp.Or(faults.Server, "memory")
	if err := directory.Current(server, faults.Knowledge, known); err != nil {
		return none, err
	}
	log, err := s.since(since, reached, faults)
	if err != nil {
		return none, err
	}
	t := telling{s: s, ctx: ctx, faults: faults, records: records, byID: map[identity.ID]Record{}, open: open}
	for _, r := range records {
		if faults.Hide == nil || !faults.Hide(s.entry(r, nil)) {
			t.byID[r.ID] = r
		}
	}
	if err := t.all(log); err != nil {
		return none, err
	}
	if err := t.step(); err != nil {
		return none, err
	}
	facts := proof.FollowedFacts{Source: s.name, Server: server, Bind: cmp.Or(faults.Bind, "anybody"), Scope: strings.Join(s.cfg.Bases, " "), Coverage: s.coverage,
		Cursor: s.cursor(reached, at, faults), Nothing: t.changes == nil, Sweep: t.sweep, Unseen: t.unseen, Knowledge: faults.Knowledge, Shown: faults.Shown, At: at}
	return proof.NewFollowed(facts), nil
}

// since is the log after the cursor, if the cursor holds.
func (s *Source) since(c directory.Cursor, reached int, faults Faults) ([]operation, error) {
	from, err := strconv.Atoi(string(c.Token))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case faults.Lost != "":
		return nil, &directory.LostError{Why: faults.Lost}
	case !s.cfg.Follow || c.Engine != "memory" || c.Like != s.like(faults) || c.Deletes == s.cfg.Mute || err != nil || from > reached:
		return nil, &directory.LostError{Why: "the cursor is from another place", Err: err}
	case from < s.trimmed:
		return nil, &directory.LostError{Why: fmt.Sprintf("the log begins at %d, and %d was read last", s.trimmed, from)}
	}
	return slices.Clone(s.log[from-s.trimmed : reached-s.trimmed]), nil
}

// telling is one follow in progress.
type telling struct {
	s       *Source
	ctx     context.Context
	faults  Faults
	records []Record
	byID    map[identity.ID]Record
	open    func() (directory.Changes, error)
	changes directory.Changes
	sweep   string
	unseen  []identity.ID
	told    int
}

func (t *telling) step() error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if t.faults.Follow != nil {
		return t.faults.Follow(t.ctx, t.told)
	}
	return nil
}

// all tells of everybody in the log, as they are now, and of those whom a container
// or a group brings along.
func (t *telling) all(log []operation) (err error) {
	if len(log) == 0 {
		return nil
	}
	if t.changes, err = t.open(); err != nil {
		return err
	}
	removed := map[identity.ID]bool{}
	edits, whole := map[identity.ID][]directory.Edit{}, map[identity.ID]bool{}
	var touched []identity.ID
	seen := map[identity.ID]bool{}
	touch := func(id identity.ID) {
		if !seen[id] {
			seen[id] = true
			touched = append(touched, id)
		}
	}
	for _, o := range log {
		removed[o.id] = o.removed
		if o.edit != nil {
			edits[o.id] = append(edits[o.id], *o.edit)
			continue
		}
		whole[o.id] = true
		touch(o.id)
	}
	if err := t.edits(edits, whole, touch); err != nil {
		return err
	}
	for i := 0; ; i++ { // it grows as it goes
		if i == len(touched) {
			witnesses, err := directory.WitnessesOf(t.changes)
			if err != nil {
				return err
			}
			for _, k := range witnesses {
				touch(k.ID)
			}
		}
		if i == len(touched) {
			break
		}
		id := touched[i]
		if err := t.step(); err != nil {
			return err
		}
		t.told++
		known, err := t.changes.Lookup([]identity.ID{id})
		if err != nil {
			return err
		}
		if err := t.brings(id, known, touch); err != nil {
			return err
		}
		if err := t.one(id, known, removed[id]); err != nil {
			return err
		}
	}
	return t.canaries()
}

// edits tells of groups of which nothing but the members changed. Who is read whole
// anyway, is read whole after.
func (t *telling) edits(edits map[identity.ID][]directory.Edit, whole map[identity.ID]bool, touch func(identity.ID)) error {
	for _, id := range slices.Sorted(maps.Keys(edits)) {
		r, here := t.byID[id]
		if !here {
			touch(id) // hidden: the change must not be passed over
		}
		if whole[id] || !here || !t.s.listed(identity.MustDN(r.DN)) {
			continue
		}
		if err := t.changes.Edit(edits[id]); err != nil {
			return err
		}
	}
	return nil
}

// brings touches whoever changed without a change of their own.
func (t *telling) brings(id identity.ID, known []directory.Known, touch func(identity.ID)) error {
	r, here := t.byID[id]
	now := identity.DN{}
	if here {
		now = identity.MustDN(r.DN)
	}
	if here && !slices.ContainsFunc(known, func(k directory.Known) bool { return k.DN.Equal(now) }) {
		// Groups may have had them under a name that was never seen.
		t.holders(now, touch)
	}
	for _, k := range known {
		if here && k.DN.Equal(now) {
			continue
		}
		holding, err := t.changes.Holding([]identity.DN{k.DN})
		if err != nil {
			return err
		}
		for _, g := range holding {
			touch(g.ID)
		}
		if k.Kind != directory.Container {
			continue
		}
		below, err := t.changes.Below(k.DN)
		if err != nil {
			return err
		}
		for _, b := range below {
			touch(b.ID)
		}
	}
	if here && r.Kind == directory.Container {
		for _, b := range t.records {
			if identity.MustDN(b.DN).Within(now) {
				touch(b.ID)
			}
		}
	}
	return nil
}

// holders touches the groups that name somebody so.
func (t *telling) holders(dn identity.DN, touch func(identity.ID)) {
	for _, g := range t.records {
		if _, shown := t.byID[g.ID]; shown && slices.ContainsFunc(g.Members, func(m string) bool { return identity.MustDN(m).Equal(dn) }) {
			touch(g.ID)
		}
	}
}

func (t *telling) one(id identity.ID, known []directory.Known, removed bool) error {
	r, here := t.byID[id]
	if here {
		e := t.s.entry(r, t.faults.Lose)
		if e.Kind == directory.Container || t.s.listed(e.DN) {
			return t.changes.Put([]directory.Entry{e})
		}
		return t.changes.Left([]directory.Finding{{Kind: e.Kind, ID: id, Found: true, DN: e.DN}})
	}
	switch {
	case len(known) == 0:
		return nil
	case removed && !t.s.cfg.Mute && !t.faults.Unproved:
		return t.changes.Gone([]directory.Gone{{ID: id, By: "the log"}})
	case !removed || t.faults.Unproved:
		t.sweep = fmt.Sprintf("%s is not there, and nothing proves that it was deleted", id)
		t.unseen = append(t.unseen, id)
	}
	return nil
}

// canaries must be there, or something else is wrong.
func (t *telling) canaries() error {
	for _, c := range t.s.canaries {
		there := false
		for _, r := range t.byID {
			there = there || identity.MustDN(r.DN).Equal(c)
		}
		if !there {
			return fmt.Errorf("the canary %s was not seen", c)
		}
	}
	return nil
}
