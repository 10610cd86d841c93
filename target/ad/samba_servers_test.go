//go:build servers

package ad

import (
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target/targettest"
)

// samba is a domain controller with OU=accounts and OU=groups, which a test finds
// empty of accounts.
type samba struct {
	*servers.Samba
	password secret.Secret
}

func b64(name, value string) string {
	return name + ":: " + base64.StdEncoding.EncodeToString([]byte(value)) + "\n"
}

// rights are the commands of docs/targets/active-directory.md.
const rights = `
sid=$(samba-tool user show rosterd --attributes=objectSid | sed -n 's/^objectSid: //p')
samba-tool dsacl set --objectdn="OU=accounts,DC=lab,DC=example" --sddl="(OA;CI;CCDC;bf967aba-0de6-11d0-a285-00aa003049e2;;$sid)"
samba-tool dsacl set --objectdn="OU=accounts,DC=lab,DC=example" --sddl="(OA;CIIO;RPWPSD;;bf967aba-0de6-11d0-a285-00aa003049e2;$sid)"
samba-tool dsacl set --objectdn="OU=accounts,DC=lab,DC=example" --sddl="(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;$sid)"
samba-tool dsacl set --objectdn="OU=groups,DC=lab,DC=example" --sddl="(OA;CIIO;RPWP;bf9679c0-0de6-11d0-a285-00aa003049e2;bf967a9c-0de6-11d0-a285-00aa003049e2;$sid)"
`

func startSamba(t *testing.T, more ...string) *samba {
	t.Helper()
	text := ""
	for _, dn := range []string{inAccounts, inGroups, "OU=sub," + inAccounts} {
		text += "dn: " + dn + "\nobjectClass: organizationalUnit\n\n"
	}
	for _, g := range three {
		text += "dn: CN=" + g + "," + inGroups + "\nobjectClass: group\nsAMAccountName: " + g + "\n\n"
	}
	s := &samba{Samba: servers.StartSamba(t, servers.SambaConfig{
		Users:   []servers.SambaUser{{Name: "rosterd"}},
		LDIF:    []io.Reader{strings.NewReader(text + strings.Join(more, "\n"))},
		Options: []string{"log level = 0 dsdb_audit:5"},
	})}
	if out, err := s.Shell(rights); err != nil {
		t.Fatalf("give the rights: %v\n%s", err, out)
	}
	s.password = passwordFile(t, servers.SambaPassword)
	return s
}

func (s *samba) cfg(*testing.T) Config {
	return Config{
		URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.UserDN("rosterd"), Password: s.password,
		Base: inAccounts, Mark: "employeeNumber", Groups: Groups{Base: inGroups},
	}
}

func (s *samba) modify(t *testing.T, text string) {
	t.Helper()
	if err := s.Modify(text); err != nil {
		t.Fatal(err)
	}
}

func (s *samba) add(t *testing.T, dn string, attrs map[string][]string) {
	t.Helper()
	text := b64("dn", dn)
	for name, values := range attrs {
		for _, v := range values {
			text += b64(name, v)
		}
	}
	s.modify(t, text)
}

func (s *samba) set(t *testing.T, dn, attribute string, values ...string) {
	t.Helper()
	text := b64("dn", dn) + "changetype: modify\nreplace: " + attribute + "\n"
	for _, v := range values {
		text += b64(attribute, v)
	}
	s.modify(t, text)
}

func (s *samba) all(t *testing.T) (out []ldif.Entry) {
	t.Helper()
	for _, base := range []string{inAccounts, inGroups} {
		got, err := s.Search(base, "sub", "(|(objectClass=user)(objectClass=group))", "*")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got...)
	}
	return out
}

// written is a line of the audit log: one request of somebody who is neither the
// system nor the administrator.
var written = regexp.MustCompile(`DSDB Change .* remote host \[ipv4:[^]]*\] SID \[S-1-5-21-[-0-9]*-[1-9][0-9]{3}\]`)

func (s *samba) requests() int { return len(written.FindAllString(s.Log(), -1)) }

// empty removes all accounts.
func (s *samba) empty(t *testing.T) {
	t.Helper()
	var text strings.Builder
	for _, x := range s.all(t) {
		if identity.MustDN(x.DN).Within(identity.MustDN(inAccounts)) {
			fmt.Fprintf(&text, "%schangetype: delete\n\n", b64("dn", x.DN))
		}
	}
	if text.Len() > 0 {
		s.modify(t, text.String())
	}
}

// TestSambaContract: the suite on a domain controller of Samba, with no more rights
// than the page names.
func TestSambaContract(t *testing.T) {
	s := startSamba(t)
	for _, without := range []string{"", withRandom, withSmartcard} {
		t.Run("without_password="+without, func(t *testing.T) {
			h := harness(without)
			h.New = func(t *testing.T) targettest.System {
				s.empty(t)
				cfg := s.cfg(t)
				cfg.WithoutPassword = without
				sys := system(t, s, cfg)
				if without == withSmartcard {
					sys.Login = nil // not by a password
				}
				return sys
			}
			targettest.Run(t, h)
		})
	}
}
