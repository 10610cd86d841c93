package ldapwire

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"

	"github.com/go-ldap/ldap/v3"
)

// referencePage does one request of the listing with go-ldap, and checks that
// it lost nothing.
func (c *Conn) referencePage(ctx context.Context, l *listing) (controls []Control, err error) {
	var sr *ldap.SearchResult
	out, err := c.run(ctx, opNameSearch, l.req.Base, nil, func() (err error) {
		sr, err = c.l.Search(l.request())
		return err
	})
	if err != nil {
		return nil, c.unsent(l, out, err)
	}
	defer c.referenceEnd(l, &controls, &err)
	if sr == nil || len(sr.Entries) != out.entries || len(sr.Referrals) != out.refs || out.infos != 0 {
		return nil, fmt.Errorf("%w: go-ldap lost entries", ErrProtocol)
	}
	for _, u := range sr.Referrals {
		l.reference([]string{u})
	}
	for _, e := range sr.Entries {
		if err := l.libraryEntry(ctx, e, nil); err != nil {
			return nil, err
		}
	}
	return out.result.controls, agree(out.result.controls, sr.Controls)
}

// referenceEnd makes an error of a panic, and of an error the end of the
// connection.
func (c *Conn) referenceEnd(l *listing, controls *[]Control, err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic in the sink: %v\n%s", v, debug.Stack())
	}
	if *err != nil {
		c.kill(*err)
		*controls, *err = nil, c.fault(opNameSearch, l.req.Base, *err)
	}
}

// libraryEntry hands on an entry of go-ldap.
func (l *listing) libraryEntry(ctx context.Context, e *ldap.Entry, controls []Control) error {
	l.decoder.begin([]byte(e.DN))
	for _, a := range e.Attributes {
		if err := l.decoder.attribute([]byte(a.Name)); err != nil {
			return err
		}
		l.decoder.values = append(l.decoder.values, a.ByteValues...)
	}
	entry, err := l.decoder.finish()
	if err != nil {
		return err
	}
	entry.Controls = append(entry.Controls, controls...)
	if err := l.entry(entry); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// agree compares what go-ldap and we make of the controls of an answer. What we
// cannot read is the caller's to refuse.
func agree(ours []Control, theirs []ldap.Control) error {
	differ := func(oid string) error {
		return fmt.Errorf("%w: go-ldap reads the control %s in another way", ErrProtocol, oid)
	}
	for _, t := range theirs {
		oid := t.GetControlType()
		ctl := findControl(ours, oid)
		if ctl == nil {
			return differ(oid)
		}
		switch t := t.(type) {
		case *ldap.ControlPaging:
			if cookie, err := parsePaging(ctl.Value); err == nil && !bytes.Equal(cookie, t.Cookie) {
				return differ(oid)
			}
		case *ldap.ControlDirSync:
			if more, cookie, err := parseDirSync(ctl.Value); err == nil && (more != (t.Flags != 0) || !bytes.Equal(cookie, t.Cookie)) {
				return differ(oid)
			}
		case *ldap.ControlSyncDone:
			if end, err := parseSyncDone(ours); err == nil && (end == nil || end.deletes != t.RefreshDeletes || !bytes.Equal(end.cookie, t.Cookie)) {
				return differ(oid)
			}
		}
	}
	return nil
}
