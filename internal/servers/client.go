package servers

import (
	"bytes"
	"regexp"

	"github.com/rosterd/rosterd/internal/ldif"
)

// client runs the LDAP tools against one server, as somebody whose password is
// kept off the process list.
type client struct {
	url, ca      string
	dn           string
	passwordFile string
}

func (c client) env() []string { return []string{"LDAPTLS_CACERT=" + c.ca} }

// modify runs ldapmodify with LDIF change records; a record without changetype
// is added.
func (c client) modify(changes string, args ...string) error {
	args = append([]string{"-x", "-a", "-H", c.url, "-D", c.dn, "-y", c.passwordFile}, args...)
	_, err := output(c.env(), []byte(changes), "ldapmodify", args...)
	return err
}

// searchAs runs ldapsearch without paging; an empty name is anonymous. What was
// read before an error is returned with it.
func (c client) searchAs(name, password, base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	args := []string{"-LLL", "-o", "ldif-wrap=no", "-x", "-H", c.url, "-b", base, "-s", scope}
	var stdin []byte
	if name != "" {
		stdin = []byte(password)
		args = append(args, "-D", name, "-y", "/dev/stdin")
	}
	args = append(args, filter)
	out, err := output(c.env(), stdin, "ldapsearch", append(args, attrs...)...)
	entries, perr := parse(out)
	if err == nil {
		err = perr
	}
	return entries, err
}

// parse reads what a tool printed. Continuation references come as comments
// (ldapsearch) or as records without a DN (ldbsearch).
func parse(out []byte) ([]ldif.Entry, error) {
	// Most have none, and the expression takes longer than the reading.
	if bytes.Contains(out, []byte("ref: ")) {
		out = reference.ReplaceAll(out, nil)
	}
	return ldif.All(bytes.NewReader(out))
}

var reference = regexp.MustCompile(`(?m)^ref: .*\n`)
