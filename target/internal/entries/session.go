package entries

import (
	"context"
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// session is a connection while one call uses it.
type session struct {
	t     *Accounts
	c     *ldapwire.Conn
	doing string // for errors: what the call does
	final bool   // do cannot run a second time: a write left, or somebody saw what was read
}

// with runs do on a connection. One that was kept from before may have been
// closed by the server meanwhile: then do runs once more on a new one, unless
// it was final.
func (t *Accounts) with(ctx context.Context, doing string, do func(*session) error) error {
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, err)}
	}
	kept, err := t.take()
	if err != nil {
		return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, err)}
	}
	if kept != nil {
		s := &session{t: t, c: kept, doing: doing}
		err := do(s)
		if t.keep(s.c); err == nil || s.c.Alive() || s.final || ctx.Err() != nil || !ldapwire.IsTransient(err) {
			return err
		}
	}
	c, err := ldapwire.Dial(ctx, t.cfg.Wire)
	s := &session{t: t, c: c, doing: doing}
	if err != nil {
		return s.read(err)
	}
	err = do(s)
	t.keep(s.c)
	return err
}

// take returns a connection that is open and not in use, or nil.
func (t *Accounts) take() (*ldapwire.Conn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return nil, errors.New("the target is closed")
	}
	for len(t.idle) > 0 {
		c := t.idle[len(t.idle)-1]
		t.idle = t.idle[:len(t.idle)-1]
		if c.Alive() {
			return c, nil
		}
	}
	return nil, nil
}

// keep puts a connection back.
func (t *Accounts) keep(c *ldapwire.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done || !c.Alive() {
		c.Close() //nolint:errcheck // it is not needed any more
		return
	}
	t.idle = append(t.idle, c)
}

// drop closes the connections that nobody uses.
func (t *Accounts) drop() {
	t.mu.Lock()
	idle := t.idle
	t.idle = nil
	t.mu.Unlock()
	for _, c := range idle {
		c.Close() //nolint:errcheck // it is not needed any more
	}
}

// Close closes the connections. A call that runs ends first.
func (t *Accounts) Close() error {
	t.mu.Lock()
	t.done = true
	t.mu.Unlock()
	for range cap(t.slots) { // whoever runs has one
		t.slots <- struct{}{}
	}
	t.drop()
	for range cap(t.slots) {
		<-t.slots
	}
	return nil
}

// read gives an error its class, where nothing was asked to change.
func (s *session) read(err error) error {
	if err == nil {
		return nil
	}
	if e := (*target.Error)(nil); errors.As(err, &e) {
		return err
	}
	e := s.t.classed(fmt.Errorf("%s: %w", s.doing, err))
	var limit *ldapwire.Error
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		e.Class = target.Transient
	case e.Class == target.Refused && errors.As(err, &limit) && limit.Code == 0:
		e.Class = target.Denied // no connection, and time will not mend it: TLS, a secret
	case errors.Is(err, ldapwire.ErrSizeLimit) || errors.Is(err, ldapwire.ErrTimeLimit) || errors.Is(err, ldapwire.ErrReferral):
		e.Class = target.Denied
	}
	return e
}

// write gives the error of a write its class.
func (s *session) write(err error) error {
	s.final = true
	if err == nil {
		return nil
	}
	e := s.t.classed(fmt.Errorf("%s: %w", s.doing, err))
	if ldapwire.IsInDoubt(err) {
		e.Class, e.Tip = target.InDoubt, ""
	} else if errors.Is(err, ldapwire.ErrReferral) {
		e.Class, e.Tip = target.Denied, "this server does not take writes: put the one that it names under urls"
	}
	return e
}

// classed gives an error its class and what to do about it, as the kind has it, or
// else as any directory does.
func (t *Accounts) classed(err error) *target.Error {
	e := &target.Error{Class: classOf(err), Err: err, Tip: hintOf(err)}
	var answer *ldapwire.Error
	if t.cfg.Explain != nil && errors.As(err, &answer) && answer.Code != 0 {
		if class, tip := t.cfg.Explain(answer); class != 0 {
			e.Class = class
			if tip != "" {
				e.Tip = tip
			}
		}
	}
	return e
}

// classOf is the class of an answer, doubt aside.
func classOf(err error) target.Class {
	switch {
	case errors.Is(err, ldapwire.ErrNoSuchObject), errors.Is(err, ldapwire.ErrNoEntry):
		return target.Missing
	case errors.Is(err, ldapwire.ErrAlreadyExists):
		return target.Exists
	case errors.Is(err, ldapwire.ErrInvalidCredentials), errors.Is(err, ldapwire.ErrInsufficientAccess), hasCode(err, ldapwire.CodeInappropriateAuth, ldapwire.CodeStrongAuthRequired, ldapwire.CodeConfidentiality):
		return target.Denied
	case ldapwire.IsTransient(err):
		return target.Transient
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return target.Transient
	}
	return target.Refused
}

func hasCode(err error, codes ...ldapwire.Code) bool {
	var e *ldapwire.Error
	if errors.As(err, &e) {
		for _, c := range codes {
			if e.Code == c {
				return true
			}
		}
	}
	return false
}

func refused(tip, format string, args ...any) error {
	return &target.Error{Class: target.Refused, Err: fmt.Errorf(format, args...), Tip: tip}
}

func missing(tip, format string, args ...any) error {
	return &target.Error{Class: target.Missing, Err: fmt.Errorf(format, args...), Tip: tip}
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
