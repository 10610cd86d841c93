package ldap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Foresee compares how two sources read, without asking the server: by the bases,
// which are names, and by the filter, as far as it asks for what was read.
func (s *Source) Foresee(other directory.Source) (f directory.Foresight) {
	was, is := other.(*Source)
	if !is {
		f.Everybody = []string{"kind: it is read in another way"}
		return f
	}
	s.foreseeEverybody(was, &f)
	s.foreseePeople(was, &f)
	s.foreseeGroups(was, &f)
	return f
}

func (s *Source) foreseeEverybody(was *Source, f *directory.Foresight) {
	if !strings.EqualFold(canonical(s.cfg.IDAttribute), canonical(was.cfg.IDAttribute)) {
		f.Everybody = append(f.Everybody, fmt.Sprintf("id_attribute: people are known by their %s, not by %s", was.cfg.IDAttribute, s.cfg.IDAttribute))
	}
	state := func(s *Source) string {
		if s.cfg.AccountState == nil {
			return "all" // more than can be written
		}
		return fmt.Sprint(believed(s.cfg.AccountState))
	}
	if state(s) != state(was) {
		f.Everybody = append(f.Everybody, "account_state: of when an account may be used only what was believed is kept")
	}
}

func (s *Source) foreseePeople(was *Source, f *directory.Foresight) {
	for _, base := range s.people {
		if !slices.ContainsFunc(was.people, base.Within) {
			f.Wider = append(f.Wider, fmt.Sprintf("people.bases: who is under %s was not read", base))
		}
	}
	for _, r := range s.cfg.IgnoreReferrals {
		if !slices.Contains(was.cfg.IgnoreReferrals, r) {
			f.Everybody = append(f.Everybody, "ignore_referrals: what is behind "+r+" counts no more")
		}
	}
	asks, err := parseFilter(s.cfg.People.Filter)
	found, err2 := parseFilter(was.cfg.People.Filter)
	switch {
	case s.cfg.People.Filter == was.cfg.People.Filter:
		asks = found
	case err != nil || err2 != nil:
		// The server took it, and this does not understand it.
		f.Everybody = append(f.Everybody, "people.filter: only the server can say whom "+s.cfg.People.Filter+" finds")
		return
	case s.guesses(was, func(c Config) string { return c.People.Filter }):
		f.Everybody = append(f.Everybody, "people.filter: what is left out follows from the kind of server, which server = \"auto\" does not say")
	}
	if !implies(asks, found) {
		f.Wider = append(f.Wider, fmt.Sprintf("people.filter: %s may find others than %s did", s.cfg.People.Filter, was.cfg.People.Filter))
	}
	f.Keeps = func(p identity.Person) (directory.Answer, string) {
		if !slices.ContainsFunc(s.people, p.DN.Within) {
			return directory.No, ""
		}
		a, why := asked(asks, found, p)
		if why != "" {
			why = "people.filter: " + why
		}
		return a, why
	}
}

func (s *Source) foreseeGroups(was *Source, f *directory.Foresight) {
	differ := func(what string, a, b any) {
		if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
			f.Groups = append(f.Groups, fmt.Sprintf("groups.%s: it is %s, and was %s", what, x, y))
		}
	}
	differ("bases", keys(s.groups), keys(was.groups))
	differ("filter", s.cfg.Groups.Filter, was.cfg.Groups.Filter)
	members := func(s *Source) string {
		return strings.ToLower(strings.Join(slices.Sorted(slices.Values(s.cfg.Groups.Members)), " "))
	}
	differ("members", members(s), members(was))
	if s.cfg.Groups.Filter == was.cfg.Groups.Filter && s.guesses(was, func(c Config) string { return c.Groups.Filter }) {
		f.Groups = append(f.Groups, "groups.filter: what is left out follows from the kind of server, which server = \"auto\" does not say")
	}
	if a, b := s.cfg.Person.Login, was.cfg.Person.Login; !strings.EqualFold(a, b) {
		f.Groups = append(f.Groups, fmt.Sprintf("person.login: groups that name people by login mean %s, and meant %s", a, b))
	}
}

// guesses says whether one of the two leaves something out that follows from the
// kind of server, and that kind is not written.
func (s *Source) guesses(was *Source, of func(Config) string) bool {
	auto := func(s *Source) bool { return s.given.Server == "" || s.given.Server == serverAuto }
	return auto(s) && (of(s.given) == "") != (of(was.given) == "")
}
