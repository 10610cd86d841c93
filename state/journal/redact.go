package journal

import "strings"

// Redacted stands in the place of a value that looks like a secret.
const Redacted = "[secret]"

// Secret says whether an attribute of this name may hold a secret. Options
// after ";" and a schema before the last ":" are not looked at.
func Secret(name string) bool {
	if i := strings.IndexByte(name, ';'); i >= 0 {
		name = name[:i]
	}
	name = strings.ToLower(name)
	if i := strings.LastIndexAny(name, ":."); i >= 0 {
		name = name[i+1:]
	}
	for _, part := range []string{"password", "passwd", "passphrase", "secret", "token", "credential", "unicodepwd", "krbprincipalkey", "ms-mcs-admpwd"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "key") || strings.HasSuffix(name, "keys") || strings.HasSuffix(name, "pwd") || name == "pin"
}

// Values returns the values, or one Redacted for them if the name is Secret.
func Values(name string, values []string) []string {
	if len(values) > 0 && Secret(name) {
		return []string{Redacted}
	}
	return values
}
