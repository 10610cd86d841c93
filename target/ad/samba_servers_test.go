//go:build servers

package ad

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target/internal/entries"
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

// pasted are the commands of the page as they stand there, of its nth block, with the
// names of this domain.
func pasted(t *testing.T, nth int) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/targets/active-directory.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d blocks of commands, want 2", len(blocks))
	}
	return strings.NewReplacer("OU=Accounts,DC=corp,DC=example", inAccounts, "OU=Groups,DC=corp,DC=example", inGroups).Replace(blocks[nth][1])
}

func (s *samba) paste(t *testing.T, nth int) {
	t.Helper()
	if out, err := s.Shell(pasted(t, nth)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

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
	s.paste(t, 0)
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
	got, err := s.Search(suffix, "sub", "(|(objectClass=user)(objectClass=group))", "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got {
		if dn := identity.MustDN(x.DN); dn.Within(identity.MustDN(inAccounts)) || dn.Within(identity.MustDN(inGroups)) {
			out = append(out, x)
		}
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
	t.Parallel()
	s := startSamba(t)
	h := harness("")
	h.New = func(t *testing.T) targettest.System {
		s.empty(t)
		return system(t, s, s.cfg(t))
	}
	targettest.Run(t, h)
}

// rid is the last number of the SID of a group.
func (s *samba) rid(t *testing.T, group string) string {
	t.Helper()
	out, err := s.Shell("samba-tool group show '" + group + "' --attributes=objectSid | sed -n 's/^objectSid: .*-//p'")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// blindTarget does not look in the domain before it writes, as if somebody else were
// quicker.
func blindTarget(t *testing.T, cfg Config) *Target {
	t.Helper()
	settings, err := cfg.withDefaults().settings()
	if err != nil {
		t.Fatal(err)
	}
	settings.Domain, settings.Base = identity.DN{}, identity.MustDN("OU=sub,"+inAccounts)
	tg := &Target{Accounts: entries.New(settings), cfg: cfg}
	t.Cleanup(func() {
		if err := tg.Close(); err != nil {
			t.Error(err)
		}
	})
	return tg
}
