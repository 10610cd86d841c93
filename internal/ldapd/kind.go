package ldapd

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// Kind is the server that a directory behaves like, in what matters to who
// follows it.
type Kind uint8

const (
	// Generic is no server in particular: what all of them can.
	Generic Kind = iota
	// OpenLDAP is slapd 2.5 with its sync provider (RFC 4533).
	OpenLDAP
	// Dirsrv is 389 Directory Server with content synchronisation, which speaks
	// RFC 4533 in its own way, and with the retro changelog.
	Dirsrv
	// ActiveDirectory is a domain controller.
	ActiveDirectory
)

// NewAs is New for a directory that behaves like a server of that kind. An
// Active Directory is one domain: it has one suffix, whose entry, default
// containers and configuration are there already. A Dirsrv has cn=changelog.
func NewAs(kind Kind, suffix ...string) *Directory {
	d := New(suffix...)
	d.kind = kind
	switch kind {
	case ActiveDirectory:
		d.found()
	case Dirsrv:
		d.suffixes = append(d.suffixes, identity.MustDN(changelogBase))
		d.mustAdd(changelogBase, map[string][]string{"objectClass": {"top", "nsContainer"}, "cn": {"changelog"}})
		d.serial = 0
	}
	return d
}

// Controls of Active Directory ([MS-ADTS], section 3.1.1.3.4.1).
const (
	oidNotification = "1.2.840.113556.1.4.528"
	oidExtendedDN   = "1.2.840.113556.1.4.529"
	oidSDFlags      = "1.2.840.113556.1.4.801"
	oidTreeDelete   = "1.2.840.113556.1.4.805"
	oidDirSync      = "1.2.840.113556.1.4.841"
	oidDomainScope  = "1.2.840.113556.1.4.1339"
	oidSearchOption = "1.2.840.113556.1.4.1340"
	oidPermissive   = "1.2.840.113556.1.4.1413"
	oidShowDeleted  = "1.2.840.113556.1.4.417"
	oidShowRecycled = "1.2.840.113556.1.4.2064"
	oidShowLinks    = "1.2.840.113556.1.4.2065"
)

// oidSync is that of RFC 4533, section 2.2.
const oidSync = "1.3.6.1.4.1.4203.1.9.1.1"

var supported = map[Kind][]string{
	OpenLDAP: {oidSync},
	Dirsrv:   {oidSync},
	ActiveDirectory: {oidNotification, oidExtendedDN, oidSDFlags, oidTreeDelete, oidDirSync, oidDomainScope, oidSearchOption,
		oidPermissive, oidShowDeleted, oidShowRecycled, oidShowLinks},
}

// has says whether the server knows the control, besides those that all know.
func (k Kind) has(oid string) bool { return slices.Contains(supported[k], oid) }

// foreign are attributes, by their keys, that entries have here for our own
// use and a server of the kind does not have.
var foreign = map[Kind][]string{
	ActiveDirectory: {"entryuuid", "entrycsn", "creatorsname", "modifiersname", "userpassword", "unicodepwd", "entrydn", "contextcsn",
		"hassubordinates", "createtimestamp", "modifytimestamp"},
	Dirsrv: {"entrycsn", "contextcsn"},
}

func foreignTo(k Kind, attr string) bool { return k >= Dirsrv && slices.Contains(foreign[k], attr) }

// mustAdd adds what a directory of its kind cannot be without.
func (d *Directory) mustAdd(dn string, attrs map[string][]string) {
	if err := d.Add(dn, attrs); err != nil {
		panic("ldapd: " + dn + ": " + err.Error())
	}
}

// keeps says whether who may not write the attribute: the server does.
func (d *Directory) keeps(x desc, who string) bool {
	if d.domain != nil {
		return who != "" && slices.Contains(keptByAD, x.typ.key)
	}
	return x.typ.protected
}
