package ldapwire

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// fastPage does one request of the listing through the lane. It returns the
// controls of the answer.
func (c *Conn) fastPage(ctx context.Context, l *listing) ([]Control, error) {
	var sr *ldap.SearchResult
	out, err := c.run(ctx, opNameSearch, l.req.Base, l.take, func() (err error) {
		sr, err = c.l.Search(l.request())
		return err
	})
	if err != nil {
		return nil, c.unsent(l, out, err)
	}
	if sr == nil || len(sr.Entries) != 0 || len(sr.Referrals) != 0 {
		err := fmt.Errorf("%w: entries went past the lane", ErrProtocol)
		c.kill(err)
		return nil, c.fault(opNameSearch, l.req.Base, err)
	}
	return out.result.controls, nil
}

// unsent says it in our words where the search did not leave for its filter, which
// is compiled once, when it is sent.
func (c *Conn) unsent(l *listing, out outcome, err error) error {
	if !out.sent {
		if wrong := CheckFilter(l.req.Filter); wrong != nil {
			return c.fault(opNameSearch, l.req.Base, wrong)
		}
	}
	return err
}

// take is the lane.
func (l *listing) take(m message) error {
	switch m.op {
	case opEntry:
		e, err := l.decoder.decode(m)
		if err != nil {
			return err
		}
		return l.entry(e)
	case opReference:
		urls, err := parseReference(m.body)
		if err != nil {
			return err
		}
		l.reference(urls)
		return nil
	}
	if l.info == nil {
		return fmt.Errorf("%w: an intermediate response to a plain search", ErrProtocol)
	}
	return l.info(m.body)
}
