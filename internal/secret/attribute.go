package secret

import "strings"

// Redacted stands in the place of the values of an attribute that may hold a
// secret.
const Redacted = shown

// Attribute says whether an attribute of this name may hold a secret, so that
// its values are neither shown nor kept. Options after ";" are not
// looked at.
func Attribute(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(name), ";")
	for _, part := range []string{"password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "krbprincipalkey"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	if i := strings.LastIndexAny(name, ":."); i >= 0 {
		name = name[i+1:]
	}
	return strings.HasSuffix(name, "key") || strings.HasSuffix(name, "keys") || name == "pin"
}

// Values returns the values, or one Redacted for them if they may be a secret.
func Values(attribute string, values []string) []string {
	if len(values) > 0 && Attribute(attribute) {
		return []string{Redacted}
	}
	return values
}
