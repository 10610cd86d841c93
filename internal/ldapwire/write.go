package ldapwire

import (
	"context"
	"errors"

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
	return c.write(ctx, "add", dn, func() error { return c.l.Add(req) })
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
	return c.write(ctx, "modify", dn, func() error { return c.l.Modify(req) })
}

// ModifyDN renames an entry; with a newSuperior it moves it there too.
func (c *Conn) ModifyDN(ctx context.Context, dn, newRDN string, deleteOld bool, newSuperior string) error {
	req := ldap.NewModifyDNRequest(dn, newRDN, deleteOld, newSuperior)
	return c.write(ctx, "rename", dn, func() error { return c.l.ModifyDN(req) })
}

// Delete deletes an entry, which must have none below it.
func (c *Conn) Delete(ctx context.Context, dn string) error {
	req := ldap.NewDelRequest(dn, nil)
	return c.write(ctx, "delete", dn, func() error { return c.l.Del(req) })
}

// Compare says whether the entry has the value, by the server's own matching
// rule.
func (c *Conn) Compare(ctx context.Context, dn, attribute, value string) (bool, error) {
	const compareFalse, compareTrue = 5, 6
	err := c.write(ctx, "compare", dn, func() error {
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

func (c *Conn) write(ctx context.Context, op, dn string, do func() error) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire(op, dn); err != nil {
		return err
	}
	defer c.mu.Unlock()
	_, err := c.run(ctx, op, dn, nil, do)
	return err
}
