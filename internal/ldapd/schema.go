package ldapd

import (
	"slices"
	"strings"
)

// attrType is what the server knows of an attribute.
type attrType struct {
	name        string // as it is sent
	key         string // in lower case
	sup         *attrType
	rule        rule
	substrings  bool
	ordering    bool
	operational bool
	protected   bool // not changed by clients
}

// within says whether the type is t or one of its subtypes.
func (a *attrType) within(t string) bool {
	for ; a != nil; a = a.sup {
		if a.key == t {
			return true
		}
	}
	return false
}

// types maps every name, alias and OID in lower case.
var types = func() map[string]*attrType {
	out := map[string]*attrType{}
	def := func(r rule, flags, names string) {
		for _, group := range strings.Fields(names) {
			group, sup, _ := strings.Cut(group, "<")
			all := strings.Split(group, "|")
			t := &attrType{
				name: all[0], key: strings.ToLower(all[0]), sup: out[sup], rule: r,
				substrings: strings.Contains(flags, "s"), ordering: strings.Contains(flags, "o"),
				operational: strings.Contains(flags, "x") || strings.Contains(flags, "p"), protected: strings.Contains(flags, "p"),
			}
			for _, n := range all {
				out[strings.ToLower(n)] = t
			}
		}
	}
	// Flags: s substrings, o ordering, x operational, p operational and kept by
	// the server. As in the schemas that OpenLDAP ships.
	def(ruleIgnore, "s", `name|2.5.4.41 cn|commonName|2.5.4.3<name sn|surname|2.5.4.4<name c|countryName|2.5.4.6<name
		l|localityName|2.5.4.7<name st|stateOrProvinceName|2.5.4.8<name o|organizationName|2.5.4.10<name
		ou|organizationalUnitName|2.5.4.11<name title|2.5.4.12<name givenName|gn|2.5.4.42<name initials|2.5.4.43<name
		generationQualifier<name street|streetAddress|2.5.4.9 serialNumber|2.5.4.5 description|2.5.4.13
		businessCategory|2.5.4.15 postalCode|2.5.4.17 postOfficeBox postalAddress physicalDeliveryOfficeName
		uid|userid|0.9.2342.19200300.100.1.1 mail|rfc822Mailbox|0.9.2342.19200300.100.1.3 info roomNumber host
		documentIdentifier dc|domainComponent|0.9.2342.19200300.100.1.25 departmentNumber|2.16.840.1.113730.3.1.2
		displayName|2.16.840.1.113730.3.1.241 employeeNumber|2.16.840.1.113730.3.1.3 employeeType|2.16.840.1.113730.3.1.4
		gecos carLicense preferredLanguage sAMAccountName userPrincipalName`)
	def(ruleIgnore, "", "ipHostNumber")
	def(ruleExact, "s", "memberUid|1.3.6.1.1.1.1.12 labeledURI memberNisNetgroup nisNetgroupTriple sshPublicKey")
	def(ruleExact, "", "homeDirectory|1.3.6.1.1.1.1.3 loginShell|1.3.6.1.1.1.1.4 ref memberURL")
	def(ruleDN, "", `distinguishedName|2.5.4.49 member|2.5.4.31<distinguishedname owner|2.5.4.32<distinguishedname
		roleOccupant<distinguishedname seeAlso|2.5.4.34<distinguishedname uniqueMember|2.5.4.50
		manager|0.9.2342.19200300.100.1.10 secretary associatedName aliasedObjectName`)
	def(ruleDN, "x", "memberOf pwdPolicySubentry")
	def(ruleDN, "", "managedBy directReports managedObjects lastKnownParent dsServiceName targetDn")
	def(ruleDN, "p", "creatorsName modifiersName entryDN")
	def(ruleInteger, "o", `uidNumber|1.3.6.1.1.1.1.0 gidNumber|1.3.6.1.1.1.1.1 userAccountControl groupType primaryGroupID
		accountExpires pwdLastSet uSNChanged uSNCreated shadowLastChange shadowMin shadowMax shadowWarning
		shadowInactive shadowExpire shadowFlag instanceType sAMAccountType lockoutTime badPwdCount lastLogon
		lastLogonTimestamp msDS-User-Account-Control-Computed changeNumber`)
	def(ruleInteger, "op", "entryUSN")
	def(ruleBoolean, "", "isDeleted isRecycled")
	def(ruleIgnore, "p", "nsUniqueId")
	def(ruleIgnore, "", "targetUniqueId changeType")
	def(ruleTime, "o", "whenCreated whenChanged pwdStartTime pwdEndTime krbPrincipalExpiration")
	def(ruleTime, "ox", "pwdAccountLockedTime pwdChangedTime pwdFailureTime")
	def(ruleTime, "op", "createTimestamp|2.5.18.1 modifyTimestamp|2.5.18.2")
	def(ruleBoolean, "x", "pwdReset nsAccountLock")
	def(ruleBoolean, "p", "hasSubordinates")
	def(ruleUUID, "op", "entryUUID|1.3.6.1.1.16.4")
	def(ruleCSN, "op", "entryCSN contextCSN")
	def(rulePhone, "s", "telephoneNumber|2.5.4.20 mobile|mobileTelephoneNumber homePhone|homeTelephoneNumber pager|pagerTelephoneNumber")
	def(ruleOctets, "", "userPassword|2.5.4.35 unicodePwd objectGUID parentGUID invocationId userCertificate")
	def(ruleSID, "", "objectSid")
	def(ruleNone, "", "jpegPhoto photo audio userSMIMECertificate userPKCS12 thumbnailPhoto facsimileTelephoneNumber|fax")
	def(ruleOID, "", "objectClass|2.5.4.0")
	return out
}()

// superclasses is what an object class brings with it in a filter. Others are
// taken to stand right below top.
var superclasses = map[string][]string{
	"inetorgperson":        {"organizationalperson", "person", "top"},
	"organizationalperson": {"person", "top"},
	"user":                 {"organizationalperson", "person", "top"},
	"top":                  nil,
}

var knownClasses = strings.Fields(`top alias person organizationalperson inetorgperson organization organizationalunit
	organizationalrole groupofnames groupofuniquenames groupofurls dcobject domain country locality device account posixaccount
	posixgroup shadowaccount simplesecurityobject referral extensibleobject uidobject labeleduriobject document user group`)

// superiors are the classes above c that a filter finds it by.
func superiors(c string) []string {
	if s, ok := superclasses[c]; ok {
		return s
	}
	return []string{"top"}
}

// desc is an attribute description: a type and its options (RFC 4512,
// section 2.5), in lower case and sorted.
type desc struct {
	typ     *attrType
	options []string
}

// describe reads an attribute description. A type that the table does not
// know is made on the spot, with the rules of a directory string.
func describe(s string) (desc, bool) {
	base, rest, more := strings.Cut(s, ";")
	if base == "" || strings.ContainsFunc(base, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return desc{}, false
	}
	d := desc{typ: types[base]}
	if d.typ == nil {
		d.typ = types[strings.ToLower(base)]
	}
	if d.typ == nil {
		d.typ = &attrType{name: base, key: strings.ToLower(base), substrings: true}
	}
	if !more {
		return d, true
	}
	d.options = strings.Split(strings.ToLower(rest), ";")
	if slices.Contains(d.options, "") {
		return desc{}, false
	}
	slices.Sort(d.options)
	d.options = slices.Compact(d.options)
	return d, true
}

// key tells descriptions apart.
func (d desc) key() string {
	if len(d.options) == 0 {
		return d.typ.key
	}
	return d.typ.key + ";" + strings.Join(d.options, ";")
}

func (d desc) String() string {
	if len(d.options) == 0 {
		return d.typ.name
	}
	return d.typ.name + ";" + strings.Join(d.options, ";")
}

// covers says whether asking for d gives o: the same type or, unless the
// schema is flat, a subtype of it, with at least the same options.
func (d desc) covers(o desc, flat bool) bool {
	if flat && o.typ.key != d.typ.key || !o.typ.within(d.typ.key) {
		return false
	}
	for _, x := range d.options {
		if !slices.Contains(o.options, x) {
			return false
		}
	}
	return true
}
