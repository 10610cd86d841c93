package ldapwire

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/go-ldap/ldap/v3"
)

// referencePage reads a page with go-ldap, and checks that it lost nothing.
func (c *Conn) referencePage(ctx context.Context, l *listing, paged bool, cookie []byte) (end pageEnd, err error) {
	var sr *ldap.SearchResult
	out, err := c.run(ctx, opNameSearch, l.req.Base, nil, func() (err error) {
		sr, err = c.l.Search(l.request(paged, cookie))
		return err
	})
	if err != nil {
		return pageEnd{}, err
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in the sink: %v\n%s", v, debug.Stack())
		}
		if err != nil {
			c.kill(err)
			end, err = pageEnd{}, c.fault(opNameSearch, l.req.Base, err)
		}
	}()
	if sr == nil || len(sr.Entries) != out.entries || len(sr.Referrals) != out.refs {
		return end, fmt.Errorf("%w: go-ldap lost entries", ErrProtocol)
	}
	for _, u := range sr.Referrals {
		l.reference([]string{u})
	}
	for _, e := range sr.Entries {
		l.decoder.begin([]byte(e.DN))
		for _, a := range e.Attributes {
			if err := l.decoder.attribute([]byte(a.Name)); err != nil {
				return end, err
			}
			l.decoder.values = append(l.decoder.values, a.ByteValues...)
		}
		if err := l.entry(l.decoder.finish()); err != nil {
			return end, err
		}
		if cause := context.Cause(ctx); cause != nil {
			return end, cause
		}
	}
	end.controls = out.result.controls
	if ctl := ldap.FindControl(sr.Controls, ldap.ControlTypePaging); ctl != nil {
		p, ok := ctl.(*ldap.ControlPaging)
		if !ok {
			return end, errors.New("go-ldap does not know its own paging control")
		}
		end.paged, end.cookie = true, p.Cookie
	}
	return end, nil
}
