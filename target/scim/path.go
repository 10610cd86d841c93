package scim

import (
	"fmt"
	"strings"
)

const (
	coreUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchOp        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

	userName   = "userName"
	externalID = "externalId"
	emails     = "emails"
	manager    = "manager"
	addresses  = "addresses"
	subValue   = "value"
	subType    = "type"
	subPrimary = "primary"
	typeWork   = "work"
)

// path is where an attribute of the configuration stands in a resource.
type path struct {
	// text is the name in the configuration.
	text string
	// urn is the extension; empty is the core.
	urn string
	// attr is the attribute of the core or extension.
	attr string
	// entry is the type of those entries of a list that are meant; empty: all.
	entry string
	// sub is a part of a complex attribute.
	sub string
	// list: the attribute is a list of complex values.
	list bool
}

// lists are the attributes of RFC 7643 that are lists of complex values.
var lists = []string{emails, "phoneNumbers", "ims", "photos", addresses, "entitlements", "roles", "x509Certificates"}

// worded are those of them of which one value is the primary one, and says for
// which part of life it is.
var worded = []string{emails, "phoneNumbers", addresses}

// ours are attributes that are no attributes here: what rosterd does with them
// has verbs of its own.
var ours = map[string]string{
	"id": "the server gives it", "schemas": "they follow from the attributes", "meta": "the server keeps it",
	"active":   "whether an account is closed follows from its person",
	"groups":   "name groups under entitlements",
	"password": "a password is no attribute",
}

// known are the attributes of RFC 7643 that are spelled in one way only.
var known = append([]string{userName, externalID, "displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "name"}, lists...)

// parsePath reads the name of an attribute: name.familyName, emails (all),
// emails.work, addresses.work.locality, enterprise.department, URN:attribute.
func parsePath(text string) (path, error) {
	p := path{text: text}
	rest := text
	if short, ok := strings.CutPrefix(text, "enterprise."); ok {
		p.urn, rest = enterpriseUser, short
	} else if strings.HasPrefix(strings.ToLower(text), "urn:") {
		at := strings.LastIndexByte(text, ':')
		p.urn, rest = text[:at], text[at+1:]
		if strings.EqualFold(p.urn, coreUser) {
			p.urn = ""
		} else if strings.EqualFold(p.urn, enterpriseUser) {
			p.urn = enterpriseUser
		}
	}
	parts := strings.Split(rest, ".")
	for i, part := range parts {
		if !validName(part) && !(i == 1 && validType(part)) {
			return path{}, fmt.Errorf("%q is not the name of an attribute", text)
		}
	}
	p.attr = parts[0]
	if why := ours[strings.ToLower(p.attr)]; why != "" && p.urn == "" {
		return path{}, fmt.Errorf("%s cannot be set: %s", p.attr, why)
	}
	if p.urn == "" {
		if right := spelled(p.attr); right != "" && right != p.attr {
			return path{}, fmt.Errorf("%q is spelled %q", p.attr, right)
		}
		p.list = spelled(p.attr) != "" && contains(lists, p.attr)
	}
	switch {
	case p.list:
		p.sub = subValue
		if p.attr == addresses {
			p.sub = "formatted"
		}
		if len(parts) > 1 {
			p.entry = parts[1]
		}
		if len(parts) > 2 {
			p.sub = parts[2]
		}
		if len(parts) > 3 {
			return path{}, fmt.Errorf("%q has too many parts", text)
		}
	case len(parts) > 2:
		return path{}, fmt.Errorf("%q has too many parts", text)
	case len(parts) == 2:
		p.sub = parts[1]
	case p.attr == "name" && p.urn == "":
		return path{}, fmt.Errorf("%q has parts: write name.familyName, name.givenName, name.formatted", text)
	case p.urn == enterpriseUser && p.attr == manager:
		p.sub = subValue
	}
	return p, nil
}

func validName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9') && r != '-' && r != '_') {
			return false
		}
	}
	return s != ""
}

// validType is the label of an entry, which may begin with a digit.
func validType(s string) bool { return s != "" && validName("x"+s) }

// spelled is how RFC 7643 spells an attribute of the core; "" for others.
func spelled(attr string) string {
	for _, k := range known {
		if strings.EqualFold(k, attr) {
			return k
		}
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// isManager: the one reference of RFC 7643.
func (p path) isManager() bool {
	return p.urn == enterpriseUser && p.attr == manager && p.sub == subValue
}

// root is the attribute in the words of a PATCH.
func (p path) root() string {
	if p.urn == "" {
		return p.attr
	}
	return p.urn + ":" + p.attr
}

// filter is the attribute in the words of a filter, where one can find it.
func (p path) filter() string {
	if p.sub != "" {
		return p.root() + "." + p.sub
	}
	return p.root()
}
