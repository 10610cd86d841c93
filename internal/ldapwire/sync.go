package ldapwire

import (
	"context"
	"fmt"
)

// SyncRequest asks for the changes since a cookie (RFC 4533, refreshOnly).
type SyncRequest struct {
	// Cookie of the Sync before with the same base, scope, filter, attributes
	// and bind identity; empty means everything.
	Cookie []byte
	// ReloadHint asks for everything instead of ErrRefreshRequired when the
	// server cannot go on from the cookie. Servers differ in what they do.
	ReloadHint bool
}

// syncMode is a mode of RFC 4533, section 2.2.
type syncMode int32

const (
	refreshOnly       syncMode = 1
	refreshAndPersist syncMode = 3
)

func syncControl(mode syncMode, r SyncRequest) RequestControl {
	parts := [][]byte{number(tagEnumerated, int32(mode))}
	if len(r.Cookie) > 0 {
		parts = append(parts, element(tagOctetString, r.Cookie))
	}
	if r.ReloadHint {
		parts = append(parts, boolean(true))
	}
	return RequestControl{oid: OIDSync, value: element(tagSequence, parts...)}
}

// SyncDone proves that a refresh is complete. There is none without that.
type SyncDone struct {
	// Cookie to ask with next time. Empty means that the one of the request
	// still holds: slapd sends none where nothing changed.
	Cookie []byte
	// RefreshDeletes: what is gone was named. Otherwise whatever was neither
	// shown nor named is gone, says RFC 4533; 389 DS says so and means the
	// first.
	RefreshDeletes bool
	// Entries, Present and Gone count what came, repetitions included: entries
	// with attributes, the others that are there, and those that are not.
	Entries, Present, Gone int
	// Referrals are those that were ignored because the request said so.
	Referrals []string
	// Bytes is what came from the server.
	Bytes int64
	// Controls came with the end.
	Controls []Control
	// Server is where it was read, and as whom.
	Server Server
}

// Sync asks for what changed and gives each message to the sink in the order of
// the wire, as Search does with entries; it is not paged. The page size of the
// request is of no account.
//
// Only with a nil error is the refresh complete: the search ended with success
// and with a Sync Done control. Before that everything given to the sink, each
// cookie above all, is worthless. An ErrRefreshRequired or ErrUnwilling (slapd:
// the cookie is newer than the server) means that the cookie is refused.
func (c *Conn) Sync(ctx context.Context, req Request, since SyncRequest, sink func(SyncMessage) error) (SyncDone, error) {
	l, cancel, err := c.open(&ctx, req)
	if err != nil {
		return SyncDone{}, err
	}
	defer cancel()
	var done SyncDone
	var d syncDecoder
	l.controls = append(l.controls, syncControl(refreshOnly, since))
	l.entry = func(e *Entry) error {
		if err := d.state(e.Controls); err != nil {
			return err
		}
		d.entry.Entry = e
		switch d.entry.State {
		case SyncPresent:
			done.Present++
		case SyncDelete:
			done.Gone++
		default:
			done.Entries++
		}
		return sink(&d.entry)
	}
	l.info = func(body []byte) error {
		m, err := d.info(body)
		if err != nil {
			return err
		}
		if set, ok := m.(*SyncIDs); ok {
			if set.Gone {
				done.Gone += len(set.IDs)
			} else {
				done.Present += len(set.IDs)
			}
		}
		return sink(m)
	}
	before := c.w.received.Load()
	page := c.fastPage
	if c.cfg.Reader == Reference {
		page = c.referenceSync
	}
	answer, err := page(ctx, l)
	if err != nil {
		return SyncDone{}, err
	}
	end, err := parseSyncDone(answer)
	if err == nil && end == nil {
		err = fmt.Errorf("%w: the search ended without a Sync Done control, so whether the refresh is complete is not known", ErrProtocol)
	}
	if err == nil && len(l.unread) > 0 {
		err = &ReferralError{URLs: l.unread}
	}
	if err != nil {
		return SyncDone{}, c.fault(opNameSearch, req.Base, err)
	}
	done.Cookie, done.RefreshDeletes = end.cookie, end.deletes
	done.Referrals, done.Controls = l.ignored, answer
	done.Bytes, done.Server = c.w.received.Load()-before, c.server
	return done, nil
}
