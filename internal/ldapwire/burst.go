package ldapwire

import (
	"fmt"
	"time"
)

// burst are requests of one kind that are under way together, past go-ldap. Their
// message IDs lie above those that go-ldap counts up from 1.
type burst struct {
	op    byte
	first int
	sent  int    // requests that were handed to the network
	open  int    // of those, without an answer
	seen  []bool // answered, by position

	// answers has room for all that are open, so that the reader never waits for
	// whoever takes them.
	answers chan burstAnswer
}

// burstAnswer is the answer to one of them.
type burstAnswer struct {
	at     int
	result *result
}

const (
	// firstBurstID is above what go-ldap gets to in the life of a connection.
	firstBurstID = 1 << 30
	lastBurstID  = 1<<31 - 2 // the last of all is that of our unbind
)

// beginBurst makes the wire take answers to as many requests as most, of which
// window may be open at a time.
func (w *wire) beginBurst(op byte, most, window int) *burst {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nextBurst < firstBurstID || w.nextBurst > lastBurstID-most {
		w.nextBurst = firstBurstID
	}
	b := &burst{op: op, first: w.nextBurst, seen: make([]bool, most), answers: make(chan burstAnswer, window)}
	w.nextBurst += most
	w.burst = b
	return b
}

// endBurst takes no more answers. What is still open is told by no one: the
// connection is closed then.
func (w *wire) endBurst() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.burst = nil
}

// writeBurst sends n more requests, which are whole messages one behind the
// other. With an error some of them may have left.
func (w *wire) writeBurst(b *burst, requests []byte, n int) error {
	if err := w.err(); err != nil {
		return err
	}
	w.mu.Lock()
	b.sent += n
	b.open += n
	w.requests.Add(int64(n))
	w.mu.Unlock()
	_ = w.Conn.SetReadDeadline(time.Now().Add(w.idle))
	if _, err := w.Conn.Write(requests); err != nil {
		return w.fail(silence(err, w.idle))
	}
	return nil
}

// owed says whether an answer is due within the idle time-out. The caller has
// the lock.
func (w *wire) owed() bool {
	return w.id != 0 && !w.patient.Load() || w.burst != nil && w.burst.open > 0
}

// ofBurst takes an answer to one of the burst, and says whether it was one. The
// caller has the lock.
func (w *wire) ofBurst(m message) (bool, error) {
	b := w.burst
	if b == nil || m.id < b.first || m.id >= b.first+b.sent {
		return false, nil
	}
	at, expected := m.id-b.first, answers[b.op]
	if b.seen[at] || m.op != expected[0] {
		return true, fmt.Errorf("%w: an answer 0x%02x to the request 0x%02x with the message ID %d (answered before: %v)", ErrProtocol, m.op, b.op, m.id, b.seen[at])
	}
	r, err := parseResult(m)
	if err != nil {
		return true, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	b.seen[at] = true
	b.open--
	b.answers <- burstAnswer{at, r}
	return true, nil
}
