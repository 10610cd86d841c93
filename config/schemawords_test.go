package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// enum are the words of which one stands at a key, with a file in which it stands: %q is
// the word.
type enum struct {
	path, file string
	words      []string
}

const (
	anySource = "[source.x]\nurls = [\"ldaps://a.example\"]\n"
	aFile     = "[target.x]\nkind = \"file\"\npath = \"/tmp/x\"\n"
	anLDAP    = "[target.x]\nkind = \"ldap\"\nurls = [\"ldaps://a.example\"]\nbase = \"dc=example\"\n"
	aSCIM     = "[target.x]\nkind = \"scim\"\nurl = \"https://a.example\"\n"
)

var enums = []enum{
	{"conflict/*/action", "[conflict.x]\nroles = [\"a\", \"b\"]\naction = %q\n[role.a]\nwhen = \"true\"\n[role.b]\nwhen = \"true\"\n", []string{"hold", "report"}},
	{"source/*/server", anySource + "server = %q\n", []string{"389ds", "active-directory", "auto", "generic", "openldap"}},
	{"source/*/changes", anySource + "changes = %q\n", []string{"auto", "dirsync", "full", "syncrepl", "timestamp", "usn"}},
	{"target/*/account/adopt/*", aFile + "[target.x.account]\nmatch = [\"name\"]\nadopt = { name = %q }\n[target.x.attributes]\nname = \"a\"\n", []string{"link", "report"}},
	{"target/*/drift/attributes", aFile + "[target.x.drift]\nattributes = %q\n", []string{"enforce", "report"}},
	{"target/*/drift/lost", aFile + "[target.x.drift]\nlost = %q\n", []string{"enforce", "report"}},
	{"target/*/drift/extra", aFile + "[target.x.drift]\nextra = %q\n", []string{"report", "revoke"}},
	{"target/*/drift/disabled", aFile + "[target.x.drift]\ndisabled = %q\n", []string{"keep"}},
	{"target/*/drift/missing", aFile + "[target.x.drift]\nmissing = %q\n", []string{"hold", "recreate"}},
	{"target/*/guard/first", aFile + "[target.x.guard]\nfirst = %q\n", []string{"apply", "hold"}},
	{"target/*/groups/style", anLDAP + "[target.x.groups]\nbase = \"dc=example\"\nstyle = %q\n", []string{"member", "memberUid", "uniqueMember"}},
	{"target/*/client_auth", aSCIM + "client_auth = %q\n", []string{"basic", "post"}},
	{"target/*/dialect/active", aSCIM + "[target.x.dialect]\nactive = %q\n", []string{"auto", "boolean", "none", "string"}},
	{"target/*/dialect/filter", aSCIM + "[target.x.dialect]\nfilter = %q\n", []string{"off", "on"}},
	{"target/*/dialect/manager", aSCIM + "[target.x.dialect]\nmanager = %q\n", []string{"object", "string"}},
	{"target/*/dialect/mark", aSCIM + "[target.x.dialect]\nmark = %q\n", []string{"externalId", "none"}},
	{"target/*/dialect/member_remove", aSCIM + "[target.x.dialect]\nmember_remove = %q\n", []string{"filter", "value"}},
	{"target/*/dialect/members", aSCIM + "[target.x.dialect]\nmembers = %q\n", []string{"asked", "omitted", "shown", "user"}},
	{"target/*/dialect/paging", aSCIM + "[target.x.dialect]\npaging = %q\n", []string{"auto", "cursor", "index"}},
	{"target/*/dialect/passwords", aSCIM + "[target.x.dialect]\npasswords = %q\n", []string{"off", "on"}},
	{"target/*/dialect/update", aSCIM + "[target.x.dialect]\nupdate = %q\n", []string{"auto", "patch", "patch-no-path", "put"}},
}

// modes and empties are the words of a rule for an attribute.
var modes, empties = []string{"enforce", "if-empty", "merge", "on-create"}, []string{"clear", "keep", "park"}

// addWords puts the words into the schema.
func addWords(t testing.TB, schema object) {
	for _, e := range enums {
		at := schema
		for name := range strings.SplitSeq(e.path, "/") {
			properties, _ := at["properties"].(object)
			next, is := properties[name].(object)
			if name == "*" {
				next, is = at["additionalProperties"].(object)
			}
			if !is {
				t.Fatalf("the schema has no %s", e.path)
			}
			at = next
		}
		at["enum"] = anys(e.words)
	}
}

func anys(words []string) (out []any) {
	for _, w := range words {
		out = append(out, w)
	}
	return out
}

// TestSchemaHasTheWords: what the schema offers at a key is taken there, and no word that
// stands anywhere else; what the program says may stand there is what the schema offers.
func TestSchemaHasTheWords(t *testing.T) {
	all := slices.Clone(enums)
	for key, words := range map[string][]string{"mode": modes, "empty": empties} {
		all = append(all, enum{key, aFile + "[target.x.account]\nmatch = [\"name\"]\n[target.x.attributes]\nname = \"a\"\nother = { from = \"b\", " + key + " = %q }\n", words})
	}
	tried := []string{"no-such-word", "Hold", "true", "always", "never", "delete", "disable", "ignore"}
	for _, e := range all {
		tried = append(tried, e.words...)
	}
	slices.Sort(tried)
	tried = slices.Compact(tried)
	for _, e := range all {
		for _, w := range tried {
			if taken := takes(e, w); taken != slices.Contains(e.words, w) {
				t.Errorf("%s = %q: taken %v, the schema has %q", e.path, w, taken, e.words)
			}
		}
	}
}

// takes says whether nothing is wrong with the word where it stands.
func takes(e enum, word string) bool {
	text := fmt.Sprintf(e.file, word)
	_, problems := Parse("rosterd.toml", []byte(text), realKinds())
	line := 1 + strings.Count(e.file[:strings.Index(e.file, "%q")], "\n")
	for _, p := range problems {
		if p.Line == line && !p.Warning && (strings.Contains(p.Message, word) || strings.Contains(p.Hint, "write")) {
			return false
		}
	}
	return true
}
