package ldapd

import (
	"fmt"
	"slices"
	"strconv"
)

type rootAttr struct {
	name   string
	values []string
}

// rootDSE is the entry that tells what the server can (RFC 4512, section 5.1).
func (s *Server) rootDSE() *record {
	d := s.dir
	r := &record{}
	controls := append([]string{oidPaged, oidManageDSA}, supported[d.kind]...)
	contexts := d.Suffixes()
	if d.kind == Dirsrv {
		slices.Reverse(contexts) // the changelog first, as there
	}
	attrs := []rootAttr{
		{"namingContexts", contexts},
		{"supportedControl", controls},
		{"supportedExtension", []string{oidStartTLS, oidWhoAmI, oidPasswordModify}},
		{"supportedFeatures", []string{"1.3.6.1.4.1.4203.1.5.1"}},
		{"supportedLDAPVersion", []string{"3"}},
		{"supportedSASLMechanisms", []string{"EXTERNAL"}},
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch d.kind {
	case ActiveDirectory:
		attrs = append(attrs, d.rootOfDomain()...)
	case Dirsrv:
		r.set("objectClass", "top")
		first, last := d.changeNumbers()
		attrs = append(attrs, rootAttr{"vendorName", []string{"389 Project"}}, rootAttr{"vendorVersion", []string{"389-Directory/2.3.1 B2025.016.1616"}},
			rootAttr{"defaultNamingContext", contexts[1:2]},
			rootAttr{"changelog", []string{changelogBase}},
			rootAttr{"firstChangeNumber", []string{first}}, rootAttr{"lastChangeNumber", []string{last}},
			// Another with each start, as after an import.
			rootAttr{"dataVersion", []string{"0" + s.started.UTC().Format("20060102150405")}},
			rootAttr{"lastusn;userroot", []string{strconv.FormatUint(d.serial, 10)}})
	case OpenLDAP:
		r.set("objectClass", "top", "OpenLDAProotDSE")
		attrs = append(attrs, rootAttr{"configContext", []string{"cn=config"}})
	default:
		r.set("objectClass", "top")
		attrs = append(attrs, rootAttr{"vendorName", []string{"rosterd"}})
	}
	for _, a := range attrs {
		if len(a.values) == 0 {
			continue
		}
		x, _ := describe(a.name)
		typ := *x.typ
		typ.operational = true
		r.attrs = append(r.attrs, attr{desc: desc{typ: &typ}, values: a.values, norms: a.values})
	}
	return r
}

// rootOfDomain is what a domain controller says of itself.
func (d *Directory) rootOfDomain() []rootAttr {
	m := d.domain
	nc := m.nc.String()
	one := func(name, value string) rootAttr { return rootAttr{name, []string{value}} }
	synchronized := "TRUE"
	if d.AD.Unsynchronized {
		synchronized = "FALSE"
	}
	return []rootAttr{
		one("defaultNamingContext", nc), one("rootDomainNamingContext", nc),
		one("configurationNamingContext", "CN=Configuration,"+nc), one("schemaNamingContext", "CN=Schema,CN=Configuration,"+nc),
		one("dsServiceName", m.settings), one("serverName", m.serverName()),
		one("dnsHostName", "dc1."+m.dns), one("ldapServiceName", fmt.Sprintf("%s:dc1$@%s", m.dns, m.dns)),
		one("highestCommittedUSN", strconv.FormatUint(d.serial, 10)),
		one("isSynchronized", synchronized), one("isGlobalCatalogReady", "TRUE"),
		one("domainFunctionality", "4"), one("forestFunctionality", "4"), one("domainControllerFunctionality", "4"),
		one("currentTime", d.now().UTC().Format("20060102150405.0Z")),
		{"supportedCapabilities", []string{"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080"}},
		{"supportedLDAPPolicies", []string{"MaxPageSize", "MaxValRange", "MaxQueryDuration", "MaxNotificationPerConn"}},
	}
}
