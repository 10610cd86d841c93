package ldapwire

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// WatchKind is how a server says at once that something moved.
type WatchKind uint8

const (
	// WatchSync is RFC 4533, refreshAndPersist.
	WatchSync WatchKind = iota + 1
	// WatchNotification is that of Active Directory. It takes no filter, and the
	// subtree of the root of a naming context only.
	WatchNotification
	// WatchPersistent is the persistent search of 389 DS and its kin
	// (draft-ietf-ldapext-psearch).
	WatchPersistent
)

func (k WatchKind) String() string {
	switch k {
	case WatchSync:
		return "refreshAndPersist (RFC 4533)"
	case WatchNotification:
		return "change notification"
	case WatchPersistent:
		return "persistent search"
	}
	return "none"
}

// Watching is what to watch.
type Watching struct {
	Kind  WatchKind
	Base  string
	Scope Scope
	// Cookie, for WatchSync, is from where on; without one everything is sent
	// first, and thrown away.
	Cookie []byte
}

// ErrWatchEnded: the server ended a watch that was to last.
var ErrWatchEnded = errors.New("the server ended the watch")

func (w Watching) control() (RequestControl, error) {
	switch w.Kind {
	case WatchSync:
		return syncControl(refreshAndPersist, SyncRequest{Cookie: w.Cookie}), nil
	case WatchNotification:
		return RequestControl{oid: OIDNotification}, nil
	case WatchPersistent:
		const allChanges = 1 | 2 | 4 | 8
		return RequestControl{oid: OIDPersistentSearch, value: element(tagSequence, number(tagInteger, allChanges), boolean(true), boolean(false))}, nil
	}
	return RequestControl{}, errors.New("no kind of watch")
}

// Watch holds a search open and calls moved for each thing that the server says,
// for as long as the context and the connection last; so it always ends with an
// error, and the connection with it. What it says is a hint and no more: things
// get lost when the connection does, and before it was made.
//
// Watching is called once, when the server has taken the search; of a kind that
// does not tell, when it was sent. Neither function may block, or use the
// connection. Nothing bounds the time but the context; a machine that is gone
// shows by the keep-alive of TCP, after about a minute.
func (c *Conn) Watch(ctx context.Context, w Watching, watching, moved func()) error {
	ctl, err := w.control()
	if err != nil {
		return c.fault(opNameWatch, w.Base, err)
	}
	if err := c.acquire(opNameWatch, w.Base); err != nil {
		return err
	}
	defer c.mu.Unlock()
	var d syncDecoder
	taken := false
	lane := func(m message) error {
		switch {
		case w.Kind != WatchSync:
			if m.op == opIntermediate {
				return fmt.Errorf("%w: an intermediate response to a watch", ErrProtocol)
			}
			moved()
		case m.op == opIntermediate:
			told, err := d.info(m.body)
			if err != nil {
				return err
			}
			switch told := told.(type) {
			case *SyncIDs:
				if taken || told.Gone {
					moved()
				}
			case *SyncPhase:
				if told.Done && !taken {
					taken = true
					c.w.patient.Store(true)
					watching()
				}
			}
		case m.op == opEntry && (taken || len(w.Cookie) > 0):
			moved()
		}
		return nil
	}
	request := ldap.NewSearchRequest(w.Base, int(w.Scope), ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"1.1"}, libraryControls([]RequestControl{ctl}))
	if w.Kind == WatchNotification {
		// 1.1 would be no attribute whose change to tell. Who was deleted is told of by
		// what is left of them, to whoever may see that.
		request.Attributes = []string{"objectGUID"}
		request.Controls = append(request.Controls, libraryControls([]RequestControl{ShowDeleted()})...)
	}
	_, err = c.run(ctx, opNameWatch, w.Base, lane, func() error {
		if w.Kind != WatchSync {
			c.w.patient.Store(true)
			watching()
		}
		_, err := c.l.Search(request)
		return err
	})
	if err == nil {
		err = c.fault(opNameWatch, w.Base, ErrWatchEnded)
	}
	c.kill(err)
	return err
}
