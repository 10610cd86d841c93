package ldapwire

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// fastPage reads a page through the lane.
func (c *Conn) fastPage(ctx context.Context, l *listing, paged bool, cookie []byte) (pageEnd, error) {
	lane := func(m message) error {
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
		return fmt.Errorf("%w: an intermediate response to a plain search", ErrProtocol)
	}
	var sr *ldap.SearchResult
	out, err := c.run(ctx, opNameSearch, l.req.Base, lane, func() (err error) {
		sr, err = c.l.Search(l.request(paged, cookie))
		return err
	})
	if err != nil {
		return pageEnd{}, err
	}
	if sr == nil || len(sr.Entries) != 0 || len(sr.Referrals) != 0 {
		err := fmt.Errorf("%w: entries went past the lane", ErrProtocol)
		c.kill(err)
		return pageEnd{}, c.fault(opNameSearch, l.req.Base, err)
	}
	end := pageEnd{controls: out.result.controls}
	if ctl := out.result.control(OIDPaging); ctl != nil {
		end.paged = true
		if end.cookie, err = parsePaging(ctl.Value); err != nil {
			return pageEnd{}, c.fault(opNameSearch, l.req.Base, fmt.Errorf("%w: %w", ErrProtocol, err))
		}
	}
	return end, nil
}
