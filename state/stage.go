package state

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Stage takes one listing of one source: what differs from the snapshot is
// written beside it, of what does not only a bit is kept. Until Seal nothing
// of it counts. It is used by one goroutine.
type Stage struct {
	s          *Store
	source     string
	num        uint64
	coverage   identity.Coverage
	covNum     uint64
	covDigest  digest
	generation uint64
	taken      directory.Knowledge // from what the snapshot was
	shownIn    uint64              // in which coverage it is
	ids        *sweep              // nil where whole entries come
	over       bool

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

	people, groups, changed int
	next                    uint64
	buffer                  [][]byte
	size                    int
	scratch                 writer
}

// known is an entry of the snapshot.
type known struct {
	idValue
	id   identity.ID
	kind directory.Kind
	seen bool
}

// settled: no listing changes anything by not showing it.
func (k *known) settled() bool { return k.standing >= identity.OutOfScope }

// normal: it is as an entry that was seen.
func (k *known) normal() bool {
	return (k.standing == identity.Active || k.standing == identity.Disabled) && k.doubt == identity.NoDoubt
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

// Known is what had been seen by whoever the snapshot was taken from.
func (g *Stage) Known() directory.Knowledge { return g.taken }

// flushAt is how many bytes are held before they are written.
const flushAt = 8 << 20

var (
	errOver   = errors.New("the stage was sealed or discarded already")
	dnSeed1   = maphash.MakeSeed()
	dnSeed2   = maphash.MakeSeed()
	kSealed   = []byte("sealed")
	kProgress = []byte("progress")
	kChanges  = []byte("changes")
)

func dnHash(dn identity.DN) [2]uint64 {
	return [2]uint64{maphash.String(dnSeed1, dn.Key()), maphash.String(dnSeed2, dn.Key())}
}

func sealed(tx *txn) bool { return tx.Bucket(bStageMeta).Get(kSealed) != nil }

// Stage begins a listing of the source. A stage that was not sealed is
// discarded; one that was sealed and not drained is the error ErrUndrained.
func (s *Store) Stage(source string, coverage identity.Coverage) (*Stage, error) {
	if source == "" {
		return nil, errors.New("stage: no source")
	}
	g := &Stage{s: s, source: source, coverage: coverage, covDigest: coverageDigest(coverage),
		byID: map[identity.ID]int32{}, fresh: map[identity.ID]struct{}{}, dns: map[[2]uint64]struct{}{},
		keyed: map[digest]ref{}, shared: map[digest][]ref{}, moved: map[identity.Ordinal]identity.DN{},
		lost: map[string]int{}, answers: map[int32]directory.Finding{}}
	err := s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		if err := emptyStage(tx); err != nil {
			return err
		}
		r, err := makeSource(tx, source)
		if err != nil {
			return err
		}
		g.num, g.taken, g.shownIn = r.Num, r.Knowledge, r.Coverage
		g.generation = fromU64(tx.Bucket(bMeta).Get(kChanges))
		if g.covNum, err = makeCoverage(tx, coverage); err != nil {
			return err
		}
		return g.load(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", source, err)
	}
	return g, nil
}

func emptyStage(tx *txn) error {
	if k, _ := tx.Bucket(bStage).Cursor().First(); k == nil {
		return nil
	}
	if err := tx.DeleteBucket(bStage); err != nil {
		return err
	}
	_, err := tx.CreateBucket(bStage)
	return err
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
	return nil
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
	if g.size >= flushAt {
		return g.flush()
	}
	return nil
}

// see notes that the entry was shown, and stages it if it is new. It says true
// of a known one that must be compared in full.
func (g *Stage) see(e *directory.Entry) (bool, error) {
	switch {
	case e.Kind != directory.Person && e.Kind != directory.Group:
		return false, fmt.Errorf("entry %s is neither a person nor a group", e.DN)
	case e.ID == "" || len(e.ID) > maxID:
		return false, fmt.Errorf("%s %s has no ID, or one that is too long", e.Kind, e.DN)
	case e.DN.IsZero():
		return false, fmt.Errorf("%s %s has no DN", e.Kind, e.ID)
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
		return false, fmt.Errorf("%s is a %s now and was a %s", e.DN, e.Kind, g.known[i].kind)
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
		g.putRefs(stDiff, signed('+', refs))
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

func (g *Stage) put(b []byte) {
	g.buffer = append(g.buffer, b)
	g.size += len(b)
}

func (g *Stage) putRefs(form byte, refs []string) {
	for chunk := range slices.Chunk(refs, memberChunk) {
		g.put(encodeRefs(form, chunk))
	}
}

// flush writes what is held, in order.
func (g *Stage) flush() error {
	if len(g.buffer) == 0 {
		return nil
	}
	err := g.s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		b := tx.Bucket(bStage)
		b.fill(0.9)
		for i, v := range g.buffer {
			if err := b.Put(u64(g.next+uint64(i)+1), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write stage: %w", err)
	}
	g.next += uint64(len(g.buffer))
	g.buffer, g.size = g.buffer[:0], 0
	return nil
}

// Discard throws the stage away. After Seal it does nothing.
func (g *Stage) Discard() error {
	if g.over {
		return nil
	}
	g.over = true
	g.buffer = nil
	if err := g.s.update(func(tx *txn) error {
		if sealed(tx) {
			return nil
		}
		return emptyStage(tx)
	}); err != nil {
		return fmt.Errorf("discard stage: %w", err)
	}
	return nil
}
