package ldap

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// profile is what follows from the product that a server is: what is taken for
// granted where the file says nothing, and how changes can be found there.
type profile struct {
	// name is the word in the configuration.
	name string
	// id is the attribute with the immutable ID, which every entry has.
	id string
	// people, groups and login are defaults; members likewise.
	people, groups, login string
	members               []string
	// containers are the classes that others commonly lie below. Only speed rests
	// on it: what else has others below it is looked up one by one.
	containers string
	// account are attributes that every person's account has.
	account []string
	// computed are attributes whose changes the server tells nobody: whom the
	// filter or the rules find by them is read anew each time.
	computed []string
	// engines follow changes there, the best first.
	engines []string
	// misnames: it may show entries below a container that is not there, and says of
	// what is not there another thing than of what is hidden.
	misnames bool
	// retired says of a place in the tree that who is there has left: the reason,
	// or "".
	retired func(identity.DN) string
}

const (
	serverAuto    = "auto"
	serverGeneric = "generic"

	peopleFilter = "(objectClass=inetOrgPerson)"
	groupsFilter = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
	entryUUID    = "entryUUID"
	nsUniqueID   = "nsUniqueId"

	containersFilter = "(|(objectClass=organizationalUnit)(objectClass=organization)(objectClass=domain)(objectClass=dcObject)(objectClass=locality)(objectClass=country))"
)

var genericServer = profile{
	name: serverGeneric, id: entryUUID, people: peopleFilter, groups: groupsFilter, login: "uid",
	members: []string{"member", "uniqueMember", "memberUid"}, containers: containersFilter,
	// An overlay or a plug-in keeps them, and most do not touch the entry.
	computed: []string{"memberOf", "isMemberOf", "nsRole", "nsRoleDN"},
	engines:  []string{engineTimestamp},
}

// profiles are those that the configuration can name, but "auto".
func profiles() map[string]profile {
	open, ds := genericServer, genericServer
	open.name, open.engines = serverOpenLDAP, []string{engineSyncrepl, engineTimestamp}
	ds.name, ds.id, ds.engines = server389, nsUniqueID, []string{engineSyncrepl, engineTimestamp}
	ds.containers = "(|(objectClass=nsContainer)" + strings.TrimPrefix(containersFilter, "(|")
	// The plug-in writes memberOf into the entry, as a change like any other.
	ds.computed = []string{"isMemberOf", "nsRole"}
	ds.retired, ds.misnames = retiredFromIPA, true
	return map[string]profile{serverGeneric: genericServer, serverOpenLDAP: open, server389: ds, serverAD: adServer}
}

const (
	serverOpenLDAP = "openldap"
	server389      = "389ds"
)

// named is the profile of a word in the configuration; "auto" is the generic
// one, until a server was seen.
func named(name string) profile {
	if p, ok := profiles()[name]; ok {
		return p
	}
	return genericServer
}

// retiredFromIPA: FreeIPA keeps preserved and staged users in a tree of their
// own. They have no account there.
func retiredFromIPA(dn identity.DN) string {
	const end = ",cn=accounts,cn=provisioning,"
	key := dn.Key() + ","
	switch {
	case strings.Contains(key, ",cn=deleted users"+end):
		return "preserved by FreeIPA (deleted, and kept)"
	case strings.Contains(key, ",cn=staged users"+end):
		return "staged by FreeIPA"
	}
	return ""
}

// detect says which profile fits a server by its root entry.
func detect(s ldapwire.Server) string {
	switch p := product(s); {
	case isAD(s):
		return serverAD
	case p == openLDAP:
		return serverOpenLDAP
	case strings.HasPrefix(p, "389-Directory"), strings.HasPrefix(p, "389 Project"), strings.HasPrefix(p, "Red Hat-Directory"):
		return server389
	}
	return serverGeneric
}

// on is the source as it reads that server: what the file leaves open is chosen
// by what the server is.
func (s *Source) on(server ldapwire.Server) *Source {
	name := s.given.Server
	if name == "" || name == serverAuto {
		name = detect(server)
	}
	if name == s.profile.name {
		return s
	}
	out := *s
	out.settle(named(name))
	return &out
}

// computes names the first of the attributes that the rules or the filters need
// and whose changes the server does not tell.
func (s *Source) computes() string {
	if name := s.cfg.derives(); name != "" {
		return name
	}
	needed := append(slices.Clone(s.coverage.Names()), filterAttributes(s.cfg.Groups.Filter)...)
	for _, name := range needed {
		for _, c := range s.profile.computed {
			if strings.EqualFold(name, c) {
				return c
			}
		}
	}
	return ""
}
