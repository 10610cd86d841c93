package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rosterd/rosterd/target"
)

// same compares values as sets. Names of accounts and mail addresses are compared
// without regard to case, since servers write them as they like. All else is
// compared exactly, though most schemas say that case does not tell two values
// apart: a server that keeps the case should get a correction of it.
func same(attribute string, a, b []string) bool {
	have := make(map[string]bool, len(a))
	for _, v := range a {
		have[canon(attribute, v)] = true
	}
	seen := make(map[string]bool, len(b))
	for _, v := range b {
		c := canon(attribute, v)
		if !have[c] {
			return false
		}
		seen[c] = true
	}
	return len(seen) == len(have)
}

// canon makes two values equal that are the same.
func canon(attribute, value string) string {
	p, err := parsePath(attribute)
	if err == nil && p.urn == "" && (p.attr == userName || p.attr == emails) {
		return fold(value)
	}
	return value
}

func sameName(a, b string) bool { return fold(a) == fold(b) }

// fold leaves the case out. A letter of another script stays one, also where Unicode
// writes it small as one of ours (the sign for Kelvin is a small k): whoever may choose
// a name there would get what another is to have.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if low := unicode.ToLower(r); r < utf8.RuneSelf || low >= utf8.RuneSelf {
			return low
		}
		return r
	}, s)
}

// rules compare for the steps of a merge.
var rules = target.Description{NameAttribute: userName, Same: same, SameName: sameName}

// unique leaves out repetitions and what is empty: SCIM has no empty value.
func unique(attribute string, values []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, v := range values {
		if c := canon(attribute, v); v != "" && !seen[c] {
			seen[c] = true
			out = append(out, v)
		}
	}
	return out
}
