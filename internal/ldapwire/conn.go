package ldapwire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Conn is a connection to one server, bound. It has one owner and does one
// operation at a time; a second one meanwhile is an ErrBusyConn. Close may be
// called by anybody.
//
// An answer of the server leaves it usable, whatever the answer is. After
// anything else (a broken connection, silence, a cancelled context, an error
// of the sink) it is closed, and every later call is an ErrDead.
type Conn struct {
	cfg     Config
	w       *wire
	l       *ldap.Conn
	server  Server
	binding int64 // requests until it was bound
	born    time.Time
	// confirmed: who we are was asked since it was bound or taken out of a session.
	confirmed bool

	mu     sync.Mutex // held by the operation that runs
	closed sync.Once
}

// Server says whom the connection was made to.
func (c *Conn) Server() Server { return c.server }

// Requests is how many requests left over the connection since it was bound,
// those for the root entry and for who we are included.
func (c *Conn) Requests() int64 { return c.w.requests.Load() - c.binding }

// Alive says whether the connection can still be used, as far as is known.
func (c *Conn) Alive() bool { return c.w.err() == nil && !c.w.quit.Load() }

// Close ends the connection; an operation that runs fails. It is idempotent.
func (c *Conn) Close() error {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		if c.Alive() {
			c.w.quit.Store(true)
			// Unbind (RFC 4511, section 4.3), as a courtesy: without an answer
			// and without waiting for a server that does not read.
			_ = c.w.Conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = c.w.Conn.Write([]byte{tagSequence, 8, tagInteger, 4, 0x7f, 0xff, 0xff, 0xff, opUnbind, 0})
			_ = c.w.raw.Close()
		}
		c.teardown()
		return nil
	}
	// Whoever runs the operation meets the error, and cleans up.
	_ = c.w.fail(ErrDead)
	return nil
}

// teardown waits until nothing of the connection runs any more. The network
// connection is closed already.
func (c *Conn) teardown() {
	c.closed.Do(func() {
		_ = c.l.Close()
		c.w.drain()
	})
}

// bounded adds the total time-out to the context.
func (c *Conn) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.cfg.TotalTimeout,
		fmt.Errorf("not done within %v (total_timeout): %w", c.cfg.TotalTimeout, context.DeadlineExceeded))
}

// fault makes the error of an operation that got no answer.
func (c *Conn) fault(op, dn string, err error) *Error {
	return &Error{Op: op, DN: dn, Server: c.server.URL, BindDN: c.cfg.who(), Err: err}
}

// acquire takes the connection for one call.
func (c *Conn) acquire(op, dn string) error {
	if !c.mu.TryLock() {
		return c.fault(op, dn, ErrBusyConn)
	}
	if !c.Alive() {
		c.mu.Unlock()
		err := error(ErrDead)
		if first := c.w.err(); first != nil && !errors.Is(first, ErrDead) {
			err = fmt.Errorf("%w after: %w", ErrDead, first)
		}
		return c.fault(op, dn, err)
	}
	return nil
}

// kill closes the connection for a reason that is not the network's.
func (c *Conn) kill(err error) {
	_ = c.w.fail(err)
	c.teardown()
}

// run does one request. The caller has acquired the connection. When it returns
// nothing runs in the lane. An answer of the server that is not success is an
// *Error with its code, and the outcome holds it.
func (c *Conn) run(ctx context.Context, op, dn string, l lane, do func() error) (outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return outcome{}, c.fault(op, dn, err)
	}
	// The network connection and nothing less is closed: go-ldap's own Close
	// waits for a peer that does not read.
	stop := context.AfterFunc(ctx, func() { _ = c.w.fail(context.Cause(ctx)) })
	c.w.begin(l)
	err := guarded(do)
	if !stop() {
		_ = c.w.fail(context.Cause(ctx))
	}
	out := c.w.end()
	first := c.w.err()
	if first == nil && err != nil && (out.sent && (out.result == nil || out.result.code == 0) || c.l.IsClosing()) {
		// go-ldap is not content with what the wire let through.
		first = c.w.fail(fmt.Errorf("%w: %w", ErrProtocol, err))
	}
	if first != nil {
		c.teardown()
		// A search with an error is none. A write that was answered was done,
		// or not, as the answer says.
		if out.result == nil || op == opNameSearch || op == opNameWatch {
			e := c.fault(op, dn, first)
			e.inDoubt = out.wrote
			return out, e
		}
	}
	if out.result == nil {
		if err == nil {
			err = fmt.Errorf("%w: no answer came", ErrProtocol)
		}
		return out, c.fault(op, dn, err) // never sent: the filter does not compile
	}
	if out.result.code != 0 {
		e := c.fault(op, dn, nil)
		e.Code, e.Matched = out.result.code, out.result.matched
		e.Diagnostic, e.Referrals = out.result.diagnostic, out.result.referrals
		return out, e
	}
	return out, nil
}

// guarded keeps a panic of the library from taking the process with it.
func guarded(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in the decoder: %v", v)
		}
	}()
	return do()
}
