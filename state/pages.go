package state

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
)

// pages walks the file of bbolt by itself and checks every page and every value.
// bbolt's own check follows what a broken page says out of the memory map, or in
// a circle, and cannot be asked while somebody writes.
type pages struct {
	ctx  context.Context
	r    io.ReaderAt
	meta metaPage
	// seen says of each page whether it was reached, or is free.
	seen []pageUse
	// each is called for each value, without its checksum, in the order of the
	// buckets and keys; it may be nil. What it is given is valid until it returns.
	each func(bucket string, key, value []byte) error
	// enters hears of each bucket, and of the last number that it gave.
	enters func(bucket string, sequence uint64)
	// lenient leaves it to the caller what values without a right checksum, and
	// buckets within buckets, mean: they may be of another form.
	lenient bool
	damaged error  // the first of them
	schema  []byte // the value that tells the form, as it is stored

	// bucket is where the walk is.
	bucket string
	seed   uint32
	values int
}

type pageUse uint8

const (
	unseen pageUse = iota
	reached
	free
)

const (
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	leafBucket   = 0x01 // of an element: its value is a bucket
	element      = 16   // size of one
	bucketHead   = 16   // root and sequence
	deepest      = 64   // no tree of ours is
)

// check walks everything that the meta page leads to. It reads nothing but r,
// so whoever writes must not free those pages meanwhile: an open transaction of
// the same commit sees to that.
func (p *pages) check(ctx context.Context, r io.ReaderAt, m metaPage) (values int, err error) {
	if p.ctx, p.r, p.meta = ctx, r, m; m.pages < 4 {
		return 0, p.broken(0, "the file has %d pages", m.pages)
	}
	p.seen = make([]pageUse, m.pages)
	p.seen[0], p.seen[1] = reached, reached
	if err := p.readFreelist(); err != nil {
		return 0, err
	}
	if err := p.tree(m.root, nil, nil, 0, true); err != nil {
		return 0, err
	}
	for n, use := range p.seen {
		if use == unseen {
			return 0, p.broken(uint64(n), "it is neither used nor free")
		}
	}
	return p.values, nil
}

func (p *pages) broken(page uint64, format string, args ...any) error {
	return fmt.Errorf("%w (page %d: %s)", ErrCorrupt, page, fmt.Sprintf(format, args...))
}

// page is one that was read, with those that belong to it.
type page struct {
	id    uint64
	flags uint16
	count int
	b     []byte // all of it
}

// use reads a page and marks it as used.
func (p *pages) use(id uint64) (page, error) {
	if err := p.ctx.Err(); err != nil {
		return page{}, err
	}
	if id < 2 || id >= p.meta.pages {
		return page{}, p.broken(id, "the file has %d pages", p.meta.pages)
	}
	size := p.meta.pageSize
	b := make([]byte, size)
	if err := p.read(b, id); err != nil {
		return page{}, err
	}
	more := uint64(native.Uint32(b[12:]))
	if native.Uint64(b) != id || more >= p.meta.pages-id {
		return page{}, p.broken(id, "it says that it is page %d, with %d more", native.Uint64(b), more)
	}
	for n := id; n <= id+more; n++ {
		if p.seen[n] != unseen {
			return page{}, p.broken(n, "it is used twice, or used and free")
		}
		p.seen[n] = reached
	}
	if more > 0 {
		b = append(b, make([]byte, int(more)*size)...)
		if err := p.read(b[size:], id+1); err != nil {
			return page{}, err
		}
	}
	return page{id: id, flags: native.Uint16(b[8:]), count: int(native.Uint16(b[10:])), b: b}, nil
}

func (p *pages) read(b []byte, id uint64) error {
	if _, err := p.r.ReadAt(b, int64(id)*int64(p.meta.pageSize)); err != nil {
		return fmt.Errorf("%w (read page %d: %w)", ErrCorrupt, id, err)
	}
	return nil
}

func (p *pages) readFreelist() error {
	if p.meta.freelist == noFreelist {
		return p.broken(0, "there is no list of free pages")
	}
	l, err := p.use(p.meta.freelist)
	if err != nil {
		return err
	}
	count, ids := uint64(l.count), l.b[pageHead:]
	if l.flags != flagFreelist {
		return p.broken(l.id, "it is no list of free pages")
	}
	if l.count == 0xFFFF && len(ids) >= 8 { // too many for the head
		count, ids = native.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return p.broken(l.id, "it lists %d free pages, and has no room for them", count)
	}
	last := uint64(1)
	for ; count > 0; count, ids = count-1, ids[8:] {
		id := native.Uint64(ids)
		if id <= last || id >= p.meta.pages || p.seen[id] != unseen {
			return p.broken(l.id, "it lists page %d as free", id)
		}
		p.seen[id], last = free, id
	}
	return nil
}

// tree walks the page and what is below it. Its keys must lie from min on and
// before end, where those are not nil. Top is the tree whose values are buckets.
func (p *pages) tree(id uint64, low, end []byte, depth int, top bool) error {
	if depth > deepest {
		return p.broken(id, "it lies too deep")
	}
	g, err := p.use(id)
	if err != nil {
		return err
	}
	switch g.flags {
	case flagLeaf:
		return p.leaf(g, low, end, depth, top)
	case flagBranch:
		return p.branch(g, low, end, depth, top)
	}
	return p.broken(id, "it is neither branch nor leaf")
}

func (p *pages) branch(g page, low, end []byte, depth int, top bool) error {
	if g.count == 0 {
		return p.broken(g.id, "it is a branch with nothing below it")
	}
	keys := make([][]byte, g.count+1)
	keys[g.count] = end
	next := pageHead + g.count*element
	for i := range g.count {
		at := pageHead + i*element
		if at+element > len(g.b) {
			return p.broken(g.id, "it has no room for its %d elements", g.count)
		}
		key, ok := cutOut(g.b, at, &next, native.Uint32(g.b[at:]), native.Uint32(g.b[at+4:]), 0)
		if !ok {
			return p.broken(g.id, "element %d is not where it should be", i)
		}
		if keys[i] = key; i > 0 {
			low = keys[i-1]
		}
		if bytes.Compare(low, key) > 0 || i > 0 && bytes.Equal(low, key) || end != nil && bytes.Compare(key, end) >= 0 {
			return p.broken(g.id, "key %d is out of order", i)
		}
	}
	for i := range g.count {
		if err := p.tree(native.Uint64(g.b[pageHead+i*element+8:]), keys[i], keys[i+1], depth+1, top); err != nil {
			return err
		}
	}
	return nil
}

func (p *pages) leaf(g page, low, end []byte, depth int, top bool) error {
	next := pageHead + g.count*element
	for i := range g.count {
		at := pageHead + i*element
		if at+element > len(g.b) {
			return p.broken(g.id, "it has no room for its %d elements", g.count)
		}
		flags, pos, size, rest := native.Uint32(g.b[at:]), native.Uint32(g.b[at+4:]), native.Uint32(g.b[at+8:]), native.Uint32(g.b[at+12:])
		both, ok := cutOut(g.b, at, &next, pos, size, rest)
		if !ok {
			return p.broken(g.id, "element %d is not where it should be", i)
		}
		key, value := both[:size:size], both[size:]
		if bytes.Compare(low, key) > 0 || i > 0 && bytes.Equal(low, key) || end != nil && bytes.Compare(key, end) >= 0 {
			return p.broken(g.id, "key %d is out of order", i)
		}
		low = key
		var err error
		switch {
		case flags == leafBucket && !top && p.lenient:
			bucket, seed := p.bucket, p.seed
			p.damaged = first(p.damaged, p.broken(g.id, "there is a bucket within %s", bucket))
			err = p.enter(g, bucket+"/"+string(key), value, depth)
			p.bucket, p.seed = bucket, seed
		case top != (flags == leafBucket) || flags > leafBucket:
			return p.broken(g.id, "element %d is not what it should be", i)
		case top:
			err = p.enter(g, string(key), value, depth)
		default:
			err = p.value(key, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter walks a bucket: its tree, or the one page that stands in its value.
func (p *pages) enter(g page, name string, value []byte, depth int) error {
	if len(value) < bucketHead {
		return p.broken(g.id, "a bucket has no root")
	}
	p.bucket, p.seed = name, crc32.Checksum([]byte(name), castagnoli)
	if p.enters != nil {
		p.enters(name, native.Uint64(value[8:]))
	}
	if root := native.Uint64(value); root != 0 {
		return p.tree(root, nil, nil, depth+1, false)
	}
	b := value[bucketHead:]
	if len(b) < pageHead || native.Uint16(b[8:]) != flagLeaf {
		return p.broken(g.id, "a bucket has no page")
	}
	return p.leaf(page{id: g.id, flags: flagLeaf, count: int(native.Uint16(b[10:])), b: b}, nil, nil, depth+1, false)
}

func (p *pages) value(key, stored []byte) error {
	if p.lenient && p.bucket == string(bMeta) && string(key) == string(kSchema) {
		p.schema = stored
	}
	value, ok := summed(p.seed, key, stored)
	if !ok {
		err := damage{p.bucket, key}.err()
		if p.damaged = first(p.damaged, err); p.lenient {
			return nil
		}
		return err
	}
	p.values++
	if p.each == nil {
		return nil
	}
	return p.each(p.bucket, key, value)
}

// cutOut is what an element at a place of a page says is its own: a key and a
// value behind it, so far from the element. bbolt writes them one after another
// behind the last element, so a count that was changed shows.
func cutOut(b []byte, at int, next *int, pos, key, value uint32) ([]byte, bool) {
	from, to := uint64(at)+uint64(pos), uint64(at)+uint64(pos)+uint64(key)+uint64(value)
	if from != uint64(*next) || to > uint64(len(b)) {
		return nil, false
	}
	*next = int(to)
	return b[from:to:to], true
}

func first(was, now error) error {
	if was != nil {
		return was
	}
	return now
}
