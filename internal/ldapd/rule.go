package ldapd

import (
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/rosterd/rosterd/identity"
)

// rule is how the values of an attribute are compared (RFC 4517).
type rule uint8

const (
	ruleIgnore  rule = iota // caseIgnoreMatch: the default
	ruleExact               // caseExactMatch
	ruleDN                  // distinguishedNameMatch
	ruleInteger             // integerMatch
	ruleTime                // generalizedTimeMatch
	ruleBoolean             // booleanMatch
	ruleOctets              // octetStringMatch
	ruleSID                 // the same, and S-1-… for a security identifier
	rulePhone               // telephoneNumberMatch
	ruleUUID                // UUIDMatch (RFC 4530)
	ruleCSN                 // change sequence numbers of OpenLDAP
	ruleOID                 // objectIdentifierMatch, with superclasses
	ruleNone                // no equality at all
)

// normal returns the form in which two values are equal as text. ok is false
// when the value is not in the syntax of the rule, which makes an assertion
// undefined.
func (r rule) normal(v string) (n string, ok bool) {
	switch r {
	case ruleIgnore:
		return prepare(v, true, false, false), v != ""
	case ruleExact:
		return prepare(v, false, false, false), v != ""
	case ruleDN:
		// What follows #' is the optional UID of a uniqueMember.
		if i := strings.LastIndex(v, "#'"); i >= 0 && strings.HasSuffix(v, "'B") {
			v = v[:i]
		}
		dn, err := identity.ParseDN(v)
		return dn.Key(), err == nil
	case ruleInteger:
		return normalInteger(v)
	case ruleTime:
		return normalTime(v)
	case ruleBoolean:
		return v, v == "TRUE" || v == "FALSE"
	case rulePhone:
		return strings.NewReplacer(" ", "", "-", "").Replace(strings.ToLower(v)), v != ""
	case ruleUUID:
		n = strings.ToLower(v)
		return n, len(n) == 36 && n[8] == '-' && n[13] == '-' && n[18] == '-' && n[23] == '-'
	case ruleCSN:
		return v, strings.Count(v, "#") == 3
	case ruleSID:
		if b, ok := parseSID(v); ok {
			return b, true
		}
	case ruleOID:
		return strings.ToLower(v), v != ""
	}
	return v, true
}

// compare orders two normal values.
func (r rule) compare(a, b string) int {
	if r != ruleInteger {
		return strings.Compare(a, b)
	}
	negA, negB := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
	switch {
	case negA && !negB:
		return -1
	case negB && !negA:
		return 1
	case negA:
		a, b = b[1:], a[1:]
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// prepare folds a string for comparison as RFC 4518 says: compatibility forms
// composed, blanks collapsed. Outer blanks go unless kept, as the parts of a
// substring assertion need it.
func prepare(s string, fold, keepLeft, keepRight bool) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii && utf8.ValidString(s) {
		s = norm.NFKC.String(s)
		if fold {
			s = norm.NFKC.String(cases.Fold().String(s))
		}
	} else if fold {
		s = strings.ToLower(s)
	}
	if s == "" || s[0] != ' ' && s[len(s)-1] != ' ' && !strings.Contains(s, "  ") {
		return s
	}
	core := strings.Trim(s, " ")
	if core == "" {
		return " "
	}
	left, right := keepLeft && s[0] == ' ', keepRight && s[len(s)-1] == ' '
	for strings.Contains(core, "  ") {
		core = strings.ReplaceAll(core, "  ", " ")
	}
	if left {
		core = " " + core
	}
	if right {
		core += " "
	}
	return core
}

func normalInteger(v string) (string, bool) {
	digits := strings.TrimPrefix(v, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" || digits != "0" && digits[0] == '0' || v == "-0" {
		return v, false
	}
	return v, true
}

// bits returns the value of an integer for the bit rules of Active Directory.
func bits(v string) (*big.Int, bool) {
	if _, ok := normalInteger(v); !ok {
		return nil, false
	}
	return new(big.Int).SetString(v, 10)
}

// normalTime brings a generalizedTime (RFC 4517, section 3.3.13) to UTC, in a
// form that sorts as text.
func normalTime(v string) (string, bool) {
	i := strings.IndexAny(v, ".,Z+-")
	if i < 0 || i != 10 && i != 12 && i != 14 {
		return v, false
	}
	t, err := time.Parse("20060102150405"[:i], v[:i])
	if err != nil {
		return v, false
	}
	rest := v[i:]
	if rest[0] == '.' || rest[0] == ',' {
		unit := map[int]time.Duration{10: time.Hour, 12: time.Minute, 14: time.Second}[i]
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			unit /= 10
			t = t.Add(time.Duration(rest[n]-'0') * unit)
			n++
		}
		if n == 1 {
			return v, false
		}
		rest = rest[n:]
	}
	if rest != "Z" {
		layout := "-0700"
		if len(rest) == 3 {
			layout = "-07"
		}
		zone, err := time.Parse(layout, rest)
		if err != nil {
			return v, false
		}
		_, offset := zone.Zone()
		t = t.Add(-time.Duration(offset) * time.Second)
	}
	return t.Format("20060102150405.999999999"), true
}
