package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// TB is the part of testing.TB that the starters need.
type TB interface {
	Helper()
	Fatal(args ...any)
	Skip(args ...any)
	Logf(format string, args ...any)
	Failed() bool
	Cleanup(func())
}

// packages tells in which Debian packages a binary is, with what it needs to
// be of use.
var packages = map[string]string{
	"slapd": "slapd", "slapadd": "slapd", "slapcat": "slapd", "slaptest": "slapd",
	"samba": "samba samba-ad-dc samba-ad-provision samba-dsdb-modules", "samba-tool": "samba python3-samba python3-markdown",
	"ldbadd": "ldb-tools", "ldbmodify": "ldb-tools", "ldbsearch": "ldb-tools",
	"ns-slapd": "389-ds-base", "dscreate": "389-ds-base python3-lib389",
	"node":       "nodejs npm",
	"ldapsearch": "ldap-utils", "ldapmodify": "ldap-utils", "ldapadd": "ldap-utils", "ldapdelete": "ldap-utils",
}

// MissingError says which binaries were not found.
type MissingError struct{ Names []string }

func (e *MissingError) Error() string {
	return "find " + strings.Join(e.Names, ", ") + ": not installed"
}

// Hint returns the line that installs them.
func (e *MissingError) Hint() string {
	var pkgs []string
	for _, n := range e.Names {
		if p, ok := packages[n]; ok {
			pkgs = append(pkgs, strings.Fields(p)...)
		} else {
			pkgs = append(pkgs, n)
		}
	}
	slices.Sort(pkgs)
	return "apt-get install -y --no-install-recommends " + strings.Join(slices.Compact(pkgs), " ")
}

// Find returns the path of the binary, looked for in PATH and in the folders
// where servers live, which an ordinary user's PATH often lacks.
func Find(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/libexec", "/sbin"} {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p, nil
		}
	}
	return "", &MissingError{Names: []string{name}}
}

// Require fails the test when a binary is missing, and says how to install it.
// Only TEST_SERVERS=optional turns that into a skip.
func Require(t TB, names ...string) {
	t.Helper()
	var missing []string
	for _, n := range names {
		if _, err := Find(n); err != nil {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return
	}
	err := &MissingError{Names: missing}
	text := fmt.Sprintf("%v; as root: %s", err, err.Hint())
	if os.Getenv("TEST_SERVERS") == "optional" {
		t.Skip(text)
		return
	}
	t.Fatal(text)
}
