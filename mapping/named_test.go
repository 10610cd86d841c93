package mapping

import (
	"strings"
	"testing"
)

func TestNamed(t *testing.T) {
	for value, want := range map[string]string{
		"${lower(person.Mail)}":                                  "mail",
		"${person.givenName} ${person.sn} ${person.givenname}":   "givenname sn",
		"${person['x-y'] ?? first(split(person.a, '@'))}":        "x-y a",
		"${person.c == 'AT' ? person.d : lookup('t', person.e)}": "c d e",
		"fixed": "", "$${person.mail}": "", "${person.": "", "${(}": "",
	} {
		if got := strings.Join(Named(value), " "); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}
