package ldapwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMoved: an entry that is read in parts changed each time before its end was
// reached. It may be still the next time.
var ErrMoved = errors.New("the entry changes faster than it can be read")

// longTries is how often an entry that moves is begun again.
const longTries = 5

// stampAttributes tell that an entry moved: whichever of them come are compared.
var stampAttributes = []string{"uSNChanged", "entryCSN", "modifyTimestamp", "whenChanged"}

// BaseWhole is Base for an entry with long attributes: each that the server sends
// in parts is read to the end, and all of the entry again if it changed meanwhile.
func (c *Conn) BaseWhole(ctx context.Context, dn string, attributes ...string) (Record, error) {
	out, _, err := c.Collect(ctx, Request{Base: dn, Scope: ScopeBase, Attributes: attributes, ReadLong: true, PageSize: 2})
	if err != nil {
		return Record{}, err
	}
	if len(out) != 1 {
		return Record{}, c.fault(opNameSearch, dn, ErrNoEntry)
	}
	return out[0], nil
}

// readLong reads a long entry whole and hands it to the sink. The caller has the
// connection.
func (c *Conn) readLong(ctx context.Context, req Request, dn string, sink func(*Entry) error) (err error) {
	for range longTries {
		var whole *Entry
		whole, err = c.readLongOnce(ctx, req, dn)
		if err == nil {
			return c.sunk(ctx, req, whole, sink)
		}
		if !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return c.fault(opNameSearch, dn, err)
}

// sunk hands an entry to a sink outside the lane, with what the lane does about
// panics and errors.
func (c *Conn) sunk(ctx context.Context, req Request, e *Entry, sink func(*Entry) error) (err error) {
	l := &listing{req: req}
	var none []Control
	defer c.referenceEnd(l, &none, &err)
	if err := sink(e); err != nil {
		return err
	}
	return context.Cause(ctx)
}

func (c *Conn) readLongOnce(ctx context.Context, req Request, dn string) (*Entry, error) {
	attributes := slices.Clone(req.Attributes)
	for _, s := range stampAttributes {
		if !containsFold(attributes, s) {
			attributes = append(attributes, s)
		}
	}
	whole, err := c.longPart(ctx, req, dn, attributes)
	if err != nil {
		return nil, err
	}
	stamp := stampOf(whole)
	if stamp == "" {
		return nil, c.fault(opNameSearch, dn, fmt.Errorf("%w: it is read in parts, and nothing in it tells whether it changed meanwhile", ErrNoEntry))
	}
	for i := range whole.Attributes {
		if whole.Attributes[i].Part != Partial {
			continue
		}
		if err := c.readAttribute(ctx, req, dn, &whole.Attributes[i], stamp); err != nil {
			return nil, err
		}
	}
	whole.long = false
	whole.Attributes = slices.DeleteFunc(whole.Attributes, func(a Attribute) bool {
		return containsFold(stampAttributes, a.Name) && !containsFold(req.Attributes, a.Name) &&
			!slices.Contains(req.Attributes, "*") && !slices.Contains(req.Attributes, "+")
	})
	return whole, nil
}

// readAttribute reads on from the part of an attribute that came first.
func (c *Conn) readAttribute(ctx context.Context, req Request, dn string, a *Attribute, stamp string) error {
	description := strings.Join(append([]string{a.Name}, a.Options...), ";")
	var seen dnSet
	// take checks a part, the first value of which is known already if it is not the
	// first part, and returns what is new in it.
	next, again := 0, 0
	if len(a.Values) > 1 {
		again = 1
	}
	var before []byte
	take := func(part *Attribute) ([][]byte, error) {
		s, values, from := part.span, part.Values, max(next-again, 0)
		if s.low != from || !s.last && s.high-s.low+1 != len(values) || !s.last && len(values) < 1+min(next, again) {
			return nil, c.fault(opNameSearch, dn, fmt.Errorf("%w: %d values of %q as the part from %d (asked for: from %d)", ErrProtocol, len(values), description, s.low, from))
		}
		if next > 0 && again > 0 {
			if len(values) == 0 || !bytes.Equal(values[0], before) {
				return nil, ErrMoved
			}
			values = values[1:]
		}
		for _, v := range values {
			if !seen.add(v) {
				return nil, c.fault(opNameSearch, dn, fmt.Errorf("%w: a value of %q came in two parts", ErrProtocol, description))
			}
			before = v
		}
		next += len(values)
		return values, nil
	}
	if _, err := take(a); err != nil {
		return err
	}
	for last := a.span.last; !last; {
		// Whoever is deleted leaves the group without a change of it (Active Directory:
		// members are links), and those behind move up. So each part begins with the
		// last value of the one before.
		more, err := c.longPart(ctx, req, dn, append([]string{fmt.Sprintf("%s;range=%d-*", description, next-again)}, stampAttributes...))
		if err != nil {
			return err
		}
		if stampOf(more) != stamp {
			return ErrMoved
		}
		i := slices.IndexFunc(more.Attributes, func(b Attribute) bool {
			return b.Part == Partial && b.Name == a.Name && slices.Equal(b.Options, a.Options)
		})
		if i < 0 {
			return c.fault(opNameSearch, dn, &RangeError{DN: dn, Attribute: description})
		}
		fresh, err := take(&more.Attributes[i])
		if err != nil {
			return err
		}
		a.Values = append(a.Values, fresh...)
		last = more.Attributes[i].span.last
	}
	a.Part, a.span = Whole, span{}
	return nil
}

// longPart reads some attributes of one entry, which owns its parts.
func (c *Conn) longPart(ctx context.Context, req Request, dn string, attributes []string) (*Entry, error) {
	l := &listing{req: req, controls: req.Controls}
	l.req.Base, l.req.Scope, l.req.Filter, l.req.Attributes = dn, ScopeBase, "(objectClass=*)", attributes
	l.decoder.ranges = rangesOfListings
	var out *Entry
	l.entry = func(e *Entry) error {
		if out != nil {
			return fmt.Errorf("%w: two entries for one name", ErrProtocol)
		}
		out = e.clone()
		return nil
	}
	page := c.fastPage
	if c.cfg.Reader == Reference {
		page = c.referencePage
	}
	_, err := page(ctx, l)
	switch {
	case errors.Is(err, ErrNoSuchObject), err == nil && out == nil:
		return nil, ErrMoved // it went away: whoever lists again sees where to
	case err == nil && string(out.DN) != dn && req.Scope != ScopeBase:
		return nil, ErrMoved
	case err == nil && len(l.unread) > 0:
		err = c.fault(opNameSearch, dn, &ReferralError{URLs: l.unread})
	}
	return out, err
}

// stampOf is what changes whenever the entry does; empty if nothing of it came.
func stampOf(e *Entry) string {
	var b strings.Builder
	for _, s := range stampAttributes {
		if v := e.First(strings.ToLower(s)); v != "" {
			fmt.Fprintf(&b, "%s=%s ", s, v)
		}
	}
	return b.String()
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(t string) bool { return strings.EqualFold(s, t) })
}

// clone copies the entry, so that it owns its parts.
func (e *Entry) clone() *Entry {
	out := &Entry{DN: slices.Clone(e.DN), Attributes: slices.Clone(e.Attributes), long: e.long}
	for i := range out.Attributes {
		values := make([][]byte, len(e.Attributes[i].Values))
		for j, v := range e.Attributes[i].Values {
			values[j] = slices.Clone(v)
		}
		out.Attributes[i].Values = values
	}
	return out
}
