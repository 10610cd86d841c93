package ldap_test

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

// kerberos binds by a keytab.
func kerberos(c *ldap.Config) {
	c.BindDN, c.Password, c.SASL = "", secret.Secret{}, "gssapi"
	c.Kerberos = ldap.Kerberos{Principal: "rosterd@CORP.EXAMPLE", Keytab: secret.Credential("keytab")}
}

func TestKerberosSettings(t *testing.T) {
	for name, c := range map[string]struct {
		spoil     func(*ldap.Config)
		key, says string // empty: it is sound
	}{
		"sound":         {func(*ldap.Config) {}, "", ""},
		"over StartTLS": {func(c *ldap.Config) { c.URLs = []string{"ldap://dc1.corp.example"} }, "", ""},
		"for nothing": {func(c *ldap.Config) {
			*c = sound()
			c.Kerberos.Principal = "rosterd@CORP.EXAMPLE"
		}, "kerberos", "is for sasl"},
		"and a password": {func(c *ldap.Config) { c.BindDN, c.Password = sound().BindDN, sound().Password }, "sasl", "neither"},
		"no principal":   {func(c *ldap.Config) { c.Kerberos.Principal = "" }, "sasl", "without a principal"},
		"small realm":    {func(c *ldap.Config) { c.Kerberos.Principal = "rosterd@corp" }, "kerberos.principal", "capitals"},
		"no keytab":      {func(c *ldap.Config) { c.Kerberos.Keytab = secret.Secret{} }, "sasl", "without a keytab"},
		"service":        {func(c *ldap.Config) { c.Kerberos.Service = "dc1" }, "kerberos.service", "principal of a service"},
		"without TLS": {func(c *ldap.Config) {
			c.URLs, c.AllowPlaintext = []string{"ldap://dc1.corp.example"}, true
		}, "urls", "without TLS"},
		"on a socket": {func(c *ldap.Config) { c.URLs = []string{"ldapi://%2Frun%2Fldapi"} }, "urls", "without TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sound()
			kerberos(&cfg)
			c.spoil(&cfg)
			var found []problem.Problem
			cfg.Validate([]string{"source", "corp"}, func(p problem.Problem) { found = append(found, p) })
			if c.key == "" {
				if len(found) != 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			if len(found) != 1 || strings.Join(found[0].Path, ".") != "source.corp."+c.key || !strings.Contains(found[0].Message, c.says) || found[0].Hint == "" || found[0].Warning {
				t.Errorf("%+v", found)
			}
		})
	}
}
