package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Record is one event.
type Record struct {
	// Seq counts from 1 without a gap.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	// Kind is "intent", "outcome", "approve", "reject", "deny" …
	Kind  string `json:"kind"`
	Cycle string `json:"cycle,omitempty"`
	// Target, Action (the verb) and Situation are of writes.
	Target    string `json:"target,omitempty"`
	Action    string `json:"action,omitempty"`
	Situation string `json:"situation,omitempty"`
	// Person is rosterd's own number, which says nothing by itself.
	Person uint64 `json:"person,omitempty"`
	// Public is the rest of the public part, as JSON.
	Public json.RawMessage `json:"public,omitempty"`
	// Personal is the part that names a person, as JSON; nil once forgotten.
	Personal json.RawMessage `json:"-"`
}

// Hash is the head of a chain.
type Hash [sha256.Size]byte

// Sealed is a record as it is kept: encoded, with its hash.
type Sealed struct {
	Record
	Hash Hash
}

// ErrChain says that the journal was changed, or cut, after it was written.
var ErrChain = errors.New("the chain of the journal is broken")

var errShort = errors.New("decode journal record: it is cut short")

// Seal encodes the record as the one after last, and returns its bytes and its
// hash. The same record after the same head gives the same bytes.
func Seal(last Hash, r Record) ([]byte, Hash, error) {
	r.Time = r.Time.UTC().Round(0)
	public, err := json.Marshal(r)
	if err != nil {
		return nil, Hash{}, fmt.Errorf("encode journal record: %w", err)
	}
	personal := sha256.Sum256(r.Personal)
	h := chain(last, public, personal)
	return encode(public, personal, h, r.Personal), h, nil
}

func chain(last Hash, public []byte, personal [sha256.Size]byte) Hash {
	d := sha256.New()
	d.Write(last[:])
	d.Write(public)
	d.Write(personal[:])
	var h Hash
	d.Sum(h[:0])
	return h
}

// form is the first byte of an encoded record.
const form = 1

func encode(public []byte, digest [sha256.Size]byte, h Hash, personal []byte) []byte {
	out := append(make([]byte, 0, len(public)+len(personal)+75), form)
	out = append(append(out, digest[:]...), h[:]...)
	out = binary.AppendUvarint(out, uint64(len(public)))
	out = append(out, public...)
	return append(out, personal...)
}

// split cuts an encoded record into its parts, which are views.
func split(b []byte) (public []byte, digest [sha256.Size]byte, h Hash, personal []byte, err error) {
	if len(b) < 1+2*sha256.Size {
		return nil, digest, h, nil, errShort
	}
	if b[0] != form {
		return nil, digest, h, nil, fmt.Errorf("decode journal record: form %d is not known", b[0])
	}
	b = b[1:]
	b = b[copy(digest[:], b):]
	b = b[copy(h[:], b):]
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, digest, h, nil, errShort
	}
	b = b[used:]
	return b[:n], digest, h, b[n:], nil
}

// Decode reads an encoded record; nothing in it is a view of b.
func Decode(b []byte) (Sealed, error) {
	public, _, h, personal, err := split(b)
	if err != nil {
		return Sealed{}, err
	}
	var r Record
	if err := json.Unmarshal(public, &r); err != nil {
		return Sealed{}, fmt.Errorf("decode journal record: %w", err)
	}
	if len(personal) > 0 {
		r.Personal = append(json.RawMessage(nil), personal...)
	}
	return Sealed{Record: r, Hash: h}, nil
}

// Forget returns the encoded record without its personal part; its hash stays.
func Forget(b []byte) ([]byte, error) {
	public, digest, h, _, err := split(b)
	if err != nil {
		return nil, err
	}
	return encode(public, digest, h, nil), nil
}

// Check verifies that the encoded record is number seq and follows last, and
// returns its hash. A personal part that is still there must be the one that
// was written.
func Check(last Hash, seq uint64, b []byte) (Hash, error) {
	public, digest, h, personal, err := split(b)
	if err != nil {
		return Hash{}, fmt.Errorf("%w at record %d: %v", ErrChain, seq, err)
	}
	if chain(last, public, digest) != h {
		return Hash{}, fmt.Errorf("%w at record %d: its hash does not follow from the one before", ErrChain, seq)
	}
	if len(personal) > 0 && sha256.Sum256(personal) != digest {
		return Hash{}, fmt.Errorf("%w at record %d: its personal part was changed", ErrChain, seq)
	}
	var r Record
	if err := json.Unmarshal(public, &r); err != nil || r.Seq != seq {
		return Hash{}, fmt.Errorf("%w at record %d: it is numbered %d", ErrChain, seq, r.Seq)
	}
	return h, nil
}
