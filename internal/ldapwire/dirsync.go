package ldapwire

import (
	"bytes"
	"context"
	"fmt"
)

// DirSyncFlags are those of the DirSync control (MS-ADTS 3.1.1.3.4.1.3).
type DirSyncFlags uint32

const (
	// DirSyncObjectSecurity needs no right of its own and shows what the bind
	// identity may read; deletions may be missing.
	DirSyncObjectSecurity DirSyncFlags = 0x1
	// DirSyncAncestorsFirst has parents come before children.
	DirSyncAncestorsFirst DirSyncFlags = 0x800
	// DirSyncIncrementalValues has of a linked attribute only those values come
	// that were gained or lost.
	DirSyncIncrementalValues DirSyncFlags = 0x80000000
)

// DirSyncRequest asks for the changes since a cookie.
type DirSyncRequest struct {
	Flags DirSyncFlags
	// MaxBytes bounds the answer to one request; the server's choice if zero.
	MaxBytes int32
	// Cookie of the DirSync before; empty means everything.
	Cookie []byte
}

func (r DirSyncRequest) control() RequestControl {
	return RequestControl{oid: OIDDirSync, value: element(tagSequence,
		number(tagInteger, int32(r.Flags)), number(tagInteger, r.MaxBytes), element(tagOctetString, r.Cookie))}
}

// DirSyncDone proves that everything that changed was shown.
type DirSyncDone struct {
	// Cookie to ask with next time.
	Cookie []byte
	// Rounds is the number of requests, Entries what came in all of them; an
	// entry may have come in more than one.
	Rounds, Entries int
	Referrals       []string
	Bytes           int64
	Server          Server
}

// maxDirSyncRounds bounds what a server may make of one question: with it and
// a thousand entries a round, ten million come. Tests lower it.
var maxDirSyncRounds = 10000

// DirSync asks for what changed, round after round until the server has no more,
// and gives each entry to the sink as Search does. The base is the root of a
// naming context, the scope the subtree. An entry has its changed attributes
// alone: one that was cleared has no values, one of which values were gained
// and lost comes as two (Attribute.Part), and the same entry may come again.
//
// Only with a nil error is it complete, as with Search. A refused cookie has no
// error of its own: Samba says ErrCriticalExtension to it.
func (c *Conn) DirSync(ctx context.Context, req Request, since DirSyncRequest, sink func(*Entry) error) (DirSyncDone, error) {
	l, cancel, err := c.open(&ctx, req)
	if err != nil {
		return DirSyncDone{}, err
	}
	defer cancel()
	var done DirSyncDone
	l.decoder.ranges = rangesOfChanges
	l.entry = func(e *Entry) error {
		done.Entries++
		return sink(e)
	}
	fail := func(err error) (DirSyncDone, error) {
		return DirSyncDone{}, c.fault(opNameSearch, req.Base, err)
	}
	before := c.w.received.Load()
	page := c.fastPage
	if c.cfg.Reader == Reference {
		page = c.referencePage
	}
	controls := l.controls
	for more := true; more; {
		entries := done.Entries
		l.controls = append(controls[:len(controls):len(controls)], since.control())
		answer, err := page(ctx, l)
		if err != nil {
			return DirSyncDone{}, err
		}
		done.Rounds++
		ctl := findControl(answer, OIDDirSync)
		if ctl == nil {
			return fail(fmt.Errorf("%w: round %d ended without a DirSync control, so whether it is the last is not known", ErrProtocol, done.Rounds))
		}
		var cookie []byte
		if more, cookie, err = parseDirSync(ctl.Value); err != nil {
			return fail(err)
		}
		switch {
		case len(cookie) == 0:
			return fail(fmt.Errorf("%w: round %d ended without a cookie", ErrProtocol, done.Rounds))
		case more && done.Entries == entries && bytes.Equal(cookie, since.Cookie):
			return fail(fmt.Errorf("%w: there is said to be more, and nothing comes", ErrProtocol))
		case more && done.Rounds >= maxDirSyncRounds:
			return fail(fmt.Errorf("%w: no end after %d rounds", ErrProtocol, done.Rounds))
		}
		since.Cookie = cookie
	}
	if len(l.unread) > 0 {
		return fail(&ReferralError{URLs: l.unread})
	}
	done.Cookie, done.Referrals = since.Cookie, l.ignored
	done.Bytes, done.Server = c.w.received.Load()-before, c.server
	return done, nil
}

// parseDirSync reads the value of a DirSync control of an answer.
func parseDirSync(value []byte) (more bool, cookie []byte, err error) {
	out := cursor{b: value}
	c := cursor{b: out.take(tagSequence, "the DirSync control")}
	out.end("the DirSync control")
	flag := c.take(tagInteger, "the flag of the DirSync control")
	if c.err == nil && len(flag) == 0 {
		c.fail("the flag of the DirSync control is empty")
	}
	for _, b := range flag {
		more = more || b != 0
	}
	c.take(tagInteger, "the second part of the DirSync control")
	cookie = c.take(tagOctetString, "the cookie of the DirSync control")
	c.end("the DirSync control")
	if out.err == nil {
		out.err = c.err
	}
	if out.err != nil {
		return false, nil, fmt.Errorf("%w: %w", ErrProtocol, out.err)
	}
	return more, bytes.Clone(cookie), nil
}

// findControl returns the control with the OID, or nil.
func findControl(controls []Control, oid string) *Control {
	for i := range controls {
		if controls[i].OID == oid {
			return &controls[i]
		}
	}
	return nil
}
