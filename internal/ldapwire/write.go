package ldapwire

import (
	"context"
	"errors"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Values is an attribute with its values, to write.
type Values struct {
	Name   string
	Values []string
}

// Verb is what a Change does to its values.
type Verb uint8

const (
	AddValues Verb = iota
	// DeleteValues deletes those values; without any, the attribute.
	DeleteValues
	// ReplaceValues puts those values in the place of all; without any, it
	// deletes the attribute, and is content if there is none.
	ReplaceValues
)

// Change is one change of a Modify.
type Change struct {
	Verb   Verb
	Name   string
	Values []string
}

// Add creates an entry. A write that returns an error may have been done all
// the same: ask IsInDoubt.
func (c *Conn) Add(ctx context.Context, dn string, attributes []Values) error {
	req := ldap.NewAddRequest(dn, nil)
	for _, a := range attributes {
		req.Attribute(a.Name, a.Values)
	}
	_, err := c.write(ctx, "add", dn, func() error { return c.l.Add(req) })
	return err
}

// postRead asks for the entry as it is after the write (RFC 4527).
const postRead = "1.3.6.1.1.13.2"

// AddRead is Add that has the server send the new entry with its answer. It
// returns no entry, and no error, where the server does not do that: read it
// then.
func (c *Conn) AddRead(ctx context.Context, dn string, attributes []Values, read ...string) (Record, error) {
	req := ldap.NewAddRequest(dn, nil)
	for _, a := range attributes {
		req.Attribute(a.Name, a.Values)
	}
	names := ber.NewSequence("AttributeSelection")
	for _, n := range read {
		names.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, n, "selector"))
	}
	req.Controls = []ldap.Control{ldap.NewControlString(postRead, false, string(names.Bytes()))}
	out, err := c.write(ctx, "add", dn, func() error { return c.l.Add(req) })
	if err != nil {
		return Record{}, err
	}
	return new(entryDecoder).readAfter(out.result), nil
}

// readAfter is the entry in an answer; none if it cannot be read, since what
// was asked for was done all the same.
func (d *entryDecoder) readAfter(r *result) Record {
	ctl := r.control(postRead)
	if ctl == nil {
		return Record{}
	}
	c := cursor{b: ctl.Value}
	tag, body := c.any()
	c.end("the entry after the write")
	if c.err != nil || tag != opEntry && tag != tagSequence {
		return Record{}
	}
	e, err := d.decode(message{body: body})
	if err != nil {
		return Record{}
	}
	return e.Record()
}

// Modify does the changes in their order, all or none.
func (c *Conn) Modify(ctx context.Context, dn string, changes []Change) error {
	req := ldap.NewModifyRequest(dn, nil)
	for _, ch := range changes {
		switch ch.Verb {
		case AddValues:
			req.Add(ch.Name, ch.Values)
		case DeleteValues:
			req.Delete(ch.Name, ch.Values)
		case ReplaceValues:
			req.Replace(ch.Name, ch.Values)
		default:
			return c.fault("modify", dn, errors.New("a change without a verb"))
		}
	}
	if len(changes) == 0 {
		return c.fault("modify", dn, errors.New("no change"))
	}
	_, err := c.write(ctx, "modify", dn, func() error { return c.l.Modify(req) })
	return err
}

// ModifyDN renames an entry; with a newSuperior it moves it there too.
func (c *Conn) ModifyDN(ctx context.Context, dn, newRDN string, deleteOld bool, newSuperior string) error {
	req := ldap.NewModifyDNRequest(dn, newRDN, deleteOld, newSuperior)
	_, err := c.write(ctx, "rename", dn, func() error { return c.l.ModifyDN(req) })
	return err
}

// Delete deletes an entry, which must have none below it.
func (c *Conn) Delete(ctx context.Context, dn string) error {
	req := ldap.NewDelRequest(dn, nil)
	_, err := c.write(ctx, "delete", dn, func() error { return c.l.Del(req) })
	return err
}

// Compare says whether the entry has the value, by the server's own matching
// rule.
func (c *Conn) Compare(ctx context.Context, dn, attribute, value string) (bool, error) {
	const compareFalse, compareTrue = 5, 6
	_, err := c.write(ctx, "compare", dn, func() error {
		_, err := c.l.Compare(dn, attribute, value)
		return err
	})
	var e *Error
	switch {
	case errors.As(err, &e) && e.Code == compareTrue:
		return true, nil
	case errors.As(err, &e) && e.Code == compareFalse:
		return false, nil
	case err == nil:
		err = c.fault("compare", dn, ErrProtocol) // neither yes nor no
	}
	return false, err
}

func (c *Conn) write(ctx context.Context, op, dn string, do func() error) (outcome, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire(op, dn); err != nil {
		return outcome{}, err
	}
	defer c.mu.Unlock()
	return c.run(ctx, op, dn, nil, do)
}
