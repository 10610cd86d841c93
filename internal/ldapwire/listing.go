package ldapwire

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// listing is a search in progress, of one or more requests.
type listing struct {
	req      Request
	controls []RequestControl   // of the next request
	entry    func(*Entry) error // takes an entry
	info     func([]byte) error // takes an intermediate response; nil where none may come
	decoder  entryDecoder
	ignored  []string // referrals that the request said to ignore
	unread   []string // referrals that were neither followed nor ignored
}

// open takes the connection for a search: the time is bounded, the request
// complete. What it returns gives the connection back.
func (c *Conn) open(ctx *context.Context, req Request) (*listing, context.CancelFunc, error) {
	if req.Filter == "" {
		req.Filter = "(objectClass=*)"
	}
	if len(req.Attributes) == 0 {
		req.Attributes = []string{"1.1"}
	}
	if req.PageSize <= 0 {
		req.PageSize = DefaultPageSize
	}
	if err := c.acquire(opNameSearch, req.Base); err != nil {
		return nil, nil, err
	}
	bounded, cancel := c.bounded(*ctx)
	*ctx = bounded
	l := &listing{req: req, controls: append([]RequestControl{}, req.Controls...)}
	return l, func() { cancel(); c.mu.Unlock() }, nil
}

// list is Search, paged or not.
func (c *Conn) list(ctx context.Context, req Request, paged bool, sink func(*Entry) error) (Done, error) {
	l, cancel, err := c.open(&ctx, req)
	if err != nil {
		return Done{}, err
	}
	defer cancel()
	var (
		done   Done
		seen   dnSet
		long   []string
		cookie []byte
		empty  int
	)
	if req.ReadLong {
		l.decoder.ranges = rangesOfListings
	}
	l.entry = func(e *Entry) error {
		if !seen.add(e.DN) {
			return fmt.Errorf("%w: the entry %q came twice in one listing", ErrProtocol, e.DN)
		}
		done.Entries++
		if e.long {
			long = append(long, string(e.DN))
			return nil
		}
		return sink(e)
	}
	before := c.w.received.Load()
	page := c.fastPage
	if c.cfg.Reader == Reference {
		page = c.referencePage
	}
	controls := l.controls
	for {
		entries := done.Entries
		if paged {
			l.controls = append(controls[:len(controls):len(controls)], pagingControl(l.req.PageSize, cookie))
		}
		if done.Controls, err = page(ctx, l); err != nil {
			return Done{}, err
		}
		done.Pages++
		if !paged {
			break
		}
		ctl := findControl(done.Controls, OIDPaging)
		if ctl == nil {
			return Done{}, c.fault(opNameSearch, req.Base, fmt.Errorf("%w: page %d came without a paging control, so whether it is the last is not known", ErrProtocol, done.Pages))
		}
		if cookie, err = parsePaging(ctl.Value); err != nil {
			return Done{}, c.fault(opNameSearch, req.Base, fmt.Errorf("%w: %w", ErrProtocol, err))
		}
		if len(cookie) == 0 {
			break
		}
		if empty++; done.Entries > entries {
			empty = 0
		}
		if empty > maxEmptyPages {
			return Done{}, c.fault(opNameSearch, req.Base, fmt.Errorf("%w: %d empty pages in a row", ErrProtocol, empty))
		}
	}
	if len(l.unread) > 0 {
		return Done{}, c.fault(opNameSearch, req.Base, &ReferralError{URLs: l.unread})
	}
	for _, dn := range long {
		if err := c.readLong(ctx, l.req, dn, sink); err != nil {
			return Done{}, err
		}
	}
	done.Referrals = l.ignored
	done.Bytes, done.Server = c.w.received.Load()-before, c.server
	return done, nil
}

// request makes a fresh request for go-ldap: it changes what it is given.
func (l *listing) request() *ldap.SearchRequest {
	return ldap.NewSearchRequest(l.req.Base, int(l.req.Scope), ldap.NeverDerefAliases, 0, 0, false, l.req.Filter, l.req.Attributes, libraryControls(l.controls))
}

// reference notes a referral.
func (l *listing) reference(urls []string) {
	text := strings.Join(urls, " ")
	for _, prefix := range l.req.IgnoreReferrals {
		for _, u := range urls {
			if len(u) >= len(prefix) && strings.EqualFold(u[:len(prefix)], prefix) {
				l.ignored = append(l.ignored, text)
				return
			}
		}
	}
	l.unread = append(l.unread, text)
}
