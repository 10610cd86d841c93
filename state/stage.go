package state

import (
	"fmt"
	"hash/maphash"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Stage takes one listing of one source: what differs from the snapshot is
// written beside it, of what does not only a bit is kept. Until Seal nothing
// of it counts. It is used by one goroutine.
type Stage struct {
	staging
	ids *sweep // nil where whole entries come

	known  []known
	byID   map[identity.ID]int32 // → known
	fresh  map[identity.ID]struct{}
	dns    map[[2]uint64]struct{}
	keyed  map[digest]ref
	shared map[digest][]ref
	// newcomers are new people, and those known ones whose ID is still doubted.
	newcomers []*newcomer
	moved     map[identity.Ordinal]identity.DN
	lost      map[string]int // attribute → people who had it and lack it now
	emptied   int            // groups that had members and have none
	answers   map[int32]directory.Finding

	// containers are those known, with whether they were shown; evidence is of
	// those who were deleted.
	containers map[identity.ID]*container
	evidence   map[identity.ID]string

	people, groups, changed int
}

// known is an entry of the snapshot.
type known struct {
	idValue
	id   identity.ID
	kind directory.Kind
	seen bool
}

// ref is a person in this listing.
type ref struct {
	id      identity.ID
	ordinal identity.Ordinal // 0: new
}

type newcomer struct {
	ref
	key digest
	dn  [2]uint64
}

// maxID is the longest ID that is believed; those of directories have 36 bytes.
const maxID = 1024

var (
	dnSeed1 = maphash.MakeSeed()
	dnSeed2 = maphash.MakeSeed()
)

func dnHash(dn identity.DN) [2]uint64 {
	return [2]uint64{maphash.String(dnSeed1, dn.Key()), maphash.String(dnSeed2, dn.Key())}
}

// Stage begins a listing of the source. A stage that was not sealed is
// discarded; one that was sealed and not drained is the error ErrUndrained.
func (s *Store) Stage(source string, coverage identity.Coverage) (*Stage, error) {
	g := &Stage{staging: newStaging(s, source, coverage), byID: map[identity.ID]int32{}, fresh: map[identity.ID]struct{}{}, dns: map[[2]uint64]struct{}{},
		keyed: map[digest]ref{}, shared: map[digest][]ref{}, moved: map[identity.Ordinal]identity.DN{},
		lost: map[string]int{}, answers: map[int32]directory.Finding{}, containers: map[identity.ID]*container{}}
	err := s.update(func(tx *txn) error {
		if err := g.begin(tx); err != nil {
			return err
		}
		return g.load(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", source, err)
	}
	return g, nil
}

// load reads the index of IDs. The texts of the IDs share one piece of memory.
func (g *Stage) load(tx *txn) error {
	prefix := u64(g.num)
	var slab []byte
	var ends []int
	c := tx.Bucket(bIDs).Cursor()
	for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		iv, err := decodeIDValue(v)
		if err != nil || len(k) < 10 {
			return fmt.Errorf("%w (index of IDs: %v)", ErrCorrupt, err)
		}
		g.known = append(g.known, known{idValue: iv, kind: directory.Kind(k[8])})
		slab = append(slab, k[9:]...)
		ends = append(ends, len(slab))
	}
	text, at := string(slab), 0
	g.byID = make(map[identity.ID]int32, len(ends))
	for i, end := range ends {
		id := identity.ID(text[at:end])
		at = end
		g.known[i].id = id
		if _, twice := g.byID[id]; twice {
			// A person and a group under one ID cannot both be shown.
			return fmt.Errorf("%w (ID %s stands for a person and a group)", ErrCorrupt, id)
		}
		g.byID[id] = int32(i)
	}
	g.dns = make(map[[2]uint64]struct{}, len(ends))
	return g.loadContainers(tx)
}

// Add takes a chunk of entries. An ID or a DN that comes twice in one listing
// is an error: the directory moved while it was read, or two entries share
// what should tell them apart.
func (g *Stage) Add(entries []directory.Entry) error {
	if g.over {
		return errOver
	}
	var differ []int32 // positions in entries of those known that differ
	for i := range entries {
		known, err := g.see(&entries[i])
		if err != nil {
			return fmt.Errorf("stage %s: %w", g.source, err)
		}
		if known {
			differ = append(differ, int32(i))
		}
	}
	if len(differ) > 0 {
		if err := g.s.view(func(tx *txn) error {
			w := &words{tx: tx}
			for _, i := range differ {
				if err := g.compare(w, &entries[i]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("stage %s: %w", g.source, err)
		}
	}
	return g.flushFull()
}

// see notes that the entry was shown, and stages it if it is new. It says true
// of a known one that must be compared in full.
func (g *Stage) see(e *directory.Entry) (bool, error) {
	if err := wellFormed(e); err != nil {
		return false, err
	}
	switch {
	case e.Kind == directory.Container:
		return false, g.contains(e)
	case g.ids == nil && e.Kind == directory.Person && !e.Attributes.Coverage().Equal(g.coverage):
		return false, fmt.Errorf("%s %s was read with another coverage than the listing", e.Kind, e.DN)
	}
	h := dnHash(e.DN)
	if _, twice := g.dns[h]; twice {
		return false, fmt.Errorf("the listing shows %s twice", e.DN)
	}
	g.dns[h] = struct{}{}
	i, old := g.byID[e.ID]
	if _, twice := g.fresh[e.ID]; twice || old && g.known[i].seen {
		return false, fmt.Errorf("the listing shows the ID %s twice, last as %s", e.ID, e.DN)
	}
	if old && g.known[i].kind != e.Kind {
		return false, &hinted{text: fmt.Sprintf("%s is a %s now and was a %s", e.DN, e.Kind, g.known[i].kind),
			hint: "narrow the filters of people and groups, so that it is what it was, or neither: an ID stands for one and the same entry for ever"}
	}
	if g.ids != nil {
		g.sighted(e, h)
		return false, nil
	}
	r := ref{id: e.ID}
	if old {
		r = ref{id: g.known[i].id, ordinal: g.known[i].ordinal}
	}
	key := digest{}
	if e.Kind == directory.Person {
		g.people++
		key = rehireHash(e.RehireKey)
		g.carries(key, r)
	} else {
		g.groups++
	}
	if !old {
		g.fresh[e.ID] = struct{}{}
		if e.Kind == directory.Person && len(g.known) > 0 {
			g.newcomers = append(g.newcomers, &newcomer{ref: r, key: key, dn: h})
		}
		refs := refsOf(e)
		st := staged{differs: true, whole: e.Kind == directory.Group, key: key, e: g.read(e, entryDigest(&g.scratch, e, g.covDigest, refs), refs)}
		g.put(st.encode(&g.scratch))
		g.putRefs(stMembers, refs)
		return false, nil
	}
	k := &g.known[i]
	k.seen = true
	if k.kind == directory.Person && k.doubt == identity.Rekeyed {
		g.newcomers = append(g.newcomers, &newcomer{ref: r, key: key, dn: h})
	}
	return !k.normal() || entryDigest(&g.scratch, e, g.covDigest, refsOf(e)) != k.digest, nil
}

// carries notes who carries a rehire key.
func (g *Stage) carries(key digest, r ref) {
	if key == (digest{}) {
		return
	}
	first, twice := g.keyed[key]
	if !twice {
		g.keyed[key] = r
		return
	}
	if len(g.shared[key]) == 0 {
		g.shared[key] = []ref{first}
	}
	g.shared[key] = append(g.shared[key], r)
}
