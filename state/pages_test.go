package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// walkFile is what the walk says of a file that nobody has open.
func walkFile(t tester, path string) (int, error) {
	t.Helper()
	b, err := os.ReadFile(path)
	ok(t, err)
	return walkBytes(b)
}

func walkBytes(b []byte) (int, error) {
	r := bytes.NewReader(b)
	m, err := readMetas(r, int64(len(b)))
	if err != nil {
		return 0, err
	}
	return new(pages).check(context.Background(), r, m.newest)
}

// site is a state with branches, leaves, pages that span several, buckets that
// stand in their parent's page, and free pages.
func site(t *testing.T) (path string, before map[string]string) {
	t.Helper()
	k := crowded(t)
	ok(t, k.s.SavePolicy(PolicyRecord{Hash: "h", Text: strings.Repeat("a long text ", 3000)}))
	ok(t, k.s.Note("more", 1, nil))
	before = content(t, k.s)
	ok(t, k.s.Close())
	k.s = nil
	return k.path, before
}

func TestTheWalkAgreesWithBbolt(t *testing.T) {
	path, before := site(t)
	n, err := walkFile(t, path)
	ok(t, err)
	buckets := 0
	db, err := bolt.Open(path, 0o600, nil)
	ok(t, err)
	defer db.Close()
	ok(t, db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return tx.ForEach(func([]byte, *bolt.Bucket) error { buckets++; return nil })
	}))
	if n != len(before)-buckets+1 { // the generation is not in it
		t.Fatalf("%d values were seen of %d", n, len(before)-buckets+1)
	}
}

// A byte that is changed anywhere is found, or changes nothing of what is read.
// Nothing panics, hangs or reads other data.
func TestEveryKindOfChangedByteIsFoundOrHarmless(t *testing.T) {
	path, before := site(t)
	whole, err := os.ReadFile(path)
	ok(t, err)
	witness, err := os.ReadFile(witnessPath(path))
	ok(t, err)
	m, err := readMetas(bytes.NewReader(whole), int64(len(whole)))
	ok(t, err)
	size := m.newest.pageSize
	places := map[string][]int{}
	for id := range int(m.newest.pages) {
		p := whole[id*size : (id+1)*size]
		kind := map[uint16]string{flagBranch: "branch", flagLeaf: "leaf", flagFreelist: "freelist", 4: "meta"}[native.Uint16(p[8:])]
		if kind == "" || native.Uint64(p) != uint64(id) {
			continue
		}
		for i := range pageHead {
			places[kind+" head"] = append(places[kind+" head"], id*size+i)
		}
		count := int(native.Uint16(p[10:]))
		switch kind {
		case "meta":
			count = metaSize
		case "freelist":
			count *= 8
		default:
			count *= element
		}
		for i := pageHead; i < min(pageHead+count, size); i++ {
			places[kind+" list"] = append(places[kind+" list"], id*size+i)
		}
		for i := pageHead + count; i < size; i += 7 {
			places[kind+" body"] = append(places[kind+" body"], id*size+i)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	found, harmless := map[string]int{}, map[string]int{}
	for kind, at := range places {
		for range min(25, len(at)) {
			changed := bytes.Clone(whole)
			i, bit := at[r.IntN(len(at))], byte(1)<<r.IntN(8)
			changed[i] ^= bit
			if err := reopened(t, changed, witness, before); err != nil {
				found[kind]++
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, errNoticed) {
					t.Errorf("seed %d: bit %d of byte %d (%s): %v", seed, bit, i, kind, err)
				}
				continue
			}
			harmless[kind]++
		}
	}
	t.Logf("seed %d: found %v, harmless %v", seed, found, harmless)
	for _, kind := range []string{"branch head", "branch list", "leaf head", "leaf list", "leaf body", "freelist head", "freelist list", "meta list"} {
		if found[kind] == 0 {
			t.Errorf("seed %d: nothing was found in %s", seed, kind)
		}
	}
}

// errNoticed: it is said that the state may be old, or that a page is damaged.
var errNoticed = errors.New("noticed")

// reopened opens a file and checks it. Without an error it says what it said before.
func reopened(t *testing.T, file, witness []byte, before map[string]string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.db")
	ok(t, os.WriteFile(path, file, 0o600))
	ok(t, os.WriteFile(witnessPath(path), witness, 0o600))
	s, err := Open(path, Options{Now: at})
	if err != nil {
		return err
	}
	defer s.Close()
	if s.Opening().Restored != nil || s.Opening().Torn {
		return errNoticed
	}
	c, err := s.Check(t.Context())
	if err != nil {
		return err
	}
	if len(c.Problems) > 0 {
		return fmt.Errorf("%w: %v", ErrCorrupt, c.Problems)
	}
	if after := content(t, s); !maps.Equal(after, before) {
		for k, v := range before {
			var was, is uint64
			_, err := fmt.Sscanf(v+"\n"+after[k], "sequence %d\nsequence %d", &was, &is)
			if after[k] != v && (err != nil || is < was) { // a gap in the numbers does no harm
				return fmt.Errorf("%q is read in another way, and nothing is found", k)
			}
		}
		if len(after) > len(before) {
			return errors.New("more is read than was there")
		}
	}
	return nil
}

// A file cut short anywhere is found when it is opened.
func TestAFileCutShortIsFoundAtOpen(t *testing.T) {
	path, _ := site(t)
	whole, err := os.ReadFile(path)
	ok(t, err)
	m, err := readMetas(bytes.NewReader(whole), int64(len(whole)))
	ok(t, err)
	end := int(m.newest.pages) * m.newest.pageSize
	for range 60 {
		cut := 1 + rand.IntN(end-1)
		ok(t, os.WriteFile(path, whole[:cut], 0o600))
		s, err := Open(path, Options{Now: at})
		if err == nil {
			s.Close()
			t.Fatalf("cut at %d of %d: opened", cut, end)
		}
		var hint interface{ Hint() string }
		if !errors.Is(err, ErrCorrupt) || !errors.As(err, &hint) || hint.Hint() == "" {
			t.Fatalf("cut at %d of %d: %v", cut, end, err)
		}
	}
}

func TestMetasOfAnotherPageSize(t *testing.T) {
	for _, size := range []int{1 << 10, 1 << 12, 1 << 14, 1 << 16} {
		path := filepath.Join(t.TempDir(), "s.db")
		db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: size})
		ok(t, err)
		ok(t, db.Update(func(tx *bolt.Tx) error {
			b, err := wrap(tx).CreateBucket(bMeta)
			if err != nil {
				return err
			}
			return b.Put([]byte("a"), []byte("b"))
		}))
		ok(t, db.Close())
		whole, err := os.ReadFile(path)
		ok(t, err)
		if n, err := walkBytes(whole); n != 1 || err != nil {
			t.Errorf("page size %d: %d values, %v", size, n, err)
		}
		both, err := readMetas(bytes.NewReader(whole), int64(len(whole)))
		ok(t, err)
		if both.torn || both.newest.tx != both.before.tx+1 {
			t.Errorf("page size %d: %+v", size, both)
		}
		for _, at := range []int{0, size} {
			torn := bytes.Clone(whole)
			torn[at+pageHead+20] ^= 1
			m, err := readMetas(bytes.NewReader(torn), int64(len(torn)))
			if err != nil || !m.torn || m.newest.pageSize != size {
				t.Errorf("page size %d, meta page at %d torn: %+v %v", size, at, m, err)
			}
		}
	}
}

// Whatever stands in a file, the walk ends, and does not panic.
func FuzzPages(f *testing.F) {
	path := filepath.Join(f.TempDir(), "s.db")
	s, err := Open(path, Options{Now: at})
	ok(f, err)
	ok(f, s.Note("a", 1, "b"))
	ok(f, s.Close())
	whole, err := os.ReadFile(path)
	ok(f, err)
	m, err := readMetas(bytes.NewReader(whole), int64(len(whole)))
	ok(f, err)
	whole = whole[:int(m.newest.pages)*m.newest.pageSize]
	f.Add(uint32(5000), []byte{1, 2, 3})
	f.Add(uint32(len(whole)-2), []byte{0xFF})
	f.Fuzz(func(t *testing.T, at uint32, change []byte) {
		b := bytes.Clone(whole)
		// The checksum of the meta page would hide what is behind it.
		copy(b[2*m.newest.pageSize+int(at)%(len(b)-2*m.newest.pageSize):], change)
		if _, err := walkBytes(b); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
