package ldapwire

import (
	"context"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// listing is a Search in progress.
type listing struct {
	req     Request
	sink    func(*Entry) error
	decoder entryDecoder
	seen    dnSet
	done    Done
	unread  []string // referrals that were neither followed nor ignored
}

func (c *Conn) list(ctx context.Context, req Request, paged bool, sink func(*Entry) error) (Done, error) {
	if req.Filter == "" {
		req.Filter = "(objectClass=*)"
	}
	if len(req.Attributes) == 0 {
		req.Attributes = []string{"1.1"}
	}
	if req.PageSize <= 0 {
		req.PageSize = DefaultPageSize
	}
	if err := CheckFilter(req.Filter); err != nil {
		return Done{}, c.fault(opNameSearch, req.Base, err)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire(opNameSearch, req.Base); err != nil {
		return Done{}, err
	}
	defer c.mu.Unlock()

	l := &listing{req: req, sink: sink}
	before := c.w.received.Load()
	page := c.fastPage
	if c.cfg.Reader == Reference {
		page = c.referencePage
	}
	var cookie []byte
	empty := 0
	for {
		entries := l.done.Entries
		answer, err := page(ctx, l, paged, cookie)
		if err != nil {
			return Done{}, err
		}
		l.done.Pages++
		l.done.Controls = answer.controls
		if !paged {
			break
		}
		if !answer.paged {
			return Done{}, c.fault(opNameSearch, req.Base, fmt.Errorf("%w: page %d came without a paging control, so whether it is the last is not known", ErrProtocol, l.done.Pages))
		}
		if cookie = answer.cookie; len(cookie) == 0 {
			break
		}
		if empty++; l.done.Entries > entries {
			empty = 0
		}
		if empty > maxEmptyPages {
			return Done{}, c.fault(opNameSearch, req.Base, fmt.Errorf("%w: %d empty pages in a row", ErrProtocol, empty))
		}
	}
	if len(l.unread) > 0 {
		return Done{}, c.fault(opNameSearch, req.Base, &ReferralError{URLs: l.unread})
	}
	l.done.Bytes = c.w.received.Load() - before
	l.done.Server = c.server
	return l.done, nil
}

// pageEnd is how a page ended.
type pageEnd struct {
	paged    bool // a paging control came
	cookie   []byte
	controls []Control
}

// request makes a fresh request for go-ldap: it changes what it is given.
func (l *listing) request(paged bool, cookie []byte) *ldap.SearchRequest {
	var controls []ldap.Control
	if paged {
		controls = append(controls, pagingControl{size: l.req.PageSize, cookie: cookie})
	}
	return ldap.NewSearchRequest(l.req.Base, int(l.req.Scope), ldap.NeverDerefAliases, 0, 0, false, l.req.Filter, l.req.Attributes, controls)
}

// entry counts an entry and hands it on.
func (l *listing) entry(e *Entry) error {
	if !l.seen.add(e.DN) {
		return fmt.Errorf("%w: the entry %q came twice in one listing", ErrProtocol, e.DN)
	}
	l.done.Entries++
	return l.sink(e)
}

// reference notes a referral.
func (l *listing) reference(urls []string) {
	text := strings.Join(urls, " ")
	for _, prefix := range l.req.IgnoreReferrals {
		for _, u := range urls {
			if len(u) >= len(prefix) && strings.EqualFold(u[:len(prefix)], prefix) {
				l.done.Referrals = append(l.done.Referrals, text)
				return
			}
		}
	}
	l.unread = append(l.unread, text)
}

// pagingControl is that of RFC 2696, critical: a server that does not know it
// says so and does not send an unbounded answer.
type pagingControl struct {
	size   int
	cookie []byte
}

func (p pagingControl) GetControlType() string { return OIDPaging }
func (p pagingControl) String() string         { return "paged results" }

func (p pagingControl) Encode() *ber.Packet {
	value := ber.NewSequence("paging")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(p.size), "size"))
	value.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(p.cookie), "cookie"))
	out := ber.NewSequence("control")
	out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, OIDPaging, "type"))
	out.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, "critical"))
	out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value.Bytes()), "value"))
	return out
}
