package ldap

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/problem"
)

// Source reads one LDAP directory. It is used by one cycle at a time. What
// lists makes a connection of its own, so that it binds with the rights of now;
// following goes on with the one that it used last, if that still answers.
type Source struct {
	name     string
	given    Config // as it is written
	people   []identity.DN
	groups   []identity.DN
	canaries []identity.DN
	closed   []identity.DN // canaries too
	coverage identity.Coverage
	last     *lastListing
	kept     *ldapwire.Session

	// Of the kind of server; see on.
	profile profile
	cfg     Config
	scope   string
}

// lastListing is who made it, and what it had seen.
type lastListing struct {
	mu     sync.Mutex
	shown  directory.Knowledge
	server string
	// linked: its members are links.
	linked bool
	// dc is what a domain controller said last.
	dc controller
}

// New makes a source. The attributes are those that the rules name; with those
// of person and of the filter of people they are the coverage. It does no I/O.
func New(name string, cfg Config, attributes []string) (*Source, error) {
	var wrong error
	cfg.Validate(nil, func(p problem.Problem) {
		if wrong == nil && !p.Warning {
			wrong = fail(nil, p.Hint, "source %s: %s: %s", name, strings.Join(p.Path, "."), p.Message)
		}
	})
	if wrong != nil {
		return nil, wrong
	}
	for _, a := range attributes {
		if !identity.ValidType(a) {
			return nil, fail(nil, "letters, digits and hyphens", "source %s: %q is not the name of an attribute", name, a)
		}
	}
	s := &Source{name: name, given: cfg, people: names(cfg.People.Bases), groups: names(cfg.Groups.Bases),
		canaries: names(cfg.Canaries), closed: names(cfg.ClosedCanaries), last: &lastListing{}, kept: ldapwire.NewSession(keptFor, keptUntil)}
	s.settle(named(cfg.Server))
	p := s.cfg.Person
	all := append(slices.Clone(attributes), p.Login, p.Mail, p.Name, p.Key)
	s.coverage = identity.NewCoverage(append(all, filterAttributes(s.cfg.People.Filter)...)...)
	return s, nil
}

// How long a connection is kept between two cycles at most, and how old it gets.
const (
	keptFor   = 10 * time.Minute
	keptUntil = 15 * time.Minute
)

// Close ends the connection that is kept. The source can be used on.
func (s *Source) Close() error { return s.kept.Close() }

// settle fills in what follows from the kind of server.
func (s *Source) settle(kind profile) {
	s.profile, s.cfg = kind, s.given.withDefaults(kind)
	s.scope = fmt.Sprintf("people %s %s groups %s %s %s id %s", keys(s.people), s.cfg.People.Filter, keys(s.groups), s.cfg.Groups.Filter,
		strings.ToLower(strings.Join(s.cfg.Groups.Members, ",")), strings.ToLower(s.cfg.IDAttribute))
	if s.cfg.AccountState != nil {
		s.scope += fmt.Sprintf(" account state %q", believed(s.cfg.AccountState))
	}
}

// Name is the name in the configuration.
func (s *Source) Name() string { return s.name }

// Coverage is what Read asks for.
func (s *Source) Coverage() identity.Coverage { return s.coverage }

// part is one of the searches that make a listing.
type part struct {
	kind       directory.Kind
	base       identity.DN
	filter     string
	attributes []string
}

// Places says whether the name lies in one of the bases of people.
func (s *Source) Places(dn identity.DN) bool { return slices.ContainsFunc(s.people, dn.Within) }

// parts are all of them, people first.
func (s *Source) parts() []part {
	var out []part
	for _, base := range s.people {
		out = append(out, part{directory.Person, base, s.cfg.People.Filter, s.personAttributes()})
	}
	for _, base := range s.groups {
		out = append(out, part{directory.Group, base, s.cfg.Groups.Filter, s.groupAttributes()})
	}
	return out
}

// bases are those of people and groups.
func (s *Source) bases() []identity.DN { return slices.Concat(s.people, s.groups) }

// names parses DNs that were validated.
func names(texts []string) []identity.DN {
	var out []identity.DN
	for _, t := range texts {
		out = append(out, identity.MustDN(t))
	}
	return out
}

// keys writes bases so that two spellings of the same scope are the same text.
func keys(dns []identity.DN) string {
	var out []string
	for _, d := range dns {
		out = append(out, d.Key())
	}
	slices.Sort(out)
	return fmt.Sprintf("%q", slices.Compact(out))
}

// filterAttributes are the attributes that a filter (RFC 4515) speaks of. The
// class is left out: nearly every filter names it, and no rule needs it.
func filterAttributes(filter string) []string {
	var out []string
	for _, part := range strings.Split(filter, "(")[1:] {
		end := strings.IndexAny(part, "=<>~:;")
		if end <= 0 {
			continue
		}
		if name := strings.TrimSpace(part[:end]); identity.ValidType(name) && !strings.EqualFold(name, "objectClass") {
			out = append(out, name)
		}
	}
	return out
}
