package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
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
	// Public is the rest of the public part, as JSON. It names nobody.
	Public json.RawMessage `json:"public,omitempty"`
	// Parts are what names people.
	Parts []Part `json:"-"`
}

// Part is a personal part of a record.
type Part struct {
	// Person is whom it is about: 0 for nobody who is known by number, Everybody
	// for all whom the other parts of the record are about.
	Person uint64
	// Data is JSON with a salt, which keeps the digest of a forgotten part from
	// being guessed; nil once it is forgotten.
	Data json.RawMessage
	// Digest is the hash of Data as it was written.
	Digest Hash
}

// Everybody is the person of a part that is forgotten with any of those whom the
// record is about.
const Everybody = math.MaxUint64

// Salted makes the data of a part.
func Salted(data any) (json.RawMessage, error) {
	var salt [16]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return nil, fmt.Errorf("encode journal record: %w", err)
	}
	return Plain(struct {
		Salt string `json:"salt"`
		Data any    `json:"data"`
	}{hex.EncodeToString(salt[:]), data})
}

// Plain is JSON in which only what must be is escaped, so that a text is found
// in it as it is.
func Plain(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode journal record: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Event is the data of a part without its salt; nil once it is forgotten.
func (p Part) Event() json.RawMessage {
	var out struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(p.Data, &out) != nil {
		return nil
	}
	return out.Data
}

// Hash is the head of a chain.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) error {
	if !unhex(h, b) {
		return fmt.Errorf("read hash %q: not 64 hexadecimal digits", b)
	}
	return nil
}

// Sealed is a record as it is kept: encoded, with its hash.
type Sealed struct {
	Record
	Hash Hash
}

// ErrChain says that the journal was changed, or cut, after it was written.
var ErrChain = errors.New("the chain of the journal is broken")

var errForm = errors.New("decode journal record: it is none, or cut short")

// A record is a line "r HASH PUBLIC", and a line "p PERSON DIGEST DATA" for each
// personal part; DATA is "-" once it is forgotten.
const (
	recordWord = "r "
	partWord   = "p "
	gone       = "-"
)

// Seal encodes the record as the one after last, and returns its bytes and its
// hash. The same record after the same head gives the same bytes.
func Seal(last Hash, r Record) ([]byte, Hash, error) {
	r.Time = r.Time.UTC().Round(0)
	public, err := Plain(r)
	if err != nil {
		return nil, Hash{}, err
	}
	parts := make([]rawPart, len(r.Parts))
	for i, p := range r.Parts {
		if len(p.Data) == 0 || bytes.ContainsAny(p.Data, "\n") || string(p.Data) == gone {
			return nil, Hash{}, fmt.Errorf("encode journal record: part %d is no JSON on one line", i)
		}
		digest := Hash(sha256.Sum256(p.Data))
		parts[i] = rawPart{person: personWord(p.Person), digest: []byte(digest.String()), data: p.Data}
	}
	h := chain(last, public, parts)
	return encode(public, h, parts), h, nil
}

func personWord(n uint64) []byte {
	if n == Everybody {
		return []byte("*")
	}
	return strconv.AppendUint(nil, n, 10)
}

// rawPart is a part as it is written.
type rawPart struct{ person, digest, data []byte }

func (p rawPart) forgotten() bool { return string(p.data) == gone }

func (p rawPart) number() (uint64, error) {
	if string(p.person) == "*" {
		return Everybody, nil
	}
	n, err := strconv.ParseUint(string(p.person), 10, 64)
	if err != nil || !bytes.Equal(personWord(n), p.person) || n == Everybody {
		return 0, errForm
	}
	return n, nil
}

// chain hashes the head before in hex, the public part, and whom each personal
// part is about with its digest, each on a line.
func chain(last Hash, public []byte, parts []rawPart) Hash {
	d := sha256.New()
	line := func(words ...[]byte) {
		for _, w := range words {
			d.Write(w)
		}
		d.Write([]byte{'\n'})
	}
	line([]byte(last.String()))
	line(public)
	for _, p := range parts {
		line(p.person, []byte{' '}, p.digest)
	}
	var h Hash
	d.Sum(h[:0])
	return h
}

func encode(public []byte, h Hash, parts []rawPart) []byte {
	n := len(public) + 80
	for _, p := range parts {
		n += len(p.data) + 100
	}
	out := append(make([]byte, 0, n), recordWord...)
	out = append(hex.AppendEncode(out, h[:]), ' ')
	out = append(append(out, public...), '\n')
	for _, p := range parts {
		out = append(out, partWord...)
		for _, w := range [][]byte{p.person, p.digest, p.data} {
			out = append(append(out, w...), ' ')
		}
		out[len(out)-1] = '\n'
	}
	return out
}

// split cuts an encoded record into its parts, which are views.
func split(b []byte) (public []byte, h Hash, parts []rawPart, err error) {
	for first := true; len(b) > 0; first = false {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return nil, h, nil, errForm
		}
		line := b[:end]
		b = b[end+1:]
		word := partWord
		if first {
			word = recordWord
		}
		rest, ok := bytes.CutPrefix(line, []byte(word))
		if !ok {
			return nil, h, nil, errForm
		}
		if first {
			var text []byte
			if text, public, ok = bytes.Cut(rest, []byte{' '}); !ok || !unhex(&h, text) {
				return nil, h, nil, errForm
			}
			continue
		}
		var p rawPart
		if p.person, rest, ok = bytes.Cut(rest, []byte{' '}); !ok {
			return nil, h, nil, errForm
		}
		if p.digest, p.data, ok = bytes.Cut(rest, []byte{' '}); !ok || len(p.data) == 0 {
			return nil, h, nil, errForm
		}
		parts = append(parts, p)
	}
	if public == nil {
		return nil, h, nil, errForm
	}
	return public, h, parts, nil
}

// unhex reads a hash in lower-case hex.
func unhex(h *Hash, text []byte) bool {
	n, err := hex.Decode(h[:], text[:min(len(text), 2*sha256.Size)])
	return err == nil && n == len(h) && len(text) == 2*n && string(text) == h.String()
}

// Decode reads an encoded record; nothing in it is a view of b.
func Decode(b []byte) (Sealed, error) {
	public, h, parts, err := split(b)
	if err != nil {
		return Sealed{}, err
	}
	var r Record
	if err := json.Unmarshal(public, &r); err != nil {
		return Sealed{}, fmt.Errorf("decode journal record: %w", err)
	}
	for _, raw := range parts {
		var p Part
		if p.Person, err = raw.number(); err != nil || !unhex(&p.Digest, raw.digest) {
			return Sealed{}, errForm
		}
		if !raw.forgotten() {
			p.Data = bytes.Clone(raw.data)
		}
		r.Parts = append(r.Parts, p)
	}
	return Sealed{Record: r, Hash: h}, nil
}

// Forget returns the encoded record without the data of the parts that are
// chosen, and which those were; its hash stays. What is forgotten already is not
// offered.
func Forget(b []byte, chosen func(person uint64, data []byte) bool) ([]byte, []int, error) {
	public, h, parts, err := split(b)
	if err != nil {
		return nil, nil, err
	}
	var out []int
	for i, p := range parts {
		n, err := p.number()
		if err != nil {
			return nil, nil, err
		}
		if !p.forgotten() && chosen(n, p.data) {
			parts[i].data = []byte(gone)
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return b, nil, nil
	}
	return encode(public, h, parts), out, nil
}

// Absent is a personal part that is gone.
type Absent struct {
	Part   int
	Person uint64
}

// Gone are the personal parts of an encoded record that were forgotten.
func Gone(b []byte) ([]Absent, error) {
	_, _, parts, err := split(b)
	if err != nil {
		return nil, err
	}
	var out []Absent
	for i, p := range parts {
		if !p.forgotten() {
			continue
		}
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		out = append(out, Absent{i, n})
	}
	return out, nil
}

// People are those whom the personal parts of an encoded record are about.
func People(b []byte) ([]uint64, error) {
	_, _, parts, err := split(b)
	if err != nil {
		return nil, err
	}
	out := make([]uint64, 0, len(parts))
	for _, p := range parts {
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// Check verifies that the encoded record is number seq and follows last, and
// returns its hash. A personal part that is still there must be the one that
// was written.
func Check(last Hash, seq uint64, b []byte) (Hash, error) {
	public, h, parts, err := split(b)
	if err != nil {
		return Hash{}, fmt.Errorf("%w at record %d: %v", ErrChain, seq, err)
	}
	if chain(last, public, parts) != h {
		return Hash{}, fmt.Errorf("%w at record %d: its hash does not follow from the one before", ErrChain, seq)
	}
	for _, p := range parts {
		if p.forgotten() {
			continue
		}
		if digest := Hash(sha256.Sum256(p.data)); digest.String() != string(p.digest) {
			return Hash{}, fmt.Errorf("%w at record %d: its personal part was changed", ErrChain, seq)
		}
	}
	var r Record
	if err := json.Unmarshal(public, &r); err != nil || r.Seq != seq {
		return Hash{}, fmt.Errorf("%w at record %d: it is numbered %d", ErrChain, seq, r.Seq)
	}
	if _, err := Decode(b); err != nil {
		return Hash{}, fmt.Errorf("%w at record %d: %v", ErrChain, seq, err)
	}
	return h, nil
}
