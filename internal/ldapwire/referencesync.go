package ldapwire

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// libraryItem is one message of a sync stream as go-ldap hands it out.
type libraryItem struct {
	entry    *ldap.Entry
	referral string
	controls []ldap.Control
}

// referenceSync reads a sync stream with go-ldap: its asynchronous search is the
// one that keeps the controls of entries and the intermediate responses. What
// that loses without an error (its Err is nil after a cancelled context and on
// a closed connection) shows in what the wire counted.
func (c *Conn) referenceSync(ctx context.Context, l *listing) (controls []Control, err error) {
	var items []libraryItem
	out, err := c.run(ctx, opNameSearch, l.req.Base, nil, func() error {
		// Not with our context: that closes the connection, and this ends.
		r := c.l.SearchAsync(context.Background(), l.request(), 64)
		for r.Next() {
			items = append(items, libraryItem{r.Entry(), r.Referral(), r.Controls()})
		}
		return r.Err()
	})
	if err != nil {
		return nil, err
	}
	defer c.referenceEnd(l, &controls, &err)
	var end []ldap.Control
	entries, refs, infos := 0, 0, 0
	for i, it := range items {
		switch {
		case it.entry != nil:
			entries++
			states, err := encodeStates(it.controls)
			if err != nil {
				return nil, err
			}
			if err := l.libraryEntry(ctx, it.entry, states); err != nil {
				return nil, err
			}
		case it.referral != "":
			refs++
			l.reference([]string{it.referral})
		case i == len(items)-1 && len(out.result.controls) > 0:
			end = it.controls
		default:
			infos++
			if len(it.controls) != 1 {
				return nil, fmt.Errorf("%w: an intermediate response with %d parts", ErrProtocol, len(it.controls))
			}
			body, err := encodeInfo(it.controls[0])
			if err != nil {
				return nil, err
			}
			if err := l.info(body); err != nil {
				return nil, err
			}
		}
	}
	if entries != out.entries || refs != out.refs || infos != out.infos || len(end) != len(out.result.controls) {
		return nil, fmt.Errorf("%w: go-ldap lost entries", ErrProtocol)
	}
	return out.result.controls, agree(out.result.controls, end)
}

// encodeStates writes the sync states that go-ldap decoded as controls again,
// so that one reader of ours judges what either made of them.
func encodeStates(controls []ldap.Control) ([]Control, error) {
	var out []Control
	for _, ctl := range controls {
		s, ok := ctl.(*ldap.ControlSyncState)
		if !ok {
			continue
		}
		if s.State < 0 || int(s.State) >= len(syncStates) {
			return nil, fmt.Errorf("%w: the sync state %d is none", ErrProtocol, s.State)
		}
		parts := [][]byte{number(tagEnumerated, int32(s.State)), element(tagOctetString, s.EntryUUID[:])}
		if s.Cookie != nil {
			parts = append(parts, element(tagOctetString, s.Cookie))
		}
		out = append(out, Control{OID: oidSyncState, Value: element(tagSequence, parts...)})
	}
	return out, nil
}

// encodeInfo does so with sync information.
func encodeInfo(ctl ldap.Control) ([]byte, error) {
	info, ok := ctl.(*ldap.ControlSyncInfo)
	if !ok {
		return nil, fmt.Errorf("%w: an intermediate response %q in a sync stream", ErrProtocol, ctl.GetControlType())
	}
	members := func(cookie []byte, flag bool, more ...[]byte) [][]byte {
		var out [][]byte
		if cookie != nil {
			out = append(out, element(tagOctetString, cookie))
		}
		return append(append(out, boolean(flag)), more...)
	}
	var value []byte
	switch {
	case info.NewCookie != nil:
		// go-ldap v3.4.15 loses it; in a refresh nobody may keep it anyway.
		value = element(tagNewCookie, info.NewCookie.Cookie)
	case info.RefreshDelete != nil:
		value = element(tagRefreshDelete, members(info.RefreshDelete.Cookie, info.RefreshDelete.RefreshDone)...)
	case info.RefreshPresent != nil:
		value = element(tagRefreshPresent, members(info.RefreshPresent.Cookie, info.RefreshPresent.RefreshDone)...)
	case info.SyncIdSet != nil:
		var ids [][]byte
		for _, id := range info.SyncIdSet.SyncUUIDs {
			ids = append(ids, element(tagOctetString, id[:]))
		}
		value = element(tagSyncIDSet, members(info.SyncIdSet.Cookie, info.SyncIdSet.RefreshDeletes, element(tagSet, ids...))...)
	default:
		return nil, fmt.Errorf("%w: sync information that says nothing", ErrProtocol)
	}
	return append(element(tagIntermediateName, []byte(oidSyncInfo)), element(tagIntermediateValue, value)...), nil
}
