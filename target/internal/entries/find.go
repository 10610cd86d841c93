package entries

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

const (
	// idsPerFilter is how many accounts one search asks for.
	idsPerFilter = 100
	// fewAccounts are looked at one by one, more of them together.
	fewAccounts = 16
	// knownLimit bounds the memory of places.
	knownLimit = 200_000
)

// search lists entries in all containers of accounts.
func (s *session) search(ctx context.Context, filter string, attributes ...string) ([]entry, error) {
	return s.searchIn(ctx, s.t.bases(), filter, attributes...)
}

func (s *session) searchIn(ctx context.Context, bases []string, filter string, attributes ...string) ([]entry, error) {
	var out []entry
	for _, base := range bases {
		recs, _, err := s.c.Collect(ctx, ldapwire.Request{Base: base, Scope: ldapwire.ScopeSubtree, Filter: filter, Attributes: s.t.attributes(attributes...), Controls: s.t.cfg.Controls})
		if err != nil {
			return nil, s.container(err, base)
		}
		for _, rec := range recs {
			e, err := s.t.entry(rec)
			if err != nil {
				return nil, err
			}
			s.t.remember(e)
			out = append(out, e)
		}
	}
	return out, nil
}

// container makes the error of a base that cannot be read: that is no missing
// account.
func (s *session) container(err error, base string) error {
	err = s.read(err)
	var e *target.Error
	if errors.As(err, &e) && e.Class == target.Missing {
		e.Class, e.Tip = target.Denied, "check the configuration: "+base+" is not there, or "+s.t.who()+" may not see it"
	}
	return err
}

func (t *Accounts) who() string {
	if t.cfg.Wire.BindDN != "" {
		return t.cfg.Wire.BindDN
	}
	return "rosterd's identity"
}

// byID finds accounts by their IDs, wherever they are: somebody may have moved one out
// of the containers of accounts, where it can be used as before and is ours to close.
func (s *session) byID(ctx context.Context, ids []target.NativeID, attributes ...string) (map[target.NativeID]entry, error) {
	out := make(map[target.NativeID]entry, len(ids))
	if err := s.byIDIn(ctx, s.t.bases(), ids, out, attributes...); err != nil {
		return nil, err
	}
	var away []target.NativeID
	for _, id := range ids {
		if _, found := out[id]; !found {
			away = append(away, id)
		}
	}
	if wide := s.beyond(); len(away) > 0 && wide != "" {
		err := s.byIDIn(ctx, []string{wide}, away, out, attributes...)
		if err != nil && (!s.t.cfg.Domain.IsZero() || ctx.Err() != nil || target.ClassOf(err) == target.Transient) {
			return nil, err
		}
		// Else a server that shows no more than the containers, or refers elsewhere.
	}
	return out, nil
}

// beyond is the largest part of the directory in which an account of ours can be:
// the domain, or the naming context; empty: it is not known, or no more than a base.
func (s *session) beyond() string {
	if d := s.t.cfg.Domain; !d.IsZero() {
		return d.String()
	}
	for _, nc := range s.c.Server().NamingContexts() {
		if top, err := identity.ParseDN(nc); err == nil && !top.IsZero() && s.t.cfg.Base.Within(top) && !top.Equal(s.t.cfg.Base) {
			return nc
		}
	}
	return ""
}

func (s *session) byIDIn(ctx context.Context, bases []string, ids []target.NativeID, out map[target.NativeID]entry, attributes ...string) error {
	for len(ids) > 0 {
		n := min(len(ids), idsPerFilter)
		var filter strings.Builder
		filter.WriteString("(|")
		for _, id := range ids[:n] {
			filter.WriteString(s.t.idFilter(id))
		}
		filter.WriteString(")")
		if ids = ids[n:]; filter.Len() == len("(|)") {
			continue // nobody can have those
		}
		found, err := s.searchIn(ctx, bases, filter.String(), attributes...)
		if err != nil {
			return err
		}
		for _, e := range found {
			if _, twice := out[e.id]; twice {
				return refused("name an attribute under id_attribute that no two entries share", "find an account: two entries have the ID %q", e.id)
			}
			out[e.id] = e
		}
	}
	return nil
}

// resolve finds the entries of the accounts as they are now. Those that are not
// there are not in the map.
func (s *session) resolve(ctx context.Context, refs []target.Ref, attributes ...string) (map[target.NativeID]entry, error) {
	out := make(map[target.NativeID]entry, len(refs))
	var open []target.NativeID
	for _, ref := range refs {
		if ref.ID == "" {
			return nil, refused("", "find the account %q: it has no ID", ref.Name)
		}
		if len(refs) > fewAccounts {
			open = append(open, ref.ID)
			continue
		}
		e, err := s.guess(ctx, ref, attributes...)
		if err != nil {
			return nil, err
		}
		if e.id == "" {
			open = append(open, ref.ID)
			continue
		}
		out[ref.ID] = e
	}
	found, err := s.byID(ctx, open, attributes...)
	if err != nil {
		return nil, err
	}
	for id, e := range found {
		out[id] = e
	}
	return out, nil
}

// guess reads the account where it was last seen, and where one of its name
// would be. What is found there must have the ID.
//
// Where the ID is not one that the server itself keeps apart, one entry that has it
// says nothing of another: then all are asked for.
func (s *session) guess(ctx context.Context, ref target.Ref, attributes ...string) (entry, error) {
	t := s.t
	if !slices.Contains([]string{"entryuuid", "nsuniqueid", "objectguid"}, strings.ToLower(t.cfg.IDAttribute)) {
		return entry{}, nil
	}
	t.mu.Lock()
	place := t.known[ref.ID]
	t.mu.Unlock()
	places := []string{place}
	if ref.Name != "" && place == "" && !t.titled() {
		places = append(places, identity.JoinRDN(t.cfg.RDN, ref.Name, t.cfg.Base).String())
	}
	for _, dn := range places {
		if dn == "" {
			continue
		}
		rec, err := s.c.Base(ctx, dn, t.attributes(attributes...)...)
		if errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry) {
			continue
		}
		if err != nil {
			return entry{}, s.read(err)
		}
		if target.NativeID(t.id(rec)) == ref.ID {
			return t.entry(rec)
		}
	}
	return entry{}, nil
}

// one finds one account, or says that it is missing.
func (s *session) one(ctx context.Context, ref target.Ref, attributes ...string) (entry, error) {
	found, err := s.resolve(ctx, []target.Ref{ref}, attributes...)
	if err != nil {
		return entry{}, err
	}
	e, ok := found[ref.ID]
	if !ok {
		return entry{}, s.gone(ref)
	}
	return e, nil
}

func (s *session) gone(ref target.Ref) error {
	return missing("", "%s: there is no account with the ID %q below %s", s.doing, ref.ID, strings.Join(s.t.bases(), " or "))
}

// free says whether no entry has the name. What may not be seen counts as an
// entry as long as the server does not deny it.
func (s *session) free(ctx context.Context, dn string) (bool, error) {
	_, err := s.c.Base(ctx, dn)
	switch {
	case errors.Is(err, ldapwire.ErrNoSuchObject):
		return true, nil
	case err == nil || errors.Is(err, ldapwire.ErrNoEntry):
		return false, nil
	}
	return false, s.read(err)
}

// remember notes where an account is, as a guess for next time.
func (t *Accounts) remember(e entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= knownLimit {
		clear(t.known)
	}
	t.known[e.id] = e.rec.DN
}
