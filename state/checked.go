package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// Every value in the file ends with a CRC-32C (Castagnoli, RFC 3720 appendix
// B.4) over the name of its bucket, its key and itself. txn, bucket and cursor
// are the only way to the file: they add it on the way in, and check and strip
// it on the way out. So what a disk changed, or moved to another key or bucket,
// is never read as data.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumSize is how many bytes of each stored value are its checksum.
const sumSize = 4

// damage is what a checked read panics with; view and update make it an error.
type damage struct {
	bucket string
	key    []byte
}

func (d damage) err() error {
	return fmt.Errorf("%w (the value of %x in %s has another checksum)", ErrCorrupt, d.key, d.bucket)
}

// txn is a transaction. It belongs to one goroutine.
type txn struct {
	tx      *bolt.Tx
	buckets map[string]*bucket
	// slab is where values are written with their checksums: bbolt wants them
	// untouched until the transaction ends.
	slab []byte
	// changed: something was written, so there is something to commit.
	changed bool
	work    Work
}

func wrap(tx *bolt.Tx) *txn { return &txn{tx: tx, buckets: make(map[string]*bucket, 8)} }

// Bucket returns nil where there is no such bucket.
func (t *txn) Bucket(name []byte) *bucket {
	if b := t.buckets[string(name)]; b != nil {
		return b
	}
	return t.keep(name, t.tx.Bucket(name))
}

func (t *txn) keep(name []byte, raw *bolt.Bucket) *bucket {
	if raw == nil {
		return nil
	}
	b := &bucket{b: raw, t: t, name: string(name), seed: crc32.Checksum(name, castagnoli)}
	t.buckets[b.name] = b
	return b
}

func (t *txn) CreateBucket(name []byte) (*bucket, error) {
	t.changed = true
	raw, err := t.tx.CreateBucket(name)
	if err != nil {
		return nil, err
	}
	return t.keep(name, raw), nil
}

func (t *txn) CreateBucketIfNotExists(name []byte) (*bucket, error) {
	t.changed = true
	raw, err := t.tx.CreateBucketIfNotExists(name)
	if err != nil {
		return nil, err
	}
	return t.keep(name, raw), nil
}

func (t *txn) DeleteBucket(name []byte) error {
	t.changed = true
	delete(t.buckets, string(name))
	return t.tx.DeleteBucket(name)
}

// empty says whether the file has no bucket at all.
func (t *txn) empty() bool {
	k, _ := t.tx.Cursor().First()
	return k == nil
}

// room returns n bytes that live as long as the transaction.
func (t *txn) room(n int) []byte {
	if cap(t.slab)-len(t.slab) < n {
		t.slab = make([]byte, 0, max(n, min(2*cap(t.slab), 64<<10), 512))
	}
	at := len(t.slab)
	t.slab = t.slab[:at+n]
	return t.slab[at : at+n : at+n]
}

// bucket is a bucket whose values carry checksums.
type bucket struct {
	b    *bolt.Bucket
	t    *txn
	name string
	seed uint32
}

// sum covers the length of the key too, so that nothing moves from the key to
// the value.
func (b *bucket) sum(key, value []byte) uint32 { return sumOf(b.seed, key, value) }

func sumOf(seed uint32, key, value []byte) uint32 {
	c := crc32.Update(seed^uint32(len(key)), castagnoli, key)
	return crc32.Update(c, castagnoli, value)
}

// summed strips the checksum of a value, and says whether it is right.
func summed(seed uint32, key, stored []byte) ([]byte, bool) {
	n := len(stored) - sumSize
	if n < 0 || binary.LittleEndian.Uint32(stored[n:]) != sumOf(seed, key, stored[:n]) {
		return nil, false
	}
	return stored[:n:n], true
}

// checked strips the checksum of a value, and panics with damage if it is not
// right. bbolt gives nil for the value of a bucket within the bucket; we make
// none.
func (b *bucket) checked(key, stored []byte) []byte {
	b.t.work.Read++
	b.t.work.ReadBytes += len(stored)
	value, ok := summed(b.seed, key, stored)
	if !ok {
		panic(damage{bucket: b.name, key: bytes.Clone(key)})
	}
	return value
}

// Get returns nil where there is no such key. The value is valid until the
// transaction ends.
func (b *bucket) Get(key []byte) []byte {
	// bbolt's Get takes a value whose flags were changed for absent; its cursor
	// shows the key.
	k, v := b.b.Cursor().Seek(key)
	if k == nil || !bytes.Equal(k, key) {
		return nil
	}
	return b.checked(k, v)
}

// Put copies the value.
func (b *bucket) Put(key, value []byte) error {
	b.t.changed = true
	b.t.work.Written++
	b.t.work.WrittenBytes += len(value)
	stored := b.t.room(len(value) + sumSize)
	copy(stored, value)
	binary.LittleEndian.PutUint32(stored[len(value):], b.sum(key, value))
	return b.b.Put(key, stored)
}

// Keep puts the value unless it stands there already: what is so already is no
// reason to commit. It is for small values that are often the same.
func (b *bucket) Keep(key, value []byte) error {
	if old := b.Get(key); old != nil && bytes.Equal(old, value) {
		return nil
	}
	return b.Put(key, value)
}

// Delete does nothing where there is no such key.
func (b *bucket) Delete(key []byte) error {
	if k, _ := b.b.Cursor().Seek(key); k == nil || !bytes.Equal(k, key) {
		return nil
	}
	b.t.changed = true
	b.t.work.Written++
	return b.b.Delete(key)
}

// ForEach calls f for each key in order; f must not change the bucket.
func (b *bucket) ForEach(f func(k, v []byte) error) error {
	return b.b.ForEach(func(k, v []byte) error { return f(k, b.checked(k, v)) })
}

func (b *bucket) Sequence() uint64 { return b.b.Sequence() }

func (b *bucket) NextSequence() (uint64, error) {
	b.t.changed = true
	return b.b.NextSequence()
}

func (b *bucket) SetSequence(n uint64) error {
	b.t.changed = true
	return b.b.SetSequence(n)
}

// fill says how full pages become when they are split, from 0 to 1.
func (b *bucket) fill(share float64) { b.b.FillPercent = share }

// Cursor must not be used after the bucket was changed.
func (b *bucket) Cursor() *cursor { return &cursor{c: b.b.Cursor(), b: b} }

// cursor walks a bucket; its key is nil at the end.
type cursor struct {
	c *bolt.Cursor
	b *bucket
}

func (c *cursor) checked(k, v []byte) ([]byte, []byte) {
	if k == nil {
		return nil, nil
	}
	return k, c.b.checked(k, v)
}

func (c *cursor) First() (k, v []byte)          { return c.checked(c.c.First()) }
func (c *cursor) Last() (k, v []byte)           { return c.checked(c.c.Last()) }
func (c *cursor) Next() (k, v []byte)           { return c.checked(c.c.Next()) }
func (c *cursor) Prev() (k, v []byte)           { return c.checked(c.c.Prev()) }
func (c *cursor) Seek(key []byte) (k, v []byte) { return c.checked(c.c.Seek(key)) }
