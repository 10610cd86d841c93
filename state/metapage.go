package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The file of bbolt begins with two meta pages. Each commit writes the one that is
// not the newest; whatever opens the file takes the newest that is whole. So one
// that is damaged takes the last commit back, and bbolt says nothing of it.

// metaPage is what a meta page says.
type metaPage struct {
	pageSize       int
	root, freelist uint64 // numbers of pages
	pages          uint64 // how many the file has in use
	tx             uint64 // the commit that wrote it
}

const (
	pageHead   = 16 // number, flags, count, overflow
	metaSize   = 64
	metaMagic  = 0xED0CDAED
	metaFormat = 2
	noFreelist = ^uint64(0)
)

// bbolt writes its pages as the machine has its numbers.
var native = binary.NativeEndian

var errMeta = errors.New("no meta page of bbolt")

// parseMeta reads a meta page, behind its head.
func parseMeta(b []byte) (metaPage, error) {
	h := fnv.New64a()
	if len(b) < metaSize || native.Uint32(b) != metaMagic || native.Uint32(b[4:]) != metaFormat {
		return metaPage{}, errMeta
	}
	_, _ = h.Write(b[:metaSize-8])
	m := metaPage{pageSize: int(native.Uint32(b[8:])), root: native.Uint64(b[16:]), freelist: native.Uint64(b[32:]), pages: native.Uint64(b[40:]), tx: native.Uint64(b[48:])}
	if native.Uint64(b[56:]) != h.Sum64() || m.pageSize < 1<<10 || m.pageSize > 16<<20 || m.pageSize&(m.pageSize-1) != 0 {
		return metaPage{}, errMeta
	}
	return m, nil
}

// metas are the two meta pages of a file.
type metas struct {
	newest metaPage
	// before is the other one; torn says that it is damaged.
	before metaPage
	torn   bool
}

// readMetas reads both. The error, where none is whole or the file is shorter
// than the newest says, Is ErrCorrupt.
func readMetas(r io.ReaderAt, size int64) (metas, error) {
	first, err := metaAt(r, 0)
	if err == nil {
		second, err2 := metaAt(r, int64(first.pageSize))
		return metas{newest: first, before: second, torn: err2 != nil}.ordered(size)
	}
	// Where the second one stands only the first one tells.
	for at := int64(1 << 10); at <= 16<<20 && at < size; at *= 2 {
		if second, err := metaAt(r, at); err == nil && int64(second.pageSize) == at {
			return metas{newest: second, torn: true}.ordered(size)
		}
	}
	return metas{}, fmt.Errorf("%w (%w)", ErrCorrupt, err)
}

func metaAt(r io.ReaderAt, at int64) (metaPage, error) {
	b := make([]byte, metaSize)
	if _, err := r.ReadAt(b, at+pageHead); err != nil {
		return metaPage{}, fmt.Errorf("%w: %w", errMeta, err)
	}
	return parseMeta(b)
}

func (m metas) ordered(size int64) (metas, error) {
	if !m.torn && m.before.tx > m.newest.tx {
		m.newest, m.before = m.before, m.newest
	}
	if want := int64(m.newest.pages) * int64(m.newest.pageSize); m.newest.pages > 1<<40 || size < want {
		return m, fmt.Errorf("%w (it is cut short: %d bytes, and at least %d belong to it)", ErrCorrupt, size, want)
	}
	return m, nil
}

// of is the one that a commit wrote.
func (m metas) of(tx uint64) (metaPage, bool) {
	switch {
	case m.newest.tx == tx:
		return m.newest, true
	case !m.torn && m.before.tx == tx:
		return m.before, true
	}
	return metaPage{}, false
}
