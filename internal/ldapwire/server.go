package ldapwire

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// Server is what a server said of itself when the connection was made.
type Server struct {
	// URL is the one of the settings that answered.
	URL string
	// BindDN is the name that was bound as.
	BindDN string
	// AuthzID is who the server takes us for (RFC 4532), such as
	// "dn:cn=rosterd,…"; empty if it does not say or the bind is anonymous.
	AuthzID string
	// RootDSE is the root entry; without a DN and attributes if it is hidden.
	RootDSE Record
}

// OIDs by which servers say what they can do.
const (
	OIDPaging = "1.2.840.113556.1.4.319"
	oidWhoAmI = "1.3.6.1.4.1.4203.1.11.3"
)

// Known says whether the root entry could be read.
func (s Server) Known() bool { return len(s.RootDSE.Attributes) > 0 }

// HasControl says whether the server lists the control.
func (s Server) HasControl(oid string) bool { return s.RootDSE.Has("supportedControl", oid) }

// NamingContexts are the roots of the trees that the server holds.
func (s Server) NamingContexts() []string { return s.RootDSE.Values("namingContexts") }

// paged says whether to ask for pages: unless the server can be read and does
// not list the control.
func (s Server) paged() bool {
	return len(s.RootDSE.Values("supportedControl")) == 0 || s.HasControl(OIDPaging)
}

// identify reads the root entry, and asks who we are.
func (c *Conn) identify(ctx context.Context) error {
	if err := c.readRoot(ctx); err != nil {
		return err
	}
	return c.askWhoAmI(ctx)
}

// readRoot reads the root entry as it is now.
func (c *Conn) readRoot(ctx context.Context) error {
	root, err := c.Base(ctx, "", "*", "+")
	switch {
	case err == nil:
		c.server.RootDSE = root
	case errors.Is(err, ErrNoSuchObject), errors.Is(err, ErrNoEntry), errors.Is(err, ErrInsufficientAccess):
		c.server.RootDSE = Record{} // hidden, now at least
	default:
		return err
	}
	return nil
}

// Confirm asks the server of a connection that was kept who it takes us for: whoever
// learns from it that nothing changed need not ask, and whoever believes it more must.
// It is an error if that is somebody else than it was after the bind.
func (c *Conn) Confirm(ctx context.Context) error {
	if c.confirmed {
		return nil
	}
	was := c.server.AuthzID
	if err := c.askWhoAmI(ctx); err != nil {
		return err
	}
	if c.server.AuthzID != was {
		return fmt.Errorf("confirm who we are: %s takes us for %q, and took us for %q before", c.server.URL, c.server.AuthzID, was)
	}
	return nil
}

func (c *Conn) askWhoAmI(ctx context.Context) error {
	c.confirmed = true
	if !c.server.RootDSE.Has("supportedExtension", oidWhoAmI) {
		return nil
	}
	var err error
	c.server.AuthzID, err = c.WhoAmI(ctx)
	var e *Error
	if errors.As(err, &e) && e.Code != 0 && !e.Transient() {
		return nil // it does not say
	}
	return err
}

// WhoAmI asks who the server takes us for (RFC 4532).
func (c *Conn) WhoAmI(ctx context.Context) (string, error) {
	const op = "who am I"
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire(op, ""); err != nil {
		return "", err
	}
	defer c.mu.Unlock()
	out, err := c.run(ctx, op, "", nil, func() error {
		_, err := c.l.Extended(ldap.NewExtendedRequest(oidWhoAmI, nil))
		return err
	})
	if err != nil {
		return "", err
	}
	return string(out.result.value), nil
}
