package identity

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const hexDigits = "0123456789abcdef"

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// EscapeValue writes a value as it stands in a name (RFC 4514, section 2.4).
// ASCII control characters and octets that are not UTF-8 become hex pairs. An equals
// sign may stand as it is; Samba takes no name in which it does.
func EscapeValue(s string) string {
	plain := s != ""
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] > ' ' && s[i] < 0x7f && strings.IndexByte(`\"+,;<>#=`, s[i]) < 0
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r < ' ' || r == 0x7f || r == utf8.RuneError && size == 1:
			b.WriteByte('\\')
			b.WriteByte(hexDigits[s[i]>>4])
			b.WriteByte(hexDigits[s[i]&15])
			continue
		case strings.ContainsRune(`\"+,;<>=`, r),
			r == ' ' && (i == 0 || i == len(s)-1),
			r == '#' && i == 0:
			b.WriteByte('\\')
		}
		b.WriteString(s[i : i+size])
	}
	return b.String()
}

// appendCanonical appends a value, prepared for comparison, in the form that
// it has in a key. Octets that are not UTF-8 are compared as they are.
func appendCanonical(key []byte, value string) []byte {
	text := utf8.ValidString(value)
	if text {
		value = foldValue(value)
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		special := c < ' ' || strings.IndexByte(`\"+,;<>`, c) >= 0 ||
			c == '#' && i == 0 || c == 0x7f || c >= 0x80 && !text ||
			c == ' ' && !text && (i == 0 || i == len(value)-1)
		if special {
			key = append(key, '\\', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		key = append(key, c)
	}
	return key
}

// foldValue prepares a value for comparison as RFC 4518 does for
// caseIgnoreMatch: what is invisible goes, every blank is a space, case folded,
// compatibility forms composed, outer blanks off, runs of inner ones one.
func foldValue(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return collapse(strings.ToLower(strings.Map(prepare, s)))
	}
	// Folding and composing disturb each other for a handful of characters:
	// go on until nothing changes.
	for range 8 {
		t := collapse(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.Map(prepare, s)))))
		if t == s {
			break
		}
		s = t
	}
	return s
}

// prepare is the Map step of RFC 4518, section 2.2.
func prepare(r rune) rune {
	switch {
	case r > ' ' && r < 0x7f:
		return r
	case r == '\t', r == '\n', r == '\v', r == '\f', r == '\r', r == ' ', r == 0x85,
		r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029,
		r == 0x202f, r == 0x205f, r == 0x3000:
		return ' '
	case r < ' ', r >= 0x7f && r <= 0x9f, r == 0xad, r == 0x34f, r == 0x6dd, r == 0x70f,
		r == 0x1806, r >= 0x180b && r <= 0x180e, r >= 0x200b && r <= 0x200f,
		r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2063, r >= 0x206a && r <= 0x206f,
		r >= 0xfe00 && r <= 0xfe0f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffc,
		r >= 0x1d173 && r <= 0x1d17a, r == 0xe0001, r >= 0xe0020 && r <= 0xe007f:
		return -1
	}
	return r
}

// collapse takes the outer spaces off and makes inner runs one space.
func collapse(s string) string {
	s = strings.Trim(s, " ")
	if !strings.Contains(s, "  ") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != ' ' || s[i-1] != ' ' {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func hexPair(a, b byte) (byte, bool) {
	x, y := hexDigit(a), hexDigit(b)
	return x<<4 | y, x < 16 && y < 16
}

func hexDigit(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// berString returns the text of a BER value of one of the string types whose
// octets are UTF-8 or a subset of it.
func berString(ber []byte) (string, bool) {
	if len(ber) < 2 || ber[1] >= 0x80 || int(ber[1]) != len(ber)-2 {
		return "", false
	}
	switch ber[0] {
	case 0x04, 0x0c, 0x13, 0x16: // OCTET STRING, UTF8String, PrintableString, IA5String
		return string(ber[2:]), true
	}
	return "", false
}

// numericOID says whether s is digits with single dots between them.
func numericOID(s string) bool {
	dots := 0
	for i := 0; i < len(s); i++ {
		switch {
		case isDigit(s[i]):
		case s[i] == '.' && i > 0 && s[i-1] != '.' && i+1 < len(s):
			dots++
		default:
			return false
		}
	}
	return dots > 0
}

// lowerType is strings.ToLower without an allocation for the usual types.
func lowerType(s string) string {
	switch s {
	case "CN":
		return "cn"
	case "OU":
		return "ou"
	case "DC":
		return "dc"
	case "UID":
		return "uid"
	case "O":
		return "o"
	}
	return strings.ToLower(s)
}

// shortName is the usual name of an attribute type that has several: those of
// RFC 4514, section 3, RFC 4519 and RFC 4524 by which entries are named.
func shortName(typ string) string {
	if len(typ) <= 3 {
		return typ
	}
	if short, ok := shortNames[typ]; ok {
		return short
	}
	return typ
}

var shortNames = map[string]string{
	"2.5.4.3": "cn", "commonname": "cn",
	"2.5.4.4": "sn", "surname": "sn",
	"2.5.4.5": "serialnumber",
	"2.5.4.6": "c", "countryname": "c",
	"2.5.4.7": "l", "localityname": "l",
	"2.5.4.8": "st", "stateorprovincename": "st",
	"2.5.4.9": "street", "streetaddress": "street",
	"2.5.4.10": "o", "organizationname": "o",
	"2.5.4.11": "ou", "organizationalunitname": "ou",
	"2.5.4.12": "title",
	"2.5.4.13": "description",
	"2.5.4.15": "businesscategory",
	"2.5.4.17": "postalcode",
	"2.5.4.20": "telephonenumber",
	"2.5.4.41": "name",
	"2.5.4.42": "givenname",
	"2.5.4.43": "initials",
	"2.5.4.44": "generationqualifier",
	"2.5.4.45": "x500uniqueidentifier",
	"2.5.4.46": "dnqualifier",
	"2.5.4.51": "houseidentifier",

	"0.9.2342.19200300.100.1.1": "uid", "userid": "uid",
	"0.9.2342.19200300.100.1.3": "mail", "rfc822mailbox": "mail",
	"0.9.2342.19200300.100.1.25": "dc", "domaincomponent": "dc",
	"1.2.840.113549.1.9.1": "email", "emailaddress": "email", "pkcs9email": "email",
	"2.16.840.1.113730.3.1.3": "employeenumber",
	"1.3.6.1.1.16.4":          "entryuuid",
}
