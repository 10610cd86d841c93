package ldap

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// Some members stand in no entry of a group: those whose primary group it is by its
// gidNumber (RFC 2307), and those whom its memberURL finds (groupOfURLs). Where
// groups.members names these attributes, a read works them out. No change of a group
// tells that they changed, so everything is read each time.
const (
	gidNumber = "gidNumber"
	memberURL = "memberURL"
)

// derives is the first of the attributes by which members are to be worked out.
func (c Config) derives() string {
	for _, name := range []string{gidNumber, memberURL} {
		if c.derivesBy(name) {
			return name
		}
	}
	return ""
}

func (c Config) derivesBy(name string) bool {
	return slices.ContainsFunc(c.Groups.Members, func(m string) bool { return strings.EqualFold(canonical(m), name) })
}

// isDerived says whether an attribute, in lower case, holds no members itself.
func isDerived(name string) bool {
	return name == strings.ToLower(gidNumber) || name == strings.ToLower(memberURL)
}

// derived works out members within one read. People come before groups.
type derived struct {
	s *Source
	// numbered are the people by the number of their primary group; nil: nobody asks.
	numbered map[string][]identity.DN
	// waiting are groups whose URLs are to be asked.
	waiting []urlGroup
	// elsewhere counts the URLs that lead to nobody who is read.
	elsewhere int
}

type urlGroup struct {
	group directory.Entry
	urls  []string
}

func newDerived(s *Source) *derived {
	d := &derived{s: s}
	if s.cfg.derivesBy(gidNumber) {
		d.numbered = map[string][]identity.DN{}
	}
	return d
}

// person notes the number of somebody's primary group.
func (d *derived) person(e *ldapwire.Entry, dn identity.DN) {
	if d.numbered == nil {
		return
	}
	if n := e.First(strings.ToLower(gidNumber)); n != "" {
		d.numbered[n] = append(d.numbered[n], dn)
	}
}

// group adds the members by number, and keeps a group that has URLs: true if it does.
func (d *derived) group(e *ldapwire.Entry, out *directory.Entry) (kept bool) {
	if n := e.First(strings.ToLower(gidNumber)); n != "" {
		for _, dn := range d.numbered[n] {
			out.Members = append(out.Members, directory.Member{DN: dn})
		}
	}
	values := e.Values(strings.ToLower(memberURL))
	if len(values) == 0 || !d.s.cfg.derivesBy(memberURL) {
		return false
	}
	g := urlGroup{group: *out}
	for _, v := range values {
		g.urls = append(g.urls, string(v))
	}
	d.waiting = append(d.waiting, g)
	return true
}

// complete asks for those whom the URLs find, and hands the groups out.
func (d *derived) complete(ctx context.Context, conn *ldapwire.Conn, add func(directory.Entry) error) error {
	waiting := d.waiting
	d.waiting = nil
	for _, g := range waiting {
		for _, u := range g.urls {
			found, err := d.find(ctx, conn, u)
			if err != nil {
				return fmt.Errorf("find the members of %q by its %s %q: %w", g.group.DN, memberURL, u, err)
			}
			g.group.Members = append(g.group.Members, found...)
		}
		if err := add(g.group); err != nil {
			return err
		}
	}
	return nil
}

// find searches for whom a URL means, among the people who are read. One that leads
// to nobody of them, whatever is there, gives nobody.
func (d *derived) find(ctx context.Context, conn *ldapwire.Conn, text string) (out []directory.Member, err error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, fail(nil, "mend the URL, or leave the group out by groups.filter", "%v", err)
	}
	parts := u.within(d.s.people)
	if len(parts) == 0 {
		d.elsewhere++
		return nil, nil
	}
	for _, p := range parts {
		req := d.s.request(conn, false, ldapwire.Request{Base: p.base.String(), Scope: p.scope,
			Filter: "(&" + d.s.cfg.People.Filter + u.filter + ")", Attributes: []string{"1.1"}})
		_, err := conn.Search(ctx, req, func(e *ldapwire.Entry) error {
			dn, err := identity.ParseDN(string(e.DN))
			if err != nil {
				return fmt.Errorf("read the name of an entry: %w", err)
			}
			out = append(out, directory.Member{DN: dn})
			return nil
		})
		if errors.Is(err, ldapwire.ErrNoSuchObject) {
			// It may be there and hidden: nobody is taken out of the group for that.
			e := fail(ErrBase, fmt.Sprintf("mend the URL, or let %s read that entry and all below it", orAnybody(conn.Server().BindDN)), "%q not found, or no right to see it", p.base)
			e.err = err
			return nil, e
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// groupURL is a URL of RFC 4516 that means entries.
type groupURL struct {
	host   string
	base   identity.DN
	scope  ldapwire.Scope
	filter string
}

func parseURL(text string) (u groupURL, err error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !strings.EqualFold(scheme, "ldap") && !strings.EqualFold(scheme, "ldaps") {
		return u, fmt.Errorf("%q is no LDAP URL", text)
	}
	rest, _, _ = strings.Cut(rest, " ") // a label may follow
	u.host, rest, _ = strings.Cut(rest, "/")
	fields := strings.Split(rest, "?")
	for i, f := range fields {
		if fields[i], err = url.PathUnescape(f); err != nil {
			return u, fmt.Errorf("%q is no LDAP URL: %w", text, err)
		}
	}
	for len(fields) < 5 {
		fields = append(fields, "")
	}
	if u.base, err = identity.ParseDN(fields[0]); err != nil {
		return u, fmt.Errorf("%q is no LDAP URL: %w", text, err)
	}
	switch strings.ToLower(fields[2]) {
	case "", "base":
		u.scope = ldapwire.ScopeBase
	case "one":
		u.scope = ldapwire.ScopeOne
	case "sub":
		u.scope = ldapwire.ScopeSubtree
	default:
		return u, fmt.Errorf("%q has the scope %q, which is none", text, fields[2])
	}
	if u.filter = fields[3]; u.filter == "" {
		u.filter = "(objectClass=*)"
	}
	if !strings.HasPrefix(u.filter, "(") {
		u.filter = "(" + u.filter + ")"
	}
	if strings.HasPrefix(fields[4], "!") || len(fields) > 5 {
		return u, fmt.Errorf("%q asks for an extension that is not known", text)
	}
	return u, nil
}

// urlPart is a search that a URL comes to.
type urlPart struct {
	base  identity.DN
	scope ldapwire.Scope
}

// within are the searches among the people of the bases.
func (u groupURL) within(bases []identity.DN) []urlPart {
	if u.host != "" {
		return nil // another server, or this one by a name that only it knows
	}
	for _, b := range bases {
		if u.base.Equal(b) || u.base.Within(b) {
			return []urlPart{{u.base, u.scope}}
		}
	}
	var out []urlPart
	for _, b := range bases {
		if b.Within(u.base) && u.scope == ldapwire.ScopeSubtree {
			out = append(out, urlPart{b, u.scope})
		}
	}
	return out
}
