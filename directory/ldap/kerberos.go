package ldap

import (
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
)

// Kerberos says who to be for the KDC.
type Kerberos struct {
	// Principal is name@REALM.
	Principal string `toml:"principal"`
	// Keytab has its keys.
	Keytab secret.Secret `toml:"keytab"`
	// Config is a krb5.conf; that of the system if left out.
	Config string `toml:"krb5_conf"`
	// Service is the principal of the server; ldap/HOST if left out.
	Service string `toml:"service"`
}

// wire is the part of the settings that a connection needs.
func (k Kerberos) wire() *ldapwire.Kerberos {
	return &ldapwire.Kerberos{Principal: k.Principal, Keytab: k.Keytab.Bytes, ConfigFile: k.Config, Service: k.Service}
}

// kerberos has a keytab and a name, and TLS below it.
func (v validation) kerberos(c *Config) {
	k := c.Kerberos
	if c.SASL != "gssapi" {
		if k != (Kerberos{}) {
			v.at("kerberos is for sasl = \"gssapi\"", `set sasl = "gssapi", or leave kerberos out`, "kerberos")
		}
		return
	}
	if k.Principal == "" {
		v.at("Kerberos without a principal", `as in kerberos = { principal = "rosterd@CORP.EXAMPLE", keytab = { credential = "rosterd-keytab" } }`, "sasl")
	} else {
		v.error(ldapwire.CheckPrincipal(k.Principal), "kerberos", "principal")
	}
	if !k.Keytab.IsSet() {
		v.at("Kerberos without a keytab", `as in keytab = { credential = "rosterd-keytab" }`, "sasl")
	}
	if k.Service != "" && !strings.Contains(k.Service, "/") {
		v.at(fmt.Sprintf("%q is not the principal of a service", k.Service), `as in service = "ldap/dc1.corp.example"`, "kerberos", "service")
	}
	for _, u := range c.URLs {
		if lower := strings.ToLower(u); strings.HasPrefix(lower, "ldapi:") || c.AllowPlaintext && strings.HasPrefix(lower, "ldap:") {
			v.at(fmt.Sprintf("Kerberos over %s is without TLS, and it has no security layer of its own here", u), "use an ldaps:// URL, or ldap:// with StartTLS", "urls")
		}
	}
}
