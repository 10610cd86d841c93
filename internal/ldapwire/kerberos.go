package ldapwire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	krb5conf "github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
)

// Kerberos binds by SASL GSSAPI with a keytab. It has no security layer of its
// own, so TLS is needed.
type Kerberos struct {
	// Principal is who we are: "rosterd@CORP.EXAMPLE". Without a realm it is in
	// the default realm of the file.
	Principal string
	// Keytab is asked for at each bind, and its answer not kept.
	Keytab func() ([]byte, error)
	// ConfigFile is a krb5.conf; empty means that of the system, and where there
	// is none the KDCs of the realm are looked for in the DNS.
	ConfigFile string
	// Service is the principal of the server; empty means ldap/HOST, with the
	// host of the URL.
	Service string
}

func (k *Kerberos) validate() []error {
	var errs []error
	if err := CheckPrincipal(k.Principal); err != nil {
		errs = append(errs, err)
	}
	if k.Keytab == nil {
		errs = append(errs, setting("set keytab", "Kerberos without a keytab"))
	}
	return errs
}

// CheckPrincipal says what is wrong with the name of a Kerberos principal.
func CheckPrincipal(principal string) error {
	name, realm, with := strings.Cut(principal, "@")
	switch {
	case name == "" || with && realm == "" || strings.ContainsAny(principal, " \t\n") || strings.Contains(realm, "@"):
		return setting(`as in principal = "rosterd@CORP.EXAMPLE"`, "%q is no Kerberos principal", principal)
	case realm != strings.ToUpper(realm):
		return setting("write "+name+"@"+strings.ToUpper(realm), "the Kerberos realm %q is not in capitals", realm)
	}
	return nil
}

// systemKrb5Conf is where Kerberos is configured when nothing else is said.
// Tests set it.
var systemKrb5Conf = "/etc/krb5.conf"

// config reads the settings of Kerberos.
func (k *Kerberos) config(realm string) (*krb5conf.Config, error) {
	path := k.ConfigFile
	if path == "" {
		path = os.Getenv("KRB5_CONFIG")
	}
	if path == "" {
		if _, err := os.Stat(systemKrb5Conf); err == nil {
			path = systemKrb5Conf
		}
	}
	var (
		cfg *krb5conf.Config
		err error
	)
	if path != "" {
		if cfg, err = krb5conf.Load(path); err != nil {
			var unsupported krb5conf.UnsupportedDirective
			if cfg == nil || !errors.As(err, &unsupported) {
				return nil, setting("check krb5_conf", "read %s: %v", path, err)
			}
		}
	} else if cfg, err = krb5conf.NewFromString("[libdefaults]\ndns_lookup_kdc = true\n"); err != nil {
		return nil, err
	}
	if realm != "" {
		cfg.LibDefaults.DefaultRealm = realm
	}
	if cfg.LibDefaults.DefaultRealm == "" {
		return nil, setting("write the principal with its realm, as in rosterd@CORP.EXAMPLE", "no Kerberos realm is known for %s", k.Principal)
	}
	// Tickets of Active Directory do not fit into a datagram.
	cfg.LibDefaults.UDPPreferenceLimit = 1
	return cfg, nil
}

// login makes a client that can get tickets. Whoever got it destroys it.
func (k *Kerberos) login() (*client.Client, error) {
	name, realm, _ := strings.Cut(k.Principal, "@")
	cfg, err := k.config(realm)
	if err != nil {
		return nil, err
	}
	raw, err := k.Keytab()
	if err != nil {
		return nil, setting(hintOf(err, "check keytab"), "read the keytab: %v", err)
	}
	table := keytab.New()
	if err := guarded(func() error { return table.Unmarshal(raw) }); err != nil {
		return nil, setting("make it with ktutil, ktpass or samba-tool domain exportkeytab", "the keytab cannot be read: %v", err)
	}
	realm = cfg.LibDefaults.DefaultRealm
	held := map[string]bool{}
	for _, e := range table.Entries {
		held[strings.Join(e.Principal.Components, "/")+"@"+e.Principal.Realm] = true
	}
	if who := name + "@" + realm; !held[who] {
		names := make([]string, 0, len(held))
		for p := range held {
			names = append(names, p)
		}
		return nil, setting("check principal and keytab: upper and lower case count", "the keytab has no key of %s; it has keys of %s", who, sortedList(names))
	}
	return client.NewWithKeytab(name, realm, table, cfg, client.DisablePAFXFAST(true)), nil
}

// kerberosError is a ticket that was not given.
type kerberosError struct {
	err       error
	hint      string
	transient bool
}

func (e *kerberosError) Error() string { return "Kerberos: " + e.err.Error() }
func (e *kerberosError) Hint() string  { return e.hint }
func (e *kerberosError) Unwrap() error { return e.err }

// ticketError says what an error of the KDC means. The library keeps the codes
// as text alone.
func ticketError(err error, service string) error {
	out := &kerberosError{err: err}
	text := err.Error()
	for _, k := range []struct{ code, hint string }{
		{"KDC_ERR_C_PRINCIPAL_UNKNOWN", "the KDC does not know the principal: check principal"},
		{"KDC_ERR_PREAUTH_FAILED", "the key in the keytab is not (any more) that of the principal: make the keytab anew"},
		{"KDC_ERR_CLIENT_REVOKED", "the account of the principal is disabled, locked or expired"},
		{"KDC_ERR_KEY_EXPIRED", "the password of the principal has expired: make the keytab anew"},
		{"KDC_ERR_S_PRINCIPAL_UNKNOWN", "the KDC knows no " + service + ": the host in urls must be the name by which the server is registered, not an alias or an address; else set service"},
		{"KDC_ERR_ETYPE_NOSUPP", "the keytab has no key of a kind that the KDC accepts: make it with AES keys"},
		{"KRB_AP_ERR_SKEW", "the clocks of this machine and of the KDC differ by more than five minutes"},
		{"KDC_ERR_WRONG_REALM", "check the realm in principal"},
	} {
		if strings.Contains(text, k.code) {
			out.hint = k.hint
			return out
		}
	}
	for _, network := range []string{"communicat", "sending to a KDC", "no KDC", "lookup "} {
		if strings.Contains(text, network) {
			out.transient = true
			out.hint = "no KDC of the realm answers: check krb5_conf, or the SRV records of the realm"
		}
	}
	return out
}

// service is the principal of the server.
func (k *Kerberos) service(host string) string {
	if k.Service != "" {
		return k.Service
	}
	return "ldap/" + strings.ToLower(strings.TrimSuffix(host, "."))
}

// sortedList joins names for people.
func sortedList(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// kerberosFailure is what went wrong in the bind.
func kerberosFailure(format string, args ...any) error {
	return &kerberosError{err: fmt.Errorf(format, args...)}
}

// bindKerberos binds by SASL GSSAPI.
func (c *Conn) bindKerberos(ctx context.Context, host string) error {
	k := c.cfg.Kerberos
	channel, ok := c.w.Conn.(*tls.Conn)
	if !ok {
		return c.fault(opNameBind, k.Principal, errors.New("Kerberos without TLS"))
	}
	kdc, err := k.login()
	if err != nil {
		return c.fault(opNameBind, k.Principal, err)
	}
	defer kdc.Destroy()
	g := &gssContext{client: kdc, service: k.service(host), bindings: channelBindings(channel.ConnectionState())}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire(opNameBind, k.Principal); err != nil {
		return err
	}
	defer c.mu.Unlock()
	_, err = c.run(ctx, opNameBind, k.Principal, nil, func() error { return c.l.GSSAPIBind(g, g.service, "") })
	if g.failed != nil {
		return c.fault(opNameBind, k.Principal, g.failed)
	}
	return err
}
