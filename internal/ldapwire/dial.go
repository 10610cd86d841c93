package ldapwire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	opNameSearch  = "search"
	opNameWatch   = "watch"
	opNameBind    = "bind"
	opNameConnect = "connect"
	opStartTLS    = "StartTLS"
)

// errTLS marks a failed handshake.
var errTLS = errors.New("TLS")

// Dial connects to the first of the URLs that answers, encrypts, binds, and
// asks the server who it is. The next URL is tried after anything that may be
// the fault of that one server, and after Accept; wrong credentials are not.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	var failed []error
	for _, u := range cfg.URLs {
		a, err := parseURL(u)
		if err != nil {
			return nil, err
		}
		c, err := dialOne(ctx, cfg, a)
		if err == nil && cfg.Accept == nil {
			return c, nil
		}
		unfit := false
		if err == nil {
			if err = cfg.Accept(ctx, c); err == nil {
				return c, nil
			}
			unfit = true
			_ = c.Close()
		}
		failed = append(failed, err)
		if ctx.Err() != nil || !unfit && !failsOver(err) {
			break
		}
	}
	if len(failed) == 1 {
		return nil, failed[0]
	}
	return nil, &Error{Op: opNameConnect, BindDN: cfg.who(), Err: &allFailed{failed}}
}

// allFailed is every URL with its error.
type allFailed struct{ errs []error }

func (a *allFailed) Error() string {
	return fmt.Sprintf("none of %d servers: %v", len(a.errs), errors.Join(a.errs...))
}

func (a *allFailed) Unwrap() []error { return a.errs }

// Hint is that of the first error that has one.
func (a *allFailed) Hint() string {
	for _, err := range a.errs {
		var h interface{ Hint() string }
		if errors.As(err, &h) && h.Hint() != "" {
			return h.Hint()
		}
	}
	return ""
}

// failsOver says whether another server may do better.
func failsOver(err error) bool {
	var e *Error
	if !errors.As(err, &e) || isSetting(err) {
		return false
	}
	return e.Code == 0 || e.Transient() || e.Op == opStartTLS
}

func dialOne(ctx context.Context, cfg Config, a address) (*Conn, error) {
	fault := func(op string, err error) *Error {
		return &Error{Op: op, Server: a.url, BindDN: cfg.who(), Err: err}
	}
	raw, secure, err := open(ctx, cfg, a)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.Server, e.BindDN = a.url, cfg.who()
			return nil, e
		}
		return nil, fault(opNameConnect, err)
	}
	w := newWire(secure, raw, cfg.IdleTimeout)
	c := &Conn{cfg: cfg, w: w, l: ldap.NewConn(w, true), server: Server{URL: a.url, BindDN: cfg.who()}, born: time.Now()}
	c.l.Start()
	if err := c.bind(ctx, a.host); err != nil {
		_ = c.Close()
		return nil, err
	}
	c.binding = c.w.requests.Load()
	if err := c.identify(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// open makes the network connection: raw, and what is spoken over.
func open(ctx context.Context, cfg Config, a address) (raw, secure net.Conn, err error) {
	var t *tls.Config
	if a.network == "tcp" && (a.tls || !cfg.AllowPlaintext) {
		if t, err = cfg.tlsConfig(a.host); err != nil {
			return nil, nil, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.DialTimeout, fmt.Errorf("%w (%v)", ErrIdle, cfg.DialTimeout))
	defer cancel()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 4}}
	raw, err = d.DialContext(ctx, a.network, a.target)
	if err != nil {
		return nil, nil, caused(ctx, err)
	}
	if t == nil {
		return raw, raw, nil
	}
	if !a.tls {
		if err := startTLS(ctx, raw); err != nil {
			_ = raw.Close()
			return nil, nil, err
		}
	}
	s := tls.Client(raw, t)
	if err := s.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		if ctx.Err() != nil || isNetwork(err) && !isTLSFailure(err) {
			return nil, nil, fmt.Errorf("TLS handshake: %w", caused(ctx, err))
		}
		return nil, nil, fmt.Errorf("%w: %w", errTLS, err)
	}
	return raw, s, nil
}

// caused puts the cause of a cancelled context in the place of its symptom.
func caused(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// startTLSRequest is the extended request of RFC 4511, section 4.14, with the
// message ID 1.
var startTLSRequest = append([]byte{tagSequence, 29, tagInteger, 1, 1, opExtended, 24, 0x80, 22}, "1.3.6.1.4.1.1466.20037"...)

// startTLS asks for TLS on the plain connection. It reads exactly the answer:
// whatever was slipped in behind it meets the handshake and not the directory.
func startTLS(ctx context.Context, raw net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	err := func() error {
		if _, err := raw.Write(startTLSRequest); err != nil {
			return err
		}
		head := make([]byte, 2, 256)
		if _, err := io.ReadFull(raw, head); err != nil {
			return err
		}
		if head[0] != tagSequence {
			return fmt.Errorf("%w: no LDAP server: it begins with %q", ErrProtocol, head)
		}
		if n := int(head[1]) - 0x80; n > 0 && n <= 4 {
			head = head[:2+n]
			if _, err := io.ReadFull(raw, head[2:]); err != nil {
				return err
			}
		}
		_, start, length, err := parseHeader(head)
		if err != nil || length > 64<<10 {
			return fmt.Errorf("%w: no message answers the request for TLS", ErrProtocol)
		}
		answer := append(head[:start], make([]byte, length)...)
		if _, err := io.ReadFull(raw, answer[start:]); err != nil {
			return err
		}
		m, err := parseMessage(answer)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		if m.id == 0 {
			return disconnection(m)
		}
		if m.id != 1 || m.op != opExtendedResult {
			return fmt.Errorf("%w: an answer 0x%02x to the message %d, not to the request for TLS", ErrProtocol, m.op, m.id)
		}
		r, err := parseResult(m)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		if r.code != 0 {
			return &Error{Op: opStartTLS, Code: r.code, Matched: r.matched, Diagnostic: r.diagnostic}
		}
		return nil
	}()
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Op: opStartTLS, Err: caused(ctx, err)}
}

// bind authenticates as the settings say.
func (c *Conn) bind(ctx context.Context, host string) error {
	do := func() error { return c.l.ExternalBind() }
	switch {
	case c.cfg.External:
	case c.cfg.Kerberos != nil:
		return c.bindKerberos(ctx, host)
	case c.cfg.BindDN == "":
		return nil // anonymous is what a new connection is
	default:
		password, err := c.cfg.Password()
		if err != nil {
			return c.fault(opNameBind, c.cfg.BindDN, setting(hintOf(err, "check password"), "read the password: %v", err))
		}
		// RFC 4513, section 5.1.2: with an empty password servers bind
		// successfully, as nobody.
		if password == "" {
			return c.fault(opNameBind, c.cfg.BindDN, setting("check password", "the password is empty"))
		}
		do = func() error { return c.l.Bind(c.cfg.BindDN, password) }
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire(opNameBind, c.cfg.BindDN); err != nil {
		return err
	}
	defer c.mu.Unlock()
	_, err := c.run(ctx, opNameBind, c.cfg.BindDN, nil, do)
	return err
}
