package ldapwire

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// OIDPasswordModify is the password modify operation (RFC 3062).
const OIDPasswordModify = "1.3.6.1.4.1.4203.1.11.1"

// ErrPlaintext: a password was not sent, since anybody on the way could read it.
var ErrPlaintext = errors.New("the connection is not encrypted")

// Encrypted says whether what is sent can be read on the way: over TLS and on a
// socket of this machine it cannot.
func (c *Conn) Encrypted() bool {
	return !c.cfg.AllowPlaintext || !strings.HasPrefix(strings.ToLower(c.server.URL), "ldap://")
}

// SetPassword gives the entry another password. Hashing it, and whether it is good
// enough, is the server's. It is never sent over a connection that is not encrypted,
// whatever the settings say of the bind, and no error holds any of it.
func (c *Conn) SetPassword(ctx context.Context, dn, password string) error {
	const op = "set the password of"
	switch {
	case !c.Encrypted():
		return c.fault(op, dn, ErrPlaintext)
	case password == "":
		// The server would make one, and tell it.
		return c.fault(op, dn, errors.New("the password is empty"))
	}
	_, err := c.write(ctx, op, dn, func() error {
		_, err := c.l.PasswordModify(ldap.NewPasswordModifyRequest(dn, "", password))
		return err
	})
	var e *Error
	if errors.As(err, &e) && strings.Contains(e.Diagnostic, password) {
		e.Diagnostic = strings.ReplaceAll(e.Diagnostic, password, "[secret]")
	}
	return err
}

// setsPassword says whether an extended request changes a password.
func setsPassword(m message) bool {
	c := cursor{b: m.body}
	tag, name := c.any()
	return m.op == opExtended && c.err == nil && tag == 0x80 && bytes.Equal(name, []byte(OIDPasswordModify))
}
