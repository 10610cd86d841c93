package ldapwire

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime/debug"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Scope is how far below the base a search reaches.
type Scope uint8

const (
	ScopeBase Scope = iota
	ScopeOne
	ScopeSubtree
)

// DefaultPageSize fits the limits of all known servers.
const DefaultPageSize = 500

// maxEmptyPages in a row: some are legal, when access rules hide all of a page.
const maxEmptyPages = 10000

// Request is what to list.
type Request struct {
	// Base is the name from which on to search.
	Base  string
	Scope Scope
	// Filter is that of RFC 4515; empty means every entry.
	Filter string
	// Attributes to read, by name; empty means none. "*" is all user
	// attributes, "+" all operational ones.
	Attributes []string
	// PageSize is the number of entries in a page; DefaultPageSize if zero.
	PageSize int
	// IgnoreReferrals names the parts of the tree on other servers that do not
	// belong to what is listed, by the beginning of their URLs, in any case.
	IgnoreReferrals []string
}

// Done proves that a listing is complete. There is none without that.
type Done struct {
	Pages   int
	Entries int
	// Referrals are those that were ignored because the request said so.
	Referrals []string
	// Bytes is what came from the server.
	Bytes int64
	// Controls came with the last page.
	Controls []Control
	// Server is where it was read, and as whom.
	Server Server
}

// Search lists entries and gives each to the sink, one after the other, in a
// goroutine of its own choice; the entry dies when the sink returns. The sink
// must not use the connection.
//
// Only with a nil error was everything listed: any limit, lost connection,
// unfollowed referral, partial attribute, entry that comes twice, error of the
// sink or cancelled context is an error and no Done.
func (c *Conn) Search(ctx context.Context, req Request, sink func(*Entry) error) (Done, error) {
	return c.list(ctx, req, c.server.paged(), sink)
}

// Collect is Search into memory, for few entries.
func (c *Conn) Collect(ctx context.Context, req Request) ([]Record, Done, error) {
	var out []Record
	done, err := c.Search(ctx, req, func(e *Entry) error {
		out = append(out, e.Record())
		return nil
	})
	if err != nil {
		return nil, Done{}, err
	}
	return out, done, nil
}

// Base reads one entry by its name. It is an ErrNoSuchObject if the server says
// that it is not there, and an ErrNoEntry if it does not show it.
func (c *Conn) Base(ctx context.Context, dn string, attributes ...string) (Record, error) {
	var out []Record
	req := Request{Base: dn, Scope: ScopeBase, Attributes: attributes}
	_, err := c.list(ctx, req, false, func(e *Entry) error {
		if len(out) > 0 {
			return fmt.Errorf("%w: two entries for one name", ErrProtocol)
		}
		out = append(out, e.Record())
		return nil
	})
	if err != nil {
		return Record{}, err
	}
	if len(out) == 0 {
		return Record{}, c.fault(opNameSearch, dn, ErrNoEntry)
	}
	return out[0], nil
}

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

// dnSet remembers the names of a listing by their hashes, 8 to 16 octets each:
// a page that comes twice, or two answers in one, show up as names that do.
type dnSet struct {
	slots []uint64
	n     int
}

var dnSeed = maphash.MakeSeed()

// add says whether the name is new.
func (s *dnSet) add(dn []byte) bool {
	if 2*s.n >= len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, max(64, 2*len(old)))
		for _, h := range old {
			if h != 0 {
				s.put(h)
			}
		}
	}
	h := maphash.Bytes(dnSeed, dn)
	if h == 0 {
		h = 1
	}
	if !s.put(h) {
		return false
	}
	s.n++
	return true
}

func (s *dnSet) put(h uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			s.slots[i] = h
			return true
		}
	}
}
