package ldap

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

const engineUSN = "usn"

// usn finds what changed on one domain controller by uSNChanged: each change of
// an entry gives it the next number of a counter that only this controller has.
//
// It needs no right beyond that of reading. Who was deleted it sees in Deleted
// Objects, where only administrators may look, unless they let others: a search
// succeeds for everybody, so what proves that it sees them is one that is seen.
type usn struct {
	s    *Source
	conn *ldapwire.Conn
	dc   controller
	// witness is a deleted object that is seen; none: nobody tells who was deleted.
	witness identity.ID
}

// usnToken is the token, as JSON.
type usnToken struct {
	Invocation identity.ID `json:"invocation"`
	USN        uint64      `json:"usn"`
	Witness    identity.ID `json:"witness,omitempty"`
}

func newUSN(s *Source, conn *ldapwire.Conn) engine { return &usn{s: s, conn: conn} }

func (u *usn) deletes() bool { return u.witness != "" }

// like is in the token, where it says what differs.
func (u *usn) like() string { return "" }

func (u *usn) start(ctx context.Context) (token []byte, err error) {
	if !isAD(u.conn.Server()) {
		return nil, &unfitError{"it is not Active Directory", `set changes = "auto"`}
	}
	// Before anything is listed: a change that is listed already is told again.
	if u.dc, err = u.s.last.onController(ctx, u.conn); err != nil {
		return nil, err
	}
	if u.witness, err = u.anyDeleted(ctx, u.dc.usn); err != nil {
		return nil, err
	}
	return u.write()
}

func (u *usn) write() ([]byte, error) {
	out, err := json.Marshal(usnToken{u.dc.invocation, u.dc.usn, u.witness})
	if err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return out, nil
}

func readUSNToken(b []byte) (usnToken, error) {
	var t usnToken
	if err := json.Unmarshal(b, &t); err != nil || t.Invocation == "" {
		return usnToken{}, &directory.LostError{Why: "the token is not one of this engine", Err: err}
	}
	return t, nil
}

func (u *usn) moved(ctx context.Context, token []byte, _ directory.Knowledge) (bool, error) {
	was, err := readUSNToken(token)
	if err != nil {
		return false, err
	}
	if u.dc, err = u.s.last.onController(ctx, u.conn); err != nil {
		return false, err
	}
	u.witness = was.Witness
	if err := u.dc.same(was); err != nil {
		return false, err
	}
	return u.dc.usn != was.USN, nil
}

// same says whether the numbers of a token mean something to this controller.
func (dc controller) same(was usnToken) error {
	url := dc.conn.Server().URL
	switch {
	case dc.invocation != was.Invocation:
		return &directory.LostError{Why: fmt.Sprintf("%s is another domain controller than before, or was restored from a backup (invocation ID %s, was %s)", url, dc.invocation, was.Invocation)}
	case dc.usn < was.USN:
		return &directory.LostError{Why: fmt.Sprintf("%s has gone back, as one that was copied back without being told so: its last change has the number %d, and %d was known", url, dc.usn, was.USN)}
	}
	return nil
}

func (u *usn) news(ctx context.Context, token []byte, n *news) ([]byte, error) {
	was, err := readUSNToken(token)
	if err != nil {
		return nil, err
	}
	root, err := domainRoot(u.conn.Server())
	if err != nil {
		return nil, err
	}
	witness := identity.ID("")
	err = u.look(ctx, root, fmt.Sprintf("(&(uSNChanged>=%d)%s)", was.USN+1, u.s.notComputers()), func(t trace) error {
		if t.deleted {
			witness = t.id
		}
		return n.trace(u.s, t)
	})
	if err != nil {
		return nil, err
	}
	if witness == "" && was.Witness != "" {
		if witness, err = u.stillSeen(ctx, was.Witness); err != nil {
			return nil, err
		}
		if witness == "" {
			n.sweep = "deleted objects are not seen any more, so nothing tells who was deleted"
		}
	}
	u.witness = witness
	return u.write()
}

// trace is an entry as an engine meets it.
type trace struct {
	id      identity.ID
	dn      identity.DN
	deleted bool
}

// trace notes an entry that changed.
func (n *news) trace(s *Source, t trace) error {
	if err := n.meet(t); err != nil {
		return err
	}
	switch {
	case t.deleted:
		n.gone[t.id] = "a tombstone"
	case !s.inBase(t.dn):
		n.touchOutside(t.id)
	default:
		return n.touch(t.id)
	}
	return nil
}

// meet refuses an ID that comes under two names: one that was renamed between two
// rounds, or two that are not told apart.
func (n *news) meet(t trace) error {
	if first, twice := n.at[t.id]; twice && !first.Equal(t.dn) {
		return &directory.LostError{Why: "an ID came twice, under two names", Err: fmt.Errorf("%s at %q and at %q", t.id, first, t.dn)}
	}
	n.at[t.id] = t.dn
	return nil
}

// look lists traces, of deleted objects too.
func (u *usn) look(ctx context.Context, root identity.DN, filter string, sink func(trace) error) error {
	req := u.s.request(u.conn, true, ldapwire.Request{Base: root.String(), Scope: ldapwire.ScopeSubtree, Filter: filter, Attributes: traceAttributes,
		Controls: showDeleted(u.conn.Server())})
	_, err := u.conn.Search(ctx, req, func(e *ldapwire.Entry) error {
		t, ok, err := traceOf(e, root)
		if err != nil || !ok {
			return err
		}
		return sink(t)
	})
	return err
}

// recentUSN is in how many changes a deleted object is looked for first.
const recentUSN = 100_000

// anyDeleted is a deleted object that is seen, or none.
func (u *usn) anyDeleted(ctx context.Context, last uint64) (identity.ID, error) {
	root, err := domainRoot(u.conn.Server())
	if err != nil {
		return "", err
	}
	var found identity.ID
	for _, since := range []uint64{last - min(last, recentUSN), 0} {
		err := u.look(ctx, root, fmt.Sprintf("(&(isDeleted=TRUE)(uSNChanged>=%d))", since), func(t trace) error {
			if t.deleted {
				found = t.id
			}
			return nil
		})
		if err != nil || found != "" || since == 0 {
			return found, err
		}
	}
	return found, nil
}

// stillSeen says whether a deleted object is seen yet, or any other.
func (u *usn) stillSeen(ctx context.Context, id identity.ID) (identity.ID, error) {
	filter, ok := idFilter(objectGUID, id)
	root, err := domainRoot(u.conn.Server())
	if err != nil || !ok {
		return "", err
	}
	var found identity.ID
	err = u.look(ctx, root, filter, func(t trace) error {
		found = t.id
		return nil
	})
	if err != nil || found != "" {
		return found, err
	}
	// Deleted objects are kept for half a year.
	return u.anyDeleted(ctx, u.dc.usn)
}
