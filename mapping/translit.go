package mapping

import (
	"strings"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

// translit writes a text in the letters of ASCII, as it is read: ß as ss, é as e,
// Cyrillic and Greek by their usual romanisation. Composed and decomposed forms
// give the same; what has no romanisation is left out.
func translit(s string) string {
	if ascii(s) {
		return s
	}
	return unidecode.Unidecode(norm.NFC.String(s))
}

// slug makes of a text what fits an address or a login: ASCII letters in lower
// case and digits, with one hyphen for whatever lies between.
func slug(s string) string {
	var out strings.Builder
	gap := false
	for _, r := range strings.ToLower(translit(s)) {
		switch {
		case r == '\'': // of a name, or of a soft sign: no gap
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && out.Len() > 0 {
				out.WriteByte('-')
			}
			gap = false
			out.WriteRune(r)
		default:
			gap = true
		}
	}
	return out.String()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
