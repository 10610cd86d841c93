package ldap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// shape turns the entries of a server into those of the contract, one after the
// other.
type shape struct {
	s          *Source
	id         string // names as they come
	login      string
	mail       string
	name       string
	key        string
	groupName  string
	members    []string
	believed   []string            // of the account
	people     map[string][]string // see wanted
	groups     map[string][]string
	groupCover identity.Coverage
	kept       []kept // scratch of take
}

func (s *Source) shape() *shape {
	p := s.cfg.Person
	h := &shape{s: s, id: canonical(s.cfg.IDAttribute), login: p.Login, mail: p.Mail, name: p.Name, key: p.Key,
		groupName: s.cfg.Groups.Name, believed: believed(s.cfg.AccountState), groupCover: identity.NewCoverage(s.cfg.Groups.Name)}
	h.people, h.groups = wanted(s.coverage), wanted(h.groupCover)
	for _, m := range s.cfg.Groups.Members {
		if name := canonical(m); !isDerived(name) {
			h.members = append(h.members, name)
		}
	}
	return h
}

// personAttributes and groupAttributes are what is asked for.
func (s *Source) personAttributes() []string {
	p := s.cfg.Person
	names := slices.Concat(s.coverage.Names(), []string{s.cfg.IDAttribute}, believed(s.cfg.AccountState))
	for _, n := range []string{p.Login, p.Mail, p.Name, p.Key} {
		if n != "" {
			names = append(names, n)
		}
	}
	if s.linked() {
		names = append(names, primaryGroupID, objectSID)
	}
	if s.cfg.derivesBy(gidNumber) {
		names = append(names, gidNumber)
	}
	return compact(names)
}

func (s *Source) groupAttributes() []string {
	names := append(slices.Clone(s.cfg.Groups.Members), s.cfg.IDAttribute, s.cfg.Groups.Name)
	if s.linked() {
		names = append(names, objectSID)
	}
	return compact(names)
}

// compact drops names that occur twice, in any case: slapd answers twice to
// some of them.
func compact(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, n) }) {
			out = append(out, n)
		}
	}
	return out
}

// entry makes what a person and a group have in common.
func (h *shape) entry(kind directory.Kind, e *ldapwire.Entry, want map[string][]string, coverage identity.Coverage) (directory.Entry, error) {
	dn, err := identity.ParseDN(string(e.DN))
	if err != nil {
		return directory.Entry{}, fmt.Errorf("read the name of an entry: %w", err)
	}
	if dn.IsZero() {
		return directory.Entry{}, fail(ErrID, "narrow the base", "an entry without a name is no %s", kind)
	}
	id, err := h.identify(e)
	if err != nil {
		return directory.Entry{}, err
	}
	return directory.Entry{Kind: kind, ID: id, DN: dn, Attributes: identity.NewAttributes(coverage, h.take(e, want))}, nil
}

func (h *shape) identify(e *ldapwire.Entry) (identity.ID, error) {
	values := e.Values(h.id)
	var id identity.ID
	var unfit error
	if len(values) == 1 {
		if id, unfit = idOf(h.id, values[0]); unfit == nil {
			return id, nil
		}
	}
	hint := "it must be readable, and have one value, for every entry that is listed: check the access rules for " + h.s.cfg.IDAttribute + ", and id_attribute"
	switch {
	case len(values) == 0:
		return "", fail(ErrID, hint, "the entry %q shows no %s", e.DN, h.s.cfg.IDAttribute)
	case len(values) > 1:
		return "", fail(ErrID, hint, "the entry %q has %d values of %s", e.DN, len(values), h.s.cfg.IDAttribute)
	}
	return "", fail(ErrID, hint, "%s of the entry %q: %v", h.s.cfg.IDAttribute, e.DN, unfit)
}

func (h *shape) person(e *ldapwire.Entry) (directory.Entry, error) {
	out, err := h.entry(directory.Person, e, h.people, h.s.coverage)
	if err != nil {
		return directory.Entry{}, err
	}
	out.Login, out.Mail, out.Name = h.one(out, e, h.login), h.one(out, e, h.mail), h.one(out, e, h.name)
	if h.key != "" {
		out.RehireKey = h.one(out, e, h.key)
	}
	out.Validity = validity(e, h.believed, h.s.profile.account)
	return out, nil
}

// group also counts the members that cannot be told, since their names are
// none. They are nobody, and nobody's membership is lost by leaving them out.
func (h *shape) group(e *ldapwire.Entry) (out directory.Entry, unreadable int, err error) {
	if out, err = h.entry(directory.Group, e, h.groups, h.groupCover); err != nil {
		return directory.Entry{}, 0, err
	}
	out.Name = one(out, h.groupName)
	n := 0
	for _, name := range h.members {
		n += len(e.Values(name))
	}
	if n > 0 {
		out.Members = make([]directory.Member, 0, n)
	}
	for _, name := range h.members {
		for _, v := range e.Values(name) {
			m := directory.Member{}
			if name == "memberuid" {
				m.Login = string(v)
			} else if m.DN, err = identity.ParseDN(memberDN(string(v))); err != nil {
				m = directory.Member{}
			}
			if m.Login == "" && m.DN.IsZero() {
				unreadable++
				continue
			}
			out.Members = append(out.Members, m)
		}
	}
	return out, unreadable, nil
}

// memberDN takes the bit string off a name with optional UID (RFC 4517,
// 3.3.21), the syntax of uniqueMember: cn=x,dc=example#'0101'B.
func memberDN(s string) string {
	rest, ok := strings.CutSuffix(s, "'B")
	if !ok {
		return s
	}
	name, bits, ok := cutLast(rest, "#'")
	if !ok || strings.Trim(bits, "01") != "" {
		return s
	}
	return name
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// one is the value of an attribute that should have one: of several that by
// which the entry is named, else the one that the server sent first.
func one(e directory.Entry, name string) string {
	values, _ := e.Attributes.Get(name)
	if len(values) > 1 {
		for _, ava := range e.DN.RDN() {
			if strings.EqualFold(canonical(ava.Type), canonical(name)) && slices.Contains(values, ava.Value) {
				return ava.Value
			}
		}
	}
	return e.Attributes.First(name)
}

// one is that of an attribute which the coverage may lack, since only the server
// said which one it is.
func (h *shape) one(out directory.Entry, e *ldapwire.Entry, name string) string {
	if _, presence := out.Attributes.Get(name); presence != identity.NotRead {
		return one(out, name)
	}
	return e.First(canonical(name))
}

// kept is an attribute of a view that is wanted, under its covered names.
type kept struct {
	names  []string
	values [][]byte
}

// take copies the wanted attributes out of a view. Variants in a language
// (RFC 3866) are other attributes, and are not asked for.
func (h *shape) take(e *ldapwire.Entry, want map[string][]string) []identity.Attribute {
	all := h.kept[:0]
	size, count, attributes := 0, 0, 0
	for _, a := range e.Attributes {
		if len(a.Values) == 0 || len(a.Options) > 1 || len(a.Options) == 1 && a.Options[0] != "binary" {
			continue
		}
		names := want[a.Name]
		if len(names) == 0 {
			continue
		}
		values := a.Values
		if text := inWords[a.Name]; text != nil {
			values = worded(values, text)
		}
		all = append(all, kept{names, values})
		for _, v := range values {
			size += len(v)
		}
		count += len(values)
		attributes += len(names)
	}
	h.kept = all
	// One allocation for the text of an entry, one for its values.
	var text strings.Builder
	text.Grow(size)
	for _, k := range all {
		for _, v := range k.values {
			text.Write(v)
		}
	}
	whole, values := text.String(), make([]string, 0, count)
	out := make([]identity.Attribute, 0, attributes)
	for _, k := range all {
		from := len(values)
		for _, v := range k.values {
			values = append(values, whole[:len(v)])
			whole = whole[len(v):]
		}
		for _, n := range k.names {
			out = append(out, identity.Attribute{Name: n, Values: values[from:len(values):len(values)]})
		}
	}
	return out
}
