package ldapwire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// answers maps a request to the operations that may answer it; the last one
// ends it.
var answers = map[byte]string{
	opBindRequest: string([]byte{opBindResponse}),
	opSearch:      string([]byte{opEntry, opReference, opIntermediate, opSearchDone}),
	opModify:      string([]byte{opModifyResult}),
	opAdd:         string([]byte{opAddResult}),
	opDelete:      string([]byte{opDeleteResult}),
	opModifyDN:    string([]byte{opModifyDNResult}),
	opCompare:     string([]byte{opCompareResult}),
	opExtended:    string([]byte{opExtendedResult}),
}

// lane takes the messages of one search out of the stream, in the order of the
// wire. They are views that die on return.
type lane func(message) error

// wire is the net.Conn that go-ldap is given. Its Read hands out whole
// LDAPMessages, and only those that answer the operation that runs; with a lane
// it keeps the entries, references and intermediate responses of the next
// search for that. After the first error it is closed for good.
//
// Read is called by go-ldap's reader alone, Write by its writer alone; arm,
// collect and fail by the owner of the Conn.
type wire struct {
	net.Conn          // above TLS
	raw      net.Conn // below TLS: closing it frees whoever hangs
	idle     time.Duration

	buf  []byte
	r, n int    // what came and was not handed out: buf[r:n]
	up   []byte // the rest of the message that is being handed up
	eof  error

	reading sync.Mutex // held by Read; guards what is above

	received atomic.Int64 // octets
	requests atomic.Int64

	// patient: the operation that runs may be silent for as long as it likes.
	patient atomic.Bool

	failed atomic.Pointer[failure]
	dead   chan struct{} // closed with the first error
	quit   atomic.Bool   // Close was called: what Read meets is no news

	mu      sync.Mutex
	id      int  // of the operation that runs; 0 for none
	op      byte // of the operation that runs
	sent    bool // a request was handed to the network since begin
	wrote   bool // and it was one that changes something
	lane    lane // for the next search, and while it runs
	bound   bool // to a search since begin
	res     *result
	entries int // since begin
	refs    int
	infos   int

	burst     *burst // requests past go-ldap, while they run
	nextBurst int    // message ID
}

type failure struct{ err error }

const (
	firstBuffer = 64 << 10
	keepBuffer  = 1 << 20 // a larger one is given back after its message
)

// poison makes the buffer unreadable once a view has died. Tests set it.
var poison bool

func newWire(c, raw net.Conn, idle time.Duration) *wire {
	return &wire{Conn: c, raw: raw, idle: idle, dead: make(chan struct{})}
}

// fail keeps the first error, and closes the connection.
func (w *wire) fail(err error) error {
	if w.failed.CompareAndSwap(nil, &failure{err}) {
		close(w.dead)
	}
	_ = w.raw.Close()
	return w.err()
}

// err is the first error, or nil.
func (w *wire) err() error {
	if f := w.failed.Load(); f != nil {
		return f.err
	}
	return nil
}

// begin prepares for one operation. A lane is for a search.
func (w *wire) begin(l lane) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lane, w.bound, w.res, w.sent, w.wrote = l, false, nil, false, false
	w.entries, w.refs, w.infos = 0, 0, 0
	w.patient.Store(false)
}

// outcome is what the wire saw of an operation.
type outcome struct {
	result        *result // nil: no answer came
	sent          bool
	wrote         bool // what was sent changes something
	entries, refs int
	infos         int // intermediate responses
}

// end takes the lane away and says what was seen. When it returns nothing runs
// in the lane, and nothing will.
func (w *wire) end() outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lane = nil
	return outcome{w.res, w.sent, w.wrote, w.entries, w.refs, w.infos}
}

// Write sends one request. go-ldap hands over one whole message at a time; a
// test pins that.
func (w *wire) Write(p []byte) (int, error) {
	if err := w.err(); err != nil {
		return 0, err
	}
	m, err := parseMessage(p)
	if err != nil {
		return 0, w.fail(fmt.Errorf("%w: one request is not one message: %w", ErrProtocol, err))
	}
	if err := w.request(m); err != nil {
		return 0, w.fail(err)
	}
	// The answer is due from now on. A peer that does not take the request
	// meets this too: the reader closes the connection under the writer.
	if !w.patient.Load() {
		_ = w.Conn.SetReadDeadline(time.Now().Add(w.idle))
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		return n, w.fail(silence(err, w.idle))
	}
	return n, nil
}

// request notes what is now waited for.
func (w *wire) request(m message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := answers[m.op]; !known || m.id == 0 {
		return fmt.Errorf("%w: request 0x%02x with the message ID %d", ErrProtocol, m.op, m.id)
	}
	if w.id != 0 {
		return fmt.Errorf("%w: a request while another runs", ErrProtocol)
	}
	if w.bound {
		return fmt.Errorf("%w: a second search in the same lane", ErrProtocol)
	}
	w.id, w.op, w.sent = m.id, m.op, true
	w.requests.Add(1)
	w.wrote = m.op == opAdd || m.op == opModify || m.op == opModifyDN || m.op == opDelete || setsPassword(m)
	w.bound = w.lane != nil && m.op == opSearch
	return nil
}

// Read hands up the next octets that are for go-ldap.
func (w *wire) Read(p []byte) (int, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	for len(w.up) == 0 {
		if w.eof != nil {
			return 0, w.eof
		}
		if err := w.next(); err != nil {
			if !w.quit.Load() {
				err = w.fail(err)
			}
			w.stopped(err)
			return 0, err
		}
	}
	n := copy(p, w.up)
	w.up = w.up[n:]
	return n, nil
}

// stopped says that nothing is read from now on, and why.
func (w *wire) stopped(err error) {
	w.eof = err
	w.buf, w.up, w.r, w.n = nil, nil, 0, 0
}

// drain waits until no Read runs, and makes each later one an error. The
// network connection is closed already.
func (w *wire) drain() {
	w.reading.Lock()
	defer w.reading.Unlock()
	if w.eof == nil {
		w.stopped(net.ErrClosed)
	}
}

// Close is how go-ldap gives up, which it also does by itself when it cannot
// read what it was handed.
func (w *wire) Close() error {
	if !w.quit.Load() {
		_ = w.fail(fmt.Errorf("%w: go-ldap gave up", ErrProtocol))
	}
	return w.raw.Close()
}

// next reads one message; if it is for go-ldap, into up.
func (w *wire) next() error {
	raw, err := w.cut()
	if err != nil {
		return err
	}
	if err := w.err(); err != nil {
		return err
	}
	m, err := parseMessage(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	upward, err := w.dispatch(m)
	if upward {
		w.up = raw
	} else if poison {
		for i := range raw {
			raw[i] = 0xdb
		}
	}
	return err
}

// cut returns the next whole message as a view into the buffer.
func (w *wire) cut() ([]byte, error) {
	need := 2
	for {
		if have := w.buf[w.r:w.n]; len(have) >= need {
			tag, start, length, err := parseHeader(have)
			switch {
			case errors.Is(err, errShort):
				need = len(have) + 1
			case err != nil:
				return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
			case tag != tagSequence:
				return nil, fmt.Errorf("%w: malformed message: the tag 0x%02x is none of a message", ErrProtocol, tag)
			case len(have) >= start+length:
				end := start + length
				w.r += end
				w.received.Add(int64(end))
				return have[:end:end], nil
			default:
				need = start + length
			}
			continue
		}
		if err := w.fill(need); err != nil {
			return nil, err
		}
	}
}

// fill reads more from the network. The buffer doubles as octets arrive,
// whatever length was announced, and shrinks after a long message.
func (w *wire) fill(need int) error {
	w.n = copy(w.buf, w.buf[w.r:w.n])
	w.r = 0
	switch {
	case w.buf == nil, w.n <= firstBuffer/2 && len(w.buf) > keepBuffer && need <= firstBuffer:
		smaller := make([]byte, firstBuffer)
		copy(smaller, w.buf[:w.n])
		w.buf = smaller
	case w.n == len(w.buf):
		larger := make([]byte, min(2*len(w.buf), need+firstBuffer))
		copy(larger, w.buf)
		w.buf = larger
	}
	w.mu.Lock()
	deadline := time.Time{} // nothing is owed: wait for as long as it takes
	if w.owed() {
		deadline = time.Now().Add(w.idle)
	}
	// Under the lock, or the deadline of a request that leaves now is undone.
	_ = w.Conn.SetReadDeadline(deadline)
	w.mu.Unlock()
	n, err := w.Conn.Read(w.buf[w.n:])
	w.n += n
	if n > 0 || err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) && w.n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return silence(err, w.idle)
}

// silence gives a time-out of the network its name.
func silence(err error, idle time.Duration) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w (%v)", ErrIdle, idle)
	}
	return err
}

// dispatch decides where a message goes.
func (w *wire) dispatch(m message) (upward bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.id == 0 {
		return false, disconnection(m)
	}
	if mine, err := w.ofBurst(m); mine || err != nil {
		return false, err
	}
	if m.id != w.id {
		return false, fmt.Errorf("%w: an answer 0x%02x to the message %d, which is not asked for (now: %d)", ErrProtocol, m.op, m.id, w.id)
	}
	expected := answers[w.op]
	last := m.op == expected[len(expected)-1]
	if !last && (w.op != opSearch || m.op != opEntry && m.op != opReference && m.op != opIntermediate) {
		return false, fmt.Errorf("%w: an answer 0x%02x to a request 0x%02x", ErrProtocol, m.op, w.op)
	}
	switch m.op {
	case opEntry:
		w.entries++
	case opReference:
		w.refs++
	case opIntermediate:
		w.infos++
	}
	if last {
		if w.res, err = parseResult(m); err != nil {
			return false, fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		w.id, w.op = 0, 0
		return true, nil
	}
	if !w.bound {
		return true, nil
	}
	return false, w.divert(m)
}

// divert gives a message to the lane. A panic there is an error here.
func (w *wire) divert(m message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in the sink: %v\n%s", v, debug.Stack())
		}
	}()
	return w.lane(m)
}
