package ldap

import (
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

const serverAD = "active-directory"

// adServer is Active Directory, Microsoft's and Samba's.
var adServer = profile{
	name: serverAD, id: objectGUID, login: "sAMAccountName",
	// A computer is a user by its class, a contact a person by its category.
	people: "(&(objectCategory=person)(objectClass=user))", groups: "(objectClass=group)",
	members:    []string{"member"},
	account:    []string{"userAccountControl"},
	containers: "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS))",
	computed: []string{
		// Links that another entry holds.
		"memberOf", "directReports", "managedObjects", "msDS-MembersForAzRoleBL",
		// Worked out when they are asked for.
		"canonicalName", "msDS-User-Account-Control-Computed", "msDS-UserPasswordExpiryTimeComputed", "msDS-PrincipalName",
		"msDS-ResultantPSO", "primaryGroupToken", "tokenGroups", "tokenGroupsGlobalAndUniversal", "tokenGroupsNoGCAcceptable",
		// Kept by each controller for itself, without a change of the entry.
		"badPasswordTime", "badPwdCount", "lastLogoff", "lastLogon", "logonCount",
	},
	engines: []string{engineDirSync, engineUSN},
}

// The attributes by which Active Directory tells what it is.
const (
	attrDefaultContext = "defaultNamingContext"
	attrConfiguration  = "configurationNamingContext"
	attrSynchronized   = "isSynchronized"
	attrServiceName    = "dsServiceName"
	attrCommitted      = "highestCommittedUSN"
	attrInvocation     = "invocationId"
	attrUpToDate       = "replUpToDateVector"
	attrCursors        = "msDS-NCReplCursors"

	capActiveDirectory = "1.2.840.113556.1.4.800"
	capReadOnly        = "1.2.840.113556.1.4.1920"
)

// isAD says whether a server is a domain controller.
func isAD(s ldapwire.Server) bool { return s.RootDSE.Has("supportedCapabilities", capActiveDirectory) }

// linked says that members are links: the server itself keeps them to whom they
// were given, under whatever name, and tells nobody when a name changes.
func (s *Source) linked() bool { return s.profile.name == serverAD }

// domainRoot is the root of the domain that a controller is of.
func domainRoot(s ldapwire.Server) (identity.DN, error) {
	text := s.RootDSE.First(attrDefaultContext)
	dn, err := identity.ParseDN(text)
	if err != nil || dn.IsZero() {
		return identity.DN{}, fail(ErrBase, "it must be a domain controller that is not just being made", "%s names no domain in its root entry: %s is %q", s.URL, attrDefaultContext, text)
	}
	return dn, nil
}

// request completes a request by what the server needs. Anywhere: other domains
// are no part of what is asked for. Otherwise a part of the tree that another
// server holds is an error, but those that hold nobody: the configuration, and
// the zones of DNS.
func (s *Source) request(conn *ldapwire.Conn, anywhere bool, r ldapwire.Request) ldapwire.Request {
	r.IgnoreReferrals = s.cfg.IgnoreReferrals
	if r.Scope != ldapwire.ScopeBase {
		r.PageSize = s.cfg.PageSize
	}
	if server := conn.Server(); isAD(server) {
		r.ReadLong = true
		if anywhere && server.HasControl(ldapwire.OIDDomainScope) {
			r.Controls = append(r.Controls, ldapwire.DomainScope())
		}
		r.IgnoreReferrals = append(nobodyThere(server), r.IgnoreReferrals...)
	}
	return r
}

// nobodyThere are the beginnings of the URLs by which a domain controller refers
// to partitions beside the domain: ldap://corp.example/CN=Configuration,DC=…
func nobodyThere(s ldapwire.Server) []string {
	domain, forest := s.RootDSE.First(attrDefaultContext), s.RootDSE.First("rootDomainNamingContext")
	var out []string
	add := func(host, dn string) {
		if host != "" && dn != "" {
			out = append(out, "ldap://"+host+"/"+dn, "ldaps://"+host+"/"+dn)
		}
	}
	add(dnsDomain(forest), s.RootDSE.First(attrConfiguration))
	add(dnsDomain(domain), s.RootDSE.First(attrConfiguration))
	for _, zone := range []struct{ name, of string }{{"DomainDnsZones", domain}, {"ForestDnsZones", forest}, {"ForestDnsZones", domain}} {
		if host := dnsDomain(zone.of); host != "" {
			add(zone.name+"."+host, "DC="+zone.name+","+zone.of)
		}
	}
	return out
}

// dnsDomain is corp.example for DC=corp,DC=example.
func dnsDomain(root string) string {
	dn, err := identity.ParseDN(root)
	if err != nil {
		return ""
	}
	var labels []string
	for ; !dn.IsZero(); dn = dn.Parent() {
		rdn := dn.RDN()
		if len(rdn) != 1 || rdn[0].Type != "dc" {
			return ""
		}
		labels = append(labels, rdn[0].Value)
	}
	return strings.Join(labels, ".")
}
