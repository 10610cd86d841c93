package entries

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSwapMeetsRefint: the directory may replace the member at the same moment.
func TestSwapMeetsRefint(t *testing.T) {
	const suffix = "dc=apps,dc=example"
	const user = "cn=rosterd," + suffix
	const was, now, group = "uid=a,ou=accounts," + suffix, "uid=b,ou=accounts," + suffix, "cn=Writers," + suffix
	for name, before := range map[string][]string{"nothing done": {was}, "both there": {was, now}, "done": {now}, "gone": {"cn=x"}} {
		d := ldapd.New(suffix)
		for _, e := range []struct {
			dn    string
			attrs map[string][]string
		}{
			{suffix, map[string][]string{"objectClass": {"domain"}}},
			{user, map[string][]string{"objectClass": {"person"}, "sn": {"x"}, "userPassword": {"let me in"}}},
			{group, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"Writers"}, "member": append(before, "cn=nobody")}},
		} {
			if err := d.Add(e.dn, e.attrs); err != nil {
				t.Fatal(err)
			}
		}
		server, err := d.Serve(context.Background(), ldapd.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
			t.Fatal(err)
		}
		base := identity.MustDN(suffix)
		a := New(Settings{
			Wire: ldapwire.Config{URLs: []string{server.TLSURL()}, CAFile: ca, BindDN: user, Password: func() (string, error) { return "let me in", nil }}, Base: base, Name: "uid", RDN: "uid", Filter: "(uid=*)", IDAttribute: EntryUUID,
			Groups: Groups{Base: base, Style: StyleMember, Name: "cn", Filter: "(objectClass=groupOfNames)"},
		})
		t.Cleanup(func() {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		var got []string
		err = a.with(t.Context(), "swap", func(s *session) error {
			if err := s.swap(t.Context(), group, was, now); err != nil {
				return err
			}
			rec, err := s.c.Base(t.Context(), group, StyleMember)
			got = rec.Values(StyleMember)
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if slices.Contains(got, was) || slices.Contains(got, now) != (name != "gone") {
			t.Errorf("%s: the group holds %q", name, got)
		}
	}
}
