package ldap

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

const engineSyncrepl = "syncrepl"

// syncrepl asks a provider for what changed (RFC 4533, as slapd's syncprov has
// it). It asks for all entries of the tree, by their IDs alone: so it hears of
// whoever leaves base or filter, and of every container.
//
// What syncprov calls deleted is not there any more for who asks: it may be
// deleted, or changed and hidden. So that is evidence only beside others that are
// seen in the same container.
type syncrepl struct {
	s    *Source
	conn *ldapwire.Conn
}

// syncToken is the token, as JSON: for each root what was seen of it.
type syncToken struct {
	Roots []syncRoot `json:"roots"`
}

type syncRoot struct {
	Root   string `json:"root"`
	Suffix string `json:"suffix"`
	Cookie string `json:"cookie"`
}

func newSyncrepl(s *Source, conn *ldapwire.Conn) engine {
	if s.profile.name == server389 {
		return newSync389(s, conn)
	}
	return &syncrepl{s, conn}
}

func (r *syncrepl) deletes() bool { return true }

// like: a cookie is good on every provider that has seen as much.
func (r *syncrepl) like() string { return "" }

func (r *syncrepl) start(ctx context.Context) ([]byte, error) {
	server := r.conn.Server()
	if server.Known() && !server.HasControl(ldapwire.OIDSync) {
		return nil, &unfitError{"the server does not tell changes (RFC 4533)", "load the overlay syncprov into the database to see each change at its cost"}
	}
	if !strings.EqualFold(r.s.cfg.IDAttribute, entryUUID) {
		return nil, &unfitError{"it knows entries by entryUUID, and id_attribute is " + r.s.cfg.IDAttribute, ""}
	}
	roots, err := r.s.roots(ctx, r.conn)
	if err != nil {
		return nil, err
	}
	seen := r.s.knowledge(ctx, r.conn, false)
	var token syncToken
	for _, root := range roots {
		suffix := r.suffix(root)
		cookie := cookieOf(seen, suffix)
		if cookie == "" {
			return nil, &unfitError{fmt.Sprintf("the server does not show what it has seen of %q (contextCSN)", root), fmt.Sprintf("load the overlay syncprov into the database, and let %s read %q", orAnybody(server.BindDN), suffix)}
		}
		one := syncRoot{Root: root.String(), Suffix: suffix, Cookie: cookie}
		if err := r.searchable(ctx, one); err != nil {
			return nil, err
		}
		// One question, so that a database without the overlay is known by its answer.
		if _, err := r.ask(ctx, one, func(ldapwire.SyncMessage) error { return nil }); err != nil {
			return nil, err
		}
		token.Roots = append(token.Roots, one)
	}
	return token.text()
}

// suffix is the naming context of a root.
func (r *syncrepl) suffix(root identity.DN) string {
	for _, n := range r.conn.Server().NamingContexts() {
		if dn, err := identity.ParseDN(n); err == nil && root.Within(dn) && !dn.IsZero() {
			return strings.ToLower(n)
		}
	}
	return ""
}

// cookieOf makes the cookie of somebody who has seen that much of a suffix.
func cookieOf(seen directory.Knowledge, suffix string) string {
	var csns []string
	for _, place := range slices.Sorted(maps.Keys(seen)) {
		if strings.HasPrefix(place, suffix+" server ") {
			csns = append(csns, seen[place])
		}
	}
	if len(csns) == 0 {
		return ""
	}
	return "rid=000,csn=" + strings.Join(csns, ";")
}

// searchable makes sure that entries are found by entryCSN: the server searches
// by it in our name, and leaves out in silence who is not found.
func (r *syncrepl) searchable(ctx context.Context, root syncRoot) error {
	found, err := r.conn.Any(ctx, ldapwire.Request{Base: root.Root, Scope: ldapwire.ScopeBase, Filter: "(entryCSN>=" + firstDay + csnStart + ")",
		IgnoreReferrals: r.s.cfg.IgnoreReferrals})
	if err == nil && !found {
		return &unfitError{"entries are not found by entryCSN", fmt.Sprintf("let %s search by entryCSN and entryUUID, and read them", orAnybody(r.conn.Server().BindDN))}
	}
	return err
}

func (r *syncrepl) ask(ctx context.Context, root syncRoot, sink func(ldapwire.SyncMessage) error) (ldapwire.SyncDone, error) {
	done, err := r.conn.Sync(ctx, ldapwire.Request{Base: root.Root, Scope: ldapwire.ScopeSubtree, IgnoreReferrals: r.s.cfg.IgnoreReferrals},
		ldapwire.SyncRequest{Cookie: []byte(root.Cookie)}, sink)
	switch {
	case errors.Is(err, ldapwire.ErrRefreshRequired), errors.Is(err, ldapwire.ErrUnwilling):
		return done, &directory.LostError{Why: "the server refuses the cookie", Err: err}
	case errors.Is(err, ldapwire.ErrCriticalExtension):
		return done, &unfitError{fmt.Sprintf("%q is in a database that does not tell changes", root.Root), "load the overlay syncprov into it"}
	}
	return done, err
}

func (t syncToken) text() ([]byte, error) {
	out, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return out, nil
}

// readSyncToken refuses what is not ours: slapd takes a cookie that it does not
// understand for none, and would not say so.
func readSyncToken(b []byte) (syncToken, error) {
	var out syncToken
	if err := json.Unmarshal(b, &out); err != nil {
		return out, &directory.LostError{Why: "the token is not one of this engine", Err: err}
	}
	for _, r := range out.Roots {
		if !strings.Contains(r.Cookie, "csn=") {
			return out, &directory.LostError{Why: "the cookie does not say what was seen"}
		}
	}
	if len(out.Roots) == 0 {
		return out, &directory.LostError{Why: "the token is not one of this engine"}
	}
	return out, nil
}

// csns are those of a cookie, by server.
func csns(cookie string) map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split(cookie, ",") {
		list, is := strings.CutPrefix(part, "csn=")
		if !is {
			continue
		}
		for _, csn := range strings.Split(list, ";") {
			if f := strings.Split(csn, "#"); len(f) == 4 {
				out[f[2]] = csn
			}
		}
	}
	return out
}

func (r *syncrepl) moved(_ context.Context, b []byte, seen directory.Knowledge) (bool, error) {
	token, err := readSyncToken(b)
	if err != nil {
		return false, err
	}
	for _, root := range token.Roots {
		if cookieOf(seen, root.Suffix) == "" || !maps.Equal(csns(root.Cookie), csns(cookieOf(seen, root.Suffix))) {
			return true, nil
		}
	}
	return false, nil
}

func (r *syncrepl) news(ctx context.Context, b []byte, n *news) ([]byte, error) {
	token, err := readSyncToken(b)
	if err != nil {
		return nil, err
	}
	for i, root := range token.Roots {
		if err := r.searchable(ctx, root); err != nil {
			return nil, err
		}
		done, err := r.refresh(ctx, root, n)
		if err != nil {
			return nil, err
		}
		// None came: the one of the request still holds.
		if len(done.Cookie) > 0 {
			if len(csns(string(done.Cookie))) == 0 {
				return nil, &directory.LostError{Why: fmt.Sprintf("the server sends a cookie that says nothing: %q", done.Cookie)}
			}
			token.Roots[i].Cookie = string(done.Cookie)
		}
	}
	return token.text()
}

// refresh asks for the changes of one root.
func (r *syncrepl) refresh(ctx context.Context, root syncRoot, n *news) (ldapwire.SyncDone, error) {
	bases := r.s.bases()
	present, phase := map[identity.ID]bool{}, false
	done, err := r.ask(ctx, root, func(m ldapwire.SyncMessage) error {
		switch m := m.(type) {
		case *ldapwire.SyncEntry:
			id := uuidOf(m.ID)
			switch m.State {
			case ldapwire.SyncDelete:
				n.lost(id, deletePhase)
				return nil
			case ldapwire.SyncPresent:
				present[id], phase = true, true
				return nil
			}
			present[id] = true
			dn, err := identity.ParseDN(string(m.Entry.DN))
			if err != nil {
				return fmt.Errorf("read the name of an entry: %w", err)
			}
			if !slices.ContainsFunc(bases, dn.Within) {
				n.touchOutside(id)
				return nil
			}
			return n.touch(id)
		case *ldapwire.SyncIDs:
			for _, raw := range m.IDs {
				if m.Gone {
					n.lost(uuidOf(raw), deletePhase)
				} else {
					present[uuidOf(raw)], phase = true, true
				}
			}
		}
		return nil
	})
	if err != nil {
		return done, err
	}
	// What is gone was not named: whoever is neither here nor there is looked for.
	// That they are absent proves nothing. Who names those who are present has not
	// named the deleted, whatever the end of the answer says.
	if !done.RefreshDeletes || phase {
		n.present = append(n.present, presence{root.Root, present})
	}
	return done, nil
}

const deletePhase = "the delete phase of the server, while others are seen in the same container"

// uuidOf is the text of an entryUUID.
func uuidOf(b ldapwire.SyncID) identity.ID {
	return identity.ID(dashed(b[:], 4, 6, 8, 10))
}

// dashed writes octets in hexadecimal, with dashes before some of them. A present
// phase names everybody.
func dashed(b []byte, before ...int) string {
	out := make([]byte, 0, 2*len(b)+len(before))
	from := 0
	for _, at := range append(before, len(b)) {
		if from > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, b[from:at])
		from = at
	}
	return string(out)
}
