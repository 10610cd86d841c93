package entries

import (
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// rule is how a server compares the values of an attribute (RFC 4517).
type rule uint8

const (
	ignoreCase rule = iota // caseIgnoreMatch and what is close to it
	name                   // distinguishedNameMatch
	number                 // telephoneNumberMatch
	exact                  // caseExactMatch, octetStringMatch
)

// rules are those of the usual attributes that are not compared as text
// without regard to case (RFC 4519, RFC 2798, RFC 2307).
var rules = map[string]rule{
	"manager": name, "owner": name, "member": name, "uniquemember": name, "seealso": name,
	"secretary": name, "roleoccupant": name, "documentauthor": name, "associatedname": name, "aliasedobjectname": name,
	Container: name,

	"telephonenumber": number, "mobile": number, "pager": number, "homephone": number, "facsimiletelephonenumber": number,

	"memberuid": exact, "homedirectory": exact, "loginshell": exact, "labeleduri": exact, "userpassword": exact,
	"jpegphoto": exact, "photo": exact, "audio": exact, "usercertificate": exact, "usersmimecertificate": exact,
	"userpkcs12": exact, "sshpublickey": exact,
}

// Canon makes two values of the attribute equal that the server calls equal.
func Canon(attribute, value string) string {
	switch rules[strings.ToLower(attribute)] {
	case exact:
		return value
	case number:
		return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(value))
	case name:
		if dn, err := identity.ParseDN(stripUID(value)); err == nil {
			return dn.Key()
		}
	}
	// A DN of one part: identity knows how text is compared.
	dn, err := identity.ParseDN("cn=" + identity.EscapeValue(value))
	if err != nil {
		return value
	}
	return dn.Key()
}

// stripUID cuts the optional bit string off a uniqueMember (RFC 4517, 3.3.21).
func stripUID(value string) string {
	i := strings.LastIndex(value, "#'")
	if i < 0 || i == 0 || value[i-1] == '\\' || !strings.HasSuffix(value, "'B") || strings.Trim(value[i+2:len(value)-2], "01") != "" {
		return value
	}
	return value[:i]
}

// Same compares values as sets, as a server would.
func Same(attribute string, a, b []string) bool {
	have := make(map[string]bool, len(a))
	for _, v := range a {
		have[Canon(attribute, v)] = true
	}
	seen := make(map[string]bool, len(b))
	for _, v := range b {
		c := Canon(attribute, v)
		if !have[c] {
			return false
		}
		seen[c] = true
	}
	return len(seen) == len(have)
}

// unique leaves out what the server would call a repetition.
func unique(attribute string, values []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, v := range values {
		if c := Canon(attribute, v); !seen[c] {
			seen[c] = true
			out = append(out, v)
		}
	}
	return out
}
