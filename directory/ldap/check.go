package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// sampleSize is how many people are looked at with everything they show.
const sampleSize = 20

// Check connects, reads everything once and says what it found. The error is
// only of connecting and of the context; what is wrong beyond is in the report.
func (s *Source) Check(ctx context.Context) (directory.Report, error) {
	conn, err := ldapwire.Dial(ctx, s.cfg.wire())
	if err != nil {
		return directory.Report{}, fmt.Errorf("check source %s: %w", s.name, err)
	}
	defer conn.Close() //nolint:errcheck // only read
	s = s.on(conn.Server())
	c := &checking{source: s, conn: conn, seen: map[string]int{}, people: map[string]bool{}, groups: map[string]bool{}, logins: map[string]bool{}}
	c.report.Server = fmt.Sprintf("%s at %s", product(conn.Server()), conn.Server().URL)
	c.whom(conn.Server())
	r, err := s.read(ctx, c, false)
	if ctx.Err() != nil {
		return directory.Report{}, fmt.Errorf("check source %s: %w", s.name, ctx.Err())
	}
	if err != nil {
		c.broken(hintOf(err), "%v", err)
		return c.report, nil
	}
	c.counts(r)
	c.following(r)
	c.domain(ctx, r)
	c.provider(ctx, r)
	c.pushes(ctx)
	c.lookups(ctx)
	c.sampled(ctx)
	c.tooMuch(ctx)
	c.members(r)
	if err := ctx.Err(); err != nil {
		return directory.Report{}, fmt.Errorf("check source %s: %w", s.name, err)
	}
	return c.report, nil
}

// product is what a server says it is, in its root entry.
func product(s ldapwire.Server) string {
	root := s.RootDSE
	has := func(name, value string) bool {
		return slices.ContainsFunc(root.Values(name), func(v string) bool { return strings.EqualFold(v, value) })
	}
	switch {
	case isAD(s) && strings.HasPrefix(root.First("vendorName"), "Samba"):
		return activeDirectory + " (Samba)"
	case isAD(s):
		return activeDirectory
	case has("objectClass", "OpenLDAProotDSE"):
		return openLDAP
	case root.First("vendorVersion") != "":
		return root.First("vendorVersion")
	case root.First("vendorName") != "":
		return root.First("vendorName")
	}
	return "an LDAP server"
}

const (
	activeDirectory = "Active Directory"
	openLDAP        = "OpenLDAP"
)

// checking is one Check in progress; it is the stage of its own read.
type checking struct {
	source *Source
	conn   *ldapwire.Conn
	report directory.Report

	seen     map[string]int // people who show the attribute
	people   map[string]bool
	groups   map[string]bool
	logins   map[string]bool
	sample   []identity.DN
	known    []directory.Known
	refs     []directory.Member
	empty    int // groups without members
	disabled int
	// ended and toCome are by their dates; unread are those of whom that cannot be
	// told, and why says it of one of them.
	ended, toCome, unread int
	why                   string
}

func (c *checking) note(level directory.Level, hint, format string, args ...any) {
	c.report.Notes = append(c.report.Notes, directory.Note{Level: level, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *checking) broken(hint, format string, args ...any) {
	c.note(directory.Broken, hint, format, args...)
}

// Add looks at what is read and keeps names only.
func (c *checking) Add(entries []directory.Entry) error {
	for _, e := range entries {
		if e.Kind == directory.Container {
			continue
		}
		if e.Kind == directory.Group {
			c.groups[e.DN.Key()] = true
			c.refs = append(c.refs, e.Members...)
			if len(e.Members) == 0 {
				c.empty++
			}
			continue
		}
		c.people[e.DN.Key()] = true
		c.logins[strings.ToLower(e.Login)] = true
		for _, a := range e.Attributes.List() {
			c.seen[a.Name]++
		}
		c.account(&e)
		if len(c.sample) < sampleSize {
			c.sample = append(c.sample, e.DN)
			c.known = append(c.known, directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN})
		}
	}
	return nil
}

// whom reports on the server and the connection.
func (c *checking) whom(server ldapwire.Server) {
	cfg := c.source.cfg
	c.note(directory.Fine, "", "bound as %s", bindIdentity(server))
	found := product(server)
	switch {
	case cfg.Server == "openldap" && found != openLDAP:
		c.note(directory.Warning, `set server = "auto"`, `server = "openldap", and this is %s`, found)
	case !server.Known():
		c.note(directory.Warning, "let the bind user read the root entry, so that the server can be told", "the server hides what it is")
	}
	if server.BindDN == "" && cfg.SASL == "" {
		c.note(directory.Warning, "set bind_dn and password", "the directory is read as anybody")
	}
	if cfg.AllowPlaintext && strings.HasPrefix(strings.ToLower(server.URL), "ldap://") {
		c.note(directory.Warning, "take allow_plaintext out: StartTLS is used then, or use an ldaps:// URL", "passwords and people cross the network in plain text")
	}
	if len(cfg.Canaries) == 0 {
		c.note(directory.Warning, "name an entry that never goes away in canaries, best one for each container", "there is no canary: a loss of rights is noticed only by how many are missing")
	}
}

func (c *checking) counts(r *reading) {
	level := directory.Fine
	hint := ""
	if r.people == 0 {
		level, hint = directory.Warning, "check bases and filter of people, and the rights of the bind user"
	}
	c.note(level, hint, "%s and %s were read, all of them", counted(r.people, "person", "people"), counted(r.groups, "group", "groups"))
	c.accounts()
	if r.people == 0 {
		return
	}
	p := c.source.cfg.Person
	if n := c.seen[strings.ToLower(p.Login)]; n > 0 && n < r.people {
		c.note(directory.Warning, "", "%d of %d people have no %s, their login", r.people-n, r.people, p.Login)
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// lookups tries whether entries are found by ID: without that nobody is ever
// presumed gone.
func (c *checking) lookups(ctx context.Context) {
	findings, err := c.source.find(ctx, c.known)
	if err != nil {
		c.broken(hintOf(err), "find people by ID: %v", err)
		return
	}
	for i, f := range findings {
		if !f.Found {
			c.broken("let the bind user search by "+c.source.cfg.IDAttribute, "%q is listed, and not found by its ID %s", c.known[i].DN, f.ID)
			return
		}
	}
}

// passwords are attributes by which whoever reads them can be somebody else:
// passwords, what is made of them, and keys.
var passwords = []string{"userPassword", "authPassword", "pwdHistory", "unixUserPassword", "msSFU30Password", "unicodePwd", "sambaNTPassword", "sambaLMPassword",
	"sambaPasswordHistory", "ipaNTHash", "krbPrincipalKey", "ms-Mcs-AdmPwd", "msLAPS-Password"}

// sampled looks at some people with everything they show.
func (c *checking) sampled(ctx context.Context) {
	if len(c.sample) == 0 {
		return
	}
	exists := map[string]bool{}
	shown := map[string]int{}
	for _, dn := range c.sample {
		rec, err := c.conn.BaseWhole(ctx, dn.String(), "*", "+")
		if errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry) {
			continue // deleted since
		}
		if err != nil {
			c.broken(hintOf(err), "look at %q: %v", dn, err)
			return
		}
		for _, a := range rec.Attributes {
			exists[a.Name] = true
		}
		for _, name := range passwords {
			if len(rec.Values(name)) > 0 {
				shown[name]++
			}
		}
	}
	for _, name := range passwords {
		if n := shown[name]; n > 0 {
			c.note(directory.Warning, "take the right to read "+name+" from it: rosterd needs no passwords", "%s may read passwords (%s of %d of %d people)", orAnybody(c.conn.Server().BindDN), name, n, len(c.sample))
		}
	}
	for _, name := range c.source.coverage.Names() {
		// The one of other servers, where the file leaves open what this one is.
		other := c.source.given.Person.Login == "" && name == genericServer.login && !strings.EqualFold(name, c.source.cfg.Person.Login)
		if c.seen[name] > 0 || other {
			continue
		}
		hint := "if it should be there, let the bind user read it, or check the spelling"
		if near := nearest(name, exists); near != "" {
			hint += fmt.Sprintf("; there is %q", near)
		}
		c.note(directory.Warning, hint, "nobody has the attribute %q", name)
	}
}

// members reports on what groups refer to.
func (c *checking) members(r *reading) {
	dangling := 0
	for _, m := range c.refs {
		switch {
		case m.Login != "":
			if !c.logins[strings.ToLower(m.Login)] {
				dangling++
			}
		case !c.people[m.DN.Key()] && !c.groups[m.DN.Key()]:
			dangling++
		}
	}
	if dangling > 0 {
		c.note(directory.Fine, "", "%d of %d members of groups are nobody who is read: they give nothing", dangling, len(c.refs))
	}
	if r.derived != nil && r.derived.elsewhere > 0 {
		c.note(directory.Warning, "only who is read as people of this source can be a member: another server, or another base, is another source", "%d URLs of groups lead elsewhere and give nobody", r.derived.elsewhere)
	}
	if r.unreadable > 0 {
		c.note(directory.Warning, "look for values of member that are not DNs", "%d members of groups are left out, since their names are none", r.unreadable)
	}
	if r.groups > 0 && c.empty == r.groups {
		c.note(directory.Warning, fmt.Sprintf("let the bind user read %s, or set members under groups", strings.Join(c.source.cfg.Groups.Members, ", ")),
			"not one of %d groups shows a member", r.groups)
	}
}

// CheckGroups says which of the groups that the policy names cannot be used:
// not there, outside the bases, not matching the filter. The error is of the
// connection.
func (s *Source) CheckGroups(ctx context.Context, dns []string) ([]directory.Note, error) {
	conn, err := ldapwire.Dial(ctx, s.cfg.wire())
	if err != nil {
		return nil, fmt.Errorf("check groups in source %s: %w", s.name, err)
	}
	defer conn.Close() //nolint:errcheck // only read
	s = s.on(conn.Server())
	c := &checking{source: s, conn: conn}
	for _, text := range dns {
		dn, err := identity.ParseDN(text)
		if err != nil {
			c.broken("write the DN of a group", "the group %q: %v", text, err)
			continue
		}
		if err := c.group(ctx, dn); err != nil {
			return nil, fmt.Errorf("check groups in source %s: %w", s.name, err)
		}
	}
	return c.report.Notes, nil
}

func (c *checking) group(ctx context.Context, dn identity.DN) error {
	found, _, err := c.conn.Collect(ctx, ldapwire.Request{Base: dn.String(), Scope: ldapwire.ScopeBase, Filter: c.source.cfg.Groups.Filter,
		Attributes: []string{c.source.cfg.IDAttribute}, IgnoreReferrals: c.source.cfg.IgnoreReferrals})
	switch {
	case errors.Is(err, ldapwire.ErrNoSuchObject):
		c.broken("check the spelling; if the group was renamed, write its new DN", "there is no group %q, or no right to see it", dn)
		return nil
	case err != nil:
		return err
	case len(found) == 0:
		c.broken("check the filter of groups: "+c.source.cfg.Groups.Filter, "%q is no group by the filter, or hidden", dn)
	case !slices.ContainsFunc(c.source.groups, dn.Within):
		c.broken("add its container to the bases of groups", "the group %q is in none of the bases, so it is not read", dn)
	}
	return nil
}
