package scimd

import "strings"

// The URNs that the server knows.
const (
	CoreUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	CoreGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

	listResponse = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	patchOp      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorURN     = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// attribute is one of a schema, as RFC 7643, 7 describes them.
type attribute struct {
	name string
	// kind is string, boolean, complex or reference.
	kind       string
	multi      bool
	exact      bool
	required   bool
	unique     bool
	readOnly   bool
	writeOnly  bool
	attributes []attribute
}

func text(name string) attribute { return attribute{name: name, kind: "string"} }

func group(name string, of ...attribute) attribute {
	return attribute{name: name, kind: "complex", attributes: of}
}

// plural is a multi-valued complex attribute with the usual four below it.
func plural(name string) attribute {
	return attribute{name: name, kind: "complex", multi: true, attributes: []attribute{
		text("value"), text("display"), text("type"), {name: "primary", kind: "boolean"},
	}}
}

var commonAttributes = []attribute{
	{name: "schemas", kind: "reference", multi: true, exact: true},
	{name: "id", kind: "string", exact: true, readOnly: true},
	{name: "externalId", kind: "string", exact: true},
	{name: "meta", kind: "complex", readOnly: true, attributes: []attribute{
		text("resourceType"), text("created"), text("lastModified"), text("location"), text("version"),
	}},
}

var userAttributes = []attribute{
	{name: "userName", kind: "string", required: true, unique: true},
	group("name", text("formatted"), text("familyName"), text("givenName"), text("middleName"), text("honorificPrefix"), text("honorificSuffix")),
	text("displayName"), text("nickName"), {name: "profileUrl", kind: "reference", exact: true}, text("title"), text("userType"),
	text("preferredLanguage"), text("locale"), text("timezone"),
	{name: "active", kind: "boolean"},
	{name: "password", kind: "string", exact: true, writeOnly: true},
	plural("emails"), plural("phoneNumbers"), plural("ims"), plural("photos"),
	{name: "addresses", kind: "complex", multi: true, attributes: []attribute{
		text("formatted"), text("streetAddress"), text("locality"), text("region"), text("postalCode"), text("country"), text("type"), {name: "primary", kind: "boolean"},
	}},
	{name: "groups", kind: "complex", multi: true, readOnly: true, attributes: []attribute{
		{name: "value", kind: "string", exact: true}, {name: "$ref", kind: "reference", exact: true}, text("display"), text("type"),
	}},
	plural("entitlements"), plural("roles"), plural("x509Certificates"),
}

var enterpriseAttributes = []attribute{
	text("employeeNumber"), text("costCenter"), text("organization"), text("division"), text("department"),
	group("manager", attribute{name: "value", kind: "string", exact: true}, attribute{name: "$ref", kind: "reference", exact: true}, text("displayName")),
}

var groupAttributes = []attribute{
	{name: "displayName", kind: "string", required: true},
	{name: "members", kind: "complex", multi: true, attributes: []attribute{
		{name: "value", kind: "string", exact: true}, {name: "$ref", kind: "reference", exact: true}, text("display"), text("type"),
	}},
}

// schema is what a kind of resource is made of.
type schema struct {
	core       string
	resource   string
	attributes []attribute
	extensions map[string][]attribute
}

var schemas = map[Kind]schema{
	Users:  {core: CoreUser, resource: "User", attributes: append(userAttributes, commonAttributes...), extensions: map[string][]attribute{EnterpriseUser: enterpriseAttributes}},
	Groups: {core: CoreGroup, resource: "Group", attributes: append(groupAttributes, commonAttributes...)},
}

// named finds an attribute; its name is in any case (RFC 7643, 2.1).
func named(in []attribute, name string) (attribute, bool) {
	for _, a := range in {
		if strings.EqualFold(a.name, name) {
			return a, true
		}
	}
	return attribute{}, false
}

// extension finds the URN of an extension in any case; "" if there is none.
func (s schema) extension(urn string) string {
	for known := range s.extensions {
		if strings.EqualFold(known, urn) {
			return known
		}
	}
	return ""
}
