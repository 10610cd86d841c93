package ldap

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// account counts what the server says of a person's account.
func (c *checking) account(e *directory.Entry) {
	switch is := e.Validity.At(c.source.cfg.Now()); {
	case e.Validity.ClosedBy != "":
		c.disabled++
	case is.Standing == identity.Disabled:
		c.ended++
	case is.Standing == identity.NotYet:
		c.toCome++
	case len(e.Validity.Unread) > 0:
		if c.unread++; c.why == "" {
			c.why = fmt.Sprintf("%s of %q", e.Validity.Unread[0], e.DN)
		}
	}
}

// accounts reports on what was counted.
func (c *checking) accounts() {
	for _, k := range []struct {
		n         int
		one, many string
	}{
		{c.disabled, "person is disabled at the source", "people are disabled at the source"},
		{c.ended, "person's account is over by its date", "people's accounts are over by their dates"},
		{c.toCome, "person's account begins later", "people's accounts begin later"},
	} {
		if k.n > 0 {
			c.note(directory.Fine, "", "%s", counted(k.n, k.one, k.many))
		}
	}
	if c.disabled > 0 && len(c.source.cfg.ClosedCanaries) == 0 {
		c.note(directory.Warning, "name somebody who stays closed for good in closed_canaries", "there is no closed canary: where a right is lost by which closed accounts are seen, they are taken for open")
	}
	if c.unread > 0 {
		c.note(directory.Warning, "they are parked with their last good state until it can be read",
			"whether %s may be used cannot be told: %s", counted(c.unread, "account", "accounts"), c.why)
	}
}
