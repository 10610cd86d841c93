package ldap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

const engineDirSync = "dirsync"

// dirSync asks a domain controller for the changes since a cookie, as other
// controllers do ([MS-ADTS], 3.1.1.3.4.1.3). It tells of each entry what changed,
// of a group who came and who left, and who was deleted. It needs the right
// "Replicating Directory Changes", and never the one with "All" behind it, which
// hands out passwords.
type dirSync struct {
	s    *Source
	conn *ldapwire.Conn
	dc   controller
	// witness is a deleted object that is shown; none: nobody tells who was deleted.
	// The right to ask for changes is not enough on Samba, which hides what its list
	// of deleted objects hides, and does not say so.
	witness identity.ID
}

// dirSyncToken is the token, as JSON. The cookie would do on another controller
// too; a full compare there is what is sure.
type dirSyncToken struct {
	Invocation identity.ID `json:"invocation"`
	USN        uint64      `json:"usn"`
	Cookie     []byte      `json:"cookie"`
	Witness    identity.ID `json:"witness,omitempty"`
}

func newDirSync(s *Source, conn *ldapwire.Conn) engine { return &dirSync{s: s, conn: conn} }

func (d *dirSync) deletes() bool { return d.witness != "" }

// like: an attribute that was not asked for would not have been told.
func (d *dirSync) like() string { return strings.Join(d.attributes(), " ") }

const getChanges = `"Replicating Directory Changes" on the root of the domain (docs/directories/active-directory.md), not the one that ends in "All"`

func (d *dirSync) start(ctx context.Context) (token []byte, err error) {
	server := d.conn.Server()
	if !isAD(server) || !server.HasControl(ldapwire.OIDDirSync) {
		return nil, &unfitError{"the server does not know DirSync", `set changes = "auto"`}
	}
	if d.dc, err = d.s.last.onController(ctx, d.conn); err != nil {
		return nil, err
	}
	// A filter that nobody matches gives the cookie and no entries.
	done, err := d.ask(ctx, "("+objectGUID+"="+escapeOctets(make([]byte, 16))+")", []string{objectGUID}, nil, func(*ldapwire.Entry) error { return nil })
	if errors.Is(err, ldapwire.ErrInsufficientAccess) || errors.Is(err, ldapwire.ErrUnwilling) || errors.Is(err, ldapwire.ErrCriticalExtension) {
		return nil, &unfitError{fmt.Sprintf("%s may not ask for changes (%v)", orAnybody(server.BindDN), err), "give it the right " + getChanges}
	}
	if err != nil {
		return nil, err
	}
	if d.witness, err = d.anyDeleted(ctx); err != nil {
		return nil, err
	}
	return d.write(done.Cookie)
}

// anyDeleted is a deleted object that is shown, or none.
func (d *dirSync) anyDeleted(ctx context.Context) (identity.ID, error) {
	return d.shown(ctx, "("+attrDeleted+"=TRUE)")
}

// shown is one of the objects that match, as whoever asks for changes sees them.
func (d *dirSync) shown(ctx context.Context, filter string) (found identity.ID, err error) {
	root, err := domainRoot(d.conn.Server())
	if err != nil {
		return "", err
	}
	_, err = d.ask(ctx, filter, []string{objectGUID, attrDeleted}, nil, func(e *ldapwire.Entry) error {
		t, ok, err := traceOf(e, root)
		if ok && t.deleted {
			found = t.id
		}
		return err
	})
	return found, err
}

func (d *dirSync) write(cookie []byte) ([]byte, error) {
	out, err := json.Marshal(dirSyncToken{d.dc.invocation, d.dc.usn, cookie, d.witness})
	if err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return out, nil
}

func readDirSyncToken(b []byte) (dirSyncToken, error) {
	var t dirSyncToken
	if err := json.Unmarshal(b, &t); err != nil || t.Invocation == "" || len(t.Cookie) == 0 {
		return dirSyncToken{}, &directory.LostError{Why: "the token is not one of this engine", Err: err}
	}
	return t, nil
}

func (d *dirSync) moved(ctx context.Context, token []byte, _ directory.Knowledge) (bool, error) {
	was, err := readDirSyncToken(token)
	if err != nil {
		return false, err
	}
	d.witness = was.Witness
	if d.dc, err = d.s.last.onController(ctx, d.conn); err != nil {
		return false, err
	}
	if err := d.dc.same(usnToken{Invocation: was.Invocation, USN: was.USN}); err != nil {
		return false, err
	}
	return d.dc.usn != was.USN, nil
}

// ask does DirSync over the domain.
func (d *dirSync) ask(ctx context.Context, filter string, attributes []string, cookie []byte, sink func(*ldapwire.Entry) error) (ldapwire.DirSyncDone, error) {
	root, err := domainRoot(d.conn.Server())
	if err != nil {
		return ldapwire.DirSyncDone{}, err
	}
	req := d.s.request(d.conn, true, ldapwire.Request{Base: root.String(), Scope: ldapwire.ScopeSubtree, Filter: filter, Attributes: attributes,
		Controls: showDeleted(d.conn.Server())})
	req.ReadLong = false
	return d.conn.DirSync(ctx, req, ldapwire.DirSyncRequest{Flags: ldapwire.DirSyncIncrementalValues, Cookie: cookie}, sink)
}

// attributes are those whose changes matter: others are not told.
func (d *dirSync) attributes() []string {
	return compact(append(append(d.s.personAttributes(), d.s.groupAttributes()...), append(filterAttributes(d.s.cfg.Groups.Filter),
		"objectClass", "objectCategory", "name", "parentGUID", attrDeleted, objectGUID)...))
}

func (d *dirSync) news(ctx context.Context, token []byte, n *news) ([]byte, error) {
	was, err := readDirSyncToken(token)
	if err != nil {
		return nil, err
	}
	root, err := domainRoot(d.conn.Server())
	if err != nil {
		return nil, err
	}
	filter := "(objectClass=*)"
	if without := d.s.notComputers(); without != "" {
		filter = "(&" + filter + without + ")"
	}
	witness := identity.ID("")
	done, err := d.ask(ctx, filter, d.attributes(), was.Cookie, func(e *ldapwire.Entry) error {
		t, ok, err := traceOf(e, root)
		if err != nil || !ok {
			return err
		}
		if t.deleted {
			witness = t.id
		}
		if err := n.meet(t); err != nil {
			return err
		}
		if edit, ok := d.edit(e, t); ok {
			n.edits = append(n.edits, edit)
			return nil
		}
		return n.trace(d.s, t)
	})
	if answered := (*ldapwire.Error)(nil); errors.As(err, &answered) && answered.Code != 0 && !answered.Transient() {
		// Servers have several codes for a cookie that they do not want.
		return nil, &directory.LostError{Why: "the server does not go on from the cookie", Err: err}
	}
	if err != nil {
		return nil, err
	}
	if d.witness, err = d.stillShown(ctx, witness, was.Witness, n); err != nil {
		return nil, err
	}
	return d.write(done.Cookie)
}

// stillShown is a deleted object that is shown now: one that just came, the one of
// before, or any. None any more is a reason to look who is gone.
func (d *dirSync) stillShown(ctx context.Context, came, before identity.ID, n *news) (identity.ID, error) {
	if came != "" || before == "" {
		return came, nil
	}
	if filter, ok := idFilter(objectGUID, before); ok {
		if found, err := d.shown(ctx, filter); err != nil || found != "" {
			return found, err
		}
	}
	found, err := d.anyDeleted(ctx) // that one may have expired
	if err == nil && found == "" {
		n.sweep = "deleted objects are not shown any more, so nothing tells who was deleted"
	}
	return found, err
}

// alwaysTold come with every change.
var alwaysTold = map[string]bool{"objectguid": true, "instancetype": true, "distinguishedname": true}

// edit is what a group gained and lost, if that is all that changed of it.
func (d *dirSync) edit(e *ldapwire.Entry, t trace) (directory.Edit, bool) {
	out := directory.Edit{Group: t.id}
	if t.deleted {
		return out, false
	}
	members := map[string]bool{}
	for _, m := range d.s.cfg.Groups.Members {
		members[canonical(m)] = true
	}
	for i := range e.Attributes {
		a := &e.Attributes[i]
		var to *[]directory.Member
		switch {
		case alwaysTold[a.Name] && a.Part == ldapwire.Whole:
			continue
		case !members[a.Name]:
			return out, false
		case a.Part == ldapwire.Gained:
			to = &out.Gained
		case a.Part == ldapwire.Lost:
			to = &out.Lost
		default:
			return out, false // all of them came
		}
		for _, v := range a.Values {
			dn, err := identity.ParseDN(string(v))
			if err != nil || dn.IsZero() {
				return out, false
			}
			*to = append(*to, directory.Member{DN: dn})
		}
	}
	return out, len(out.Gained)+len(out.Lost) > 0
}
