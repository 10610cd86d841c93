package ldapwire

import (
	"fmt"
)

// SyncID is the name that a sync stream has for an entry: entryUUID on
// OpenLDAP, the octets of nsUniqueId on 389 DS.
type SyncID [16]byte

// SyncState is what a sync stream says of an entry.
type SyncState uint8

const (
	// SyncPresent: unchanged; the entry has no attributes.
	SyncPresent SyncState = iota
	// SyncAdd: as it is now, whether it is new or changed.
	SyncAdd
	SyncModify
	// SyncDelete: gone, or outside of what was asked for; no attributes.
	SyncDelete
)

func (s SyncState) String() string {
	if int(s) < len(syncStates) {
		return syncStates[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

var syncStates = [...]string{"present", "add", "modify", "delete"}

// SyncMessage is one message of a sync stream (RFC 4533): a *SyncEntry, a
// *SyncIDs, a *SyncCookie or a *SyncPhase. It and all that hangs on it are views
// that die when the sink returns.
type SyncMessage interface{ syncMessage() }

// SyncEntry is an entry with its state. The same one may come more than once in
// a stream; the last is how it is.
type SyncEntry struct {
	State SyncState
	ID    SyncID
	// Cookie may come along in the middle of a stream: it is not one to keep.
	Cookie []byte
	Entry  *Entry
}

// SyncIDs names entries without showing them, in the order of the wire.
type SyncIDs struct {
	// Gone: they are deleted, or outside of what was asked for; some may never
	// have been inside. Otherwise they are present and unchanged.
	Gone   bool
	IDs    []SyncID
	Cookie []byte
}

// SyncCookie is a cookie alone.
type SyncCookie struct{ Cookie []byte }

// SyncPhase ends a phase of the refresh.
type SyncPhase struct {
	// Deletes: it was a delete phase, which names what is gone; otherwise a
	// present phase, which names what is not.
	Deletes bool
	// Done: the whole refresh is over.
	Done   bool
	Cookie []byte
}

func (*SyncEntry) syncMessage()  {}
func (*SyncIDs) syncMessage()    {}
func (*SyncCookie) syncMessage() {}
func (*SyncPhase) syncMessage()  {}

// syncDecoder reads the parts of a sync stream, into one place.
type syncDecoder struct {
	entry  SyncEntry
	ids    SyncIDs
	cookie SyncCookie
	phase  SyncPhase
}

// state reads the Sync State control of an entry. An entry without one has no
// ID, and is none.
func (d *syncDecoder) state(controls []Control) error {
	found := false
	for i := range controls {
		if controls[i].OID != oidSyncState {
			continue
		}
		if found {
			return fmt.Errorf("%w: an entry with two sync states", ErrProtocol)
		}
		found = true
		out := cursor{b: controls[i].Value}
		c := cursor{b: out.take(tagSequence, "the sync state")}
		out.end("the sync state")
		state, ok := parseInt(c.take(tagEnumerated, "the state"))
		if !ok || state >= len(syncStates) {
			c.fail("the sync state is none")
		}
		d.entry.State = SyncState(state)
		if id := c.take(tagOctetString, "the ID in the sync state"); len(id) == len(d.entry.ID) {
			d.entry.ID = SyncID(id)
		} else {
			c.fail("an ID of %d octets in the sync state", len(id))
		}
		d.entry.Cookie = nil
		if c.more() {
			d.entry.Cookie = c.take(tagOctetString, "the cookie in the sync state")
		}
		c.end("the sync state")
		if out.err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, out.err)
		}
		if c.err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, c.err)
		}
	}
	if !found {
		return fmt.Errorf("%w: an entry without a sync state, so without an ID", ErrProtocol)
	}
	return nil
}

// Tags of an intermediate response and of what is in a Sync Info message.
const (
	tagIntermediateName  = 0x80
	tagIntermediateValue = 0x81
	tagNewCookie         = 0x80
	tagRefreshDelete     = 0xa1
	tagRefreshPresent    = 0xa2
	tagSyncIDSet         = 0xa3
)

// info reads an intermediate response, which must be a Sync Info message.
func (d *syncDecoder) info(body []byte) (SyncMessage, error) {
	c := cursor{b: body}
	name := c.take(tagIntermediateName, "the name of an intermediate response")
	if c.err == nil && string(name) != oidSyncInfo {
		return nil, fmt.Errorf("%w: an intermediate response %q in a sync stream", ErrProtocol, name)
	}
	value := c.take(tagIntermediateValue, "the value of an intermediate response")
	c.end("an intermediate response")
	in := cursor{b: value}
	tag, content := in.any()
	in.end("the sync information")
	var m SyncMessage
	switch {
	case c.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrProtocol, c.err)
	case in.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrProtocol, in.err)
	case tag == tagNewCookie:
		d.cookie = SyncCookie{content}
		return &d.cookie, nil
	}
	in = cursor{b: content}
	switch tag {
	case tagRefreshDelete, tagRefreshPresent:
		d.phase = SyncPhase{Deletes: tag == tagRefreshDelete}
		d.phase.Cookie, d.phase.Done = in.cookieAndFlag(true)
		m = &d.phase
	case tagSyncIDSet:
		d.ids.IDs = d.ids.IDs[:0]
		d.ids.Cookie, d.ids.Gone = in.cookieAndFlag(false)
		set := cursor{b: in.take(tagSet, "the IDs")}
		for set.more() {
			id := set.take(tagOctetString, "an ID")
			if len(id) != len(SyncID{}) {
				set.fail("an ID of %d octets in an ID set", len(id))
				break
			}
			d.ids.IDs = append(d.ids.IDs, SyncID(id))
		}
		if in.err == nil {
			in.err = set.err
		}
		m = &d.ids
	default:
		in.fail("sync information with the tag 0x%02x", tag)
	}
	in.end("the sync information")
	if in.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, in.err)
	}
	return m, nil
}

// cookieAndFlag reads what sync information begins with: an optional cookie,
// and a flag with a default.
func (c *cursor) cookieAndFlag(flag bool) ([]byte, bool) {
	var cookie []byte
	if c.more() && c.b[0] == tagOctetString {
		cookie = c.take(tagOctetString, "the cookie")
	}
	if c.more() && c.b[0] == tagBoolean {
		if v := c.take(tagBoolean, "a flag"); len(v) == 1 {
			flag = v[0] != 0
		} else {
			c.fail("a flag of %d octets", len(v))
		}
	}
	return cookie, flag
}

// syncEnd is a Sync Done control.
type syncEnd struct {
	cookie  []byte
	deletes bool
}

// parseSyncDone reads the Sync Done control of a result; nil if there is none.
// Two are one if they say the same: slapd with dynlist sends it twice.
func parseSyncDone(controls []Control) (*syncEnd, error) {
	var found *Control
	for i := range controls {
		if controls[i].OID != oidSyncDone {
			continue
		}
		if found != nil && string(found.Value) != string(controls[i].Value) {
			return nil, fmt.Errorf("%w: two ends of one sync stream", ErrProtocol)
		}
		found = &controls[i]
	}
	if found == nil {
		return nil, nil
	}
	out := cursor{b: found.Value}
	c := cursor{b: out.take(tagSequence, "the end of the sync stream")}
	out.end("the end of the sync stream")
	end := &syncEnd{}
	end.cookie, end.deletes = c.cookieAndFlag(false)
	c.end("the end of the sync stream")
	if out.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, out.err)
	}
	if c.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, c.err)
	}
	return end, nil
}
