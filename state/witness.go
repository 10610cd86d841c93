package state

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"

	"github.com/rosterd/rosterd/state/journal"
)

// A state cannot say of itself that it is an old one. So a small file beside it,
// the witness, is told of each commit, after it: how far the state has come, and
// whether it was closed. A state that has come less far than its witness was
// restored from a backup, or lost its last commit. The witness is not synced with
// every commit, so it may be behind after a loss of power; it is never ahead.

// position is how far a state has come.
type position struct {
	serial [8]byte
	// generation counts the files: each that is written anew has the next one.
	generation uint64
	commit     uint64 // of bbolt, in that file
	records    uint64 // of the journal
	head       journal.Hash
	// ordinal and hold are the last numbers that were given.
	ordinal, hold uint64
	// closed: nothing was written after it, and the file was closed.
	closed bool
}

// ahead says whether p has come further than q; of another state neither has.
func (p position) ahead(q position) bool {
	return p.serial == q.serial && (p.generation > q.generation || p.generation == q.generation && p.commit > q.commit)
}

// same says whether both are of the same commit.
func (p position) same(q position) bool {
	p.closed, q.closed = false, false
	return p == q
}

const (
	witnessForm = 1
	// Two slots are written in turn, so that one is whole at any instant.
	slotSize   = 512
	slotLength = 8 + 8 + 8*6 + len(journal.Hash{}) + 1
)

var witnessMagic = []byte("rosterd\x01")

func witnessPath(path string) string { return path + ".last" }

// encodeSlot writes a position; n tells the newer of two slots.
func encodeSlot(n uint64, p position) []byte {
	b := append(make([]byte, 0, slotSize), witnessMagic...)
	b = append(b, p.serial[:]...)
	for _, v := range []uint64{n, p.generation, p.commit, p.records, p.ordinal, p.hold} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = append(b, p.head[:]...)
	closed := byte(0)
	if p.closed {
		closed = 1
	}
	b = append(b, closed)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeSlot(b []byte) (n uint64, p position, whole bool) {
	if len(b) < slotLength+sumSize || !bytes.Equal(b[:8], witnessMagic) {
		return 0, p, false
	}
	if binary.BigEndian.Uint32(b[slotLength:]) != crc32.Checksum(b[:slotLength], castagnoli) || b[slotLength-1] > 1 {
		return 0, p, false
	}
	copy(p.serial[:], b[8:])
	n, p.generation, p.commit = fromU64(b[16:]), fromU64(b[24:]), fromU64(b[32:])
	p.records, p.ordinal, p.hold = fromU64(b[40:]), fromU64(b[48:]), fromU64(b[56:])
	copy(p.head[:], b[64:])
	p.closed = b[slotLength-1] == 1
	return n, p, true
}

// decodeWitness takes the newer of the slots that are whole.
func decodeWitness(b []byte) (n uint64, last position, known bool) {
	for at := 0; at < len(b); at += slotSize {
		if m, p, whole := decodeSlot(b[at:min(at+slotSize, len(b))]); whole && (!known || m > n) {
			n, last, known = m, p, true
		}
	}
	return n, last, known
}

// witness is the open file.
type witness struct {
	f    *os.File
	n    uint64
	last position
	// known: there was something to read in it.
	known bool
}

// openWitness opens the witness of a state, made if it is missing. Whoever calls
// has the lock of the state.
func openWitness(path string) (*witness, error) {
	path = witnessPath(path)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: it is no regular file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 2*slotSize)
	got, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.Join(err, f.Close())
	}
	w := &witness{f: f}
	w.n, w.last, w.known = decodeWitness(b[:got])
	return w, nil
}

// tell writes how far the state has come.
func (w *witness) tell(p position) error {
	w.n++
	w.last, w.known = p, true
	b := make([]byte, slotSize)
	copy(b, encodeSlot(w.n, p))
	_, err := w.f.WriteAt(b, int64(w.n%2)*slotSize)
	return err
}

// told tells it after a commit. A witness that cannot be told is left as it is:
// behind, and not closed.
func (w *witness) told(p position) {
	if w == nil || w.f == nil {
		return
	}
	if err := w.tell(p); err != nil {
		w.close()
	}
}

// closed notes for good that the state was closed as it is.
func (w *witness) closed() error {
	if w == nil || w.f == nil {
		return nil
	}
	defer w.close()
	if !w.known {
		return nil
	}
	p := w.last
	p.closed = true
	if err := w.tell(p); err != nil {
		return nil // it was not closed, then: its pages are checked
	}
	return w.f.Sync()
}

func (w *witness) close() {
	if w != nil && w.f != nil {
		_ = w.f.Close()
		w.f = nil
	}
}

// lookWitness reads the witness without opening it for good.
func lookWitness(path string) (last position, known bool, err error) {
	b, err := os.ReadFile(witnessPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return last, false, nil
	}
	_, last, known = decodeWitness(b[:min(len(b), 2*slotSize)])
	return last, known, err
}

// positionOf reads how far the state is, as the transaction sees it.
func positionOf(tx *txn) position {
	meta := tx.Bucket(bMeta)
	p := position{generation: fromU64(meta.Get(kGeneration)), commit: uint64(tx.tx.ID()), records: tx.Bucket(bJournal).Sequence(),
		ordinal: fromU64(meta.Get(kOrdinal)), hold: fromU64(meta.Get(kHold))}
	serial, _ := hex.DecodeString(string(meta.Get(kSerial)))
	copy(p.serial[:], serial)
	copy(p.head[:], meta.Get(kHead))
	return p
}
