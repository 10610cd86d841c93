package ldapwire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/secret"
)

// Reader chooses how listings are decoded.
type Reader uint8

const (
	// Fast decodes entries out of the stream. It is the default.
	Fast Reader = iota
	// Reference is the page loop on plain go-ldap: slow, and what the other is
	// compared with.
	Reference
)

// Config says how to reach a directory and as whom.
type Config struct {
	// URLs are tried in this order: ldaps://host, ldap://host (StartTLS, which
	// must succeed) and ldapi://%2Frun%2Fslapd%2Fldapi.
	URLs []string
	// CAFile holds the certificates, in PEM, of the authorities to trust; empty
	// means those of the system.
	CAFile string
	// ServerName is the name to look for in the certificate; empty means the
	// host in the URL.
	ServerName string
	// CertFile and KeyFile hold a client certificate, in PEM.
	CertFile, KeyFile string
	// AllowPlaintext leaves TLS out for ldap:// URLs: everything, the password
	// too, crosses the network for all to read and to change.
	AllowPlaintext bool

	// BindDN is the name to bind as; empty means anonymous (or EXTERNAL).
	BindDN string
	// Password is asked for at each bind, and its answer not kept.
	Password func() (string, error)
	// External binds by SASL EXTERNAL: as the owner of this process over ldapi,
	// as the client certificate over TLS.
	External bool

	// Kerberos, if set, binds by SASL GSSAPI.
	Kerberos *Kerberos

	// DialTimeout bounds connecting, TLS included; 10 s if zero.
	DialTimeout time.Duration
	// IdleTimeout is how long the server may be silent while it owes an answer,
	// or refuse to take a request; 2 min if zero.
	IdleTimeout time.Duration
	// TotalTimeout bounds one call, a whole listing with all its pages too; 1 h
	// if zero.
	TotalTimeout time.Duration

	// Accept, if set, looks at a server that let us in: its error leaves it for the
	// next URL.
	Accept func(context.Context, *Conn) error

	// Reader chooses how listings are decoded.
	Reader Reader
}

func (c Config) withDefaults() Config {
	if c.DialTimeout == 0 {
		c.DialTimeout = 10 * time.Second
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 2 * time.Minute
	}
	if c.TotalTimeout == 0 {
		c.TotalTimeout = time.Hour
	}
	return c
}

// settingError is a mistake in the Config.
type settingError struct{ what, hint string }

func (e *settingError) Error() string { return e.what }
func (e *settingError) Hint() string  { return e.hint }

func isSetting(err error) bool {
	var e *settingError
	return errors.As(err, &e)
}

// hintOf is the hint of an error, or another where it has none.
func hintOf(err error, otherwise string) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return otherwise
}

func setting(hint, format string, args ...any) error {
	return &settingError{fmt.Sprintf(format, args...), hint}
}

// Validate says what is wrong with the settings, without I/O; all of it, joined.
func (c Config) Validate() error {
	var errs []error
	if len(c.URLs) == 0 {
		errs = append(errs, setting(`set urls = ["ldaps://…"]`, "no URL"))
	}
	for _, u := range c.URLs {
		a, err := parseURL(u)
		if err != nil {
			errs = append(errs, err)
		} else if c.Kerberos != nil && (a.network == "unix" || !a.tls && c.AllowPlaintext) {
			errs = append(errs, setting("use an ldaps:// URL, or ldap:// with StartTLS",
				"Kerberos over %s: only over TLS, since it has no security layer of its own here", u))
		} else if c.External && c.CertFile == "" && a.network != "unix" {
			errs = append(errs, setting("use an ldapi:// URL, or set a client certificate",
				"SASL EXTERNAL over %s needs a client certificate", u))
		}
	}
	switch {
	case c.External && c.BindDN != "":
		errs = append(errs, setting("leave one of them out", "both SASL EXTERNAL and a bind DN"))
	case c.BindDN != "" && c.Password == nil:
		errs = append(errs, setting("set password", "a bind DN without a password"))
	case c.BindDN == "" && c.Password != nil:
		errs = append(errs, setting("set bind_dn", "a password without a bind DN"))
	}
	if c.Kerberos != nil {
		if c.External || c.BindDN != "" || c.Password != nil {
			errs = append(errs, setting("leave the others out", "Kerberos and another way to bind"))
		}
		errs = append(errs, c.Kerberos.validate()...)
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		errs = append(errs, setting("set both", "a client certificate needs its key, and a key its certificate"))
	}
	if c.DialTimeout < 0 || c.IdleTimeout < 0 || c.TotalTimeout < 0 {
		errs = append(errs, setting("leave it out for the default", "a time-out is negative"))
	}
	return errors.Join(errs...)
}

// who is the name that is bound as; empty for anonymous and EXTERNAL.
func (c Config) who() string {
	if c.Kerberos != nil {
		return c.Kerberos.Principal
	}
	return c.BindDN
}

// address is a URL that was understood.
type address struct {
	url     string
	network string // tcp or unix
	target  string // host:port or path
	host    string
	tls     bool // from the start
}

// parseURL reads the URL of a server (RFC 4516; ldapi as OpenLDAP has it).
func parseURL(s string) (address, error) {
	bad := func(format string, args ...any) (address, error) {
		// A password that somebody put there is not repeated.
		if scheme, rest, ok := strings.Cut(s, "://"); ok {
			if at := strings.LastIndexByte(rest, '@'); at >= 0 {
				s = scheme + "://[secret]" + rest[at:]
			}
		}
		return address{}, setting("as in ldaps://ldap.example, ldap://ldap.example:1389 or ldapi://%2Frun%2Fslapd%2Fldapi",
			"the URL %q: %s", s, fmt.Sprintf(format, args...))
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return bad("no scheme")
	}
	scheme = strings.ToLower(scheme)
	if scheme == "ldapi" {
		path, err := url.PathUnescape(strings.TrimSuffix(rest, "/"))
		if err != nil || path == "" || strings.HasPrefix(rest, "/") {
			return bad("the path of the socket must follow, with each / written as %%2F")
		}
		return address{url: s, network: "unix", target: path, host: "localhost"}, nil
	}
	a := address{url: s, network: "tcp", tls: scheme == "ldaps"}
	port := "389"
	switch scheme {
	case "ldap":
	case "ldaps":
		port = "636"
	default:
		return bad("the scheme %q is not ldaps, ldap or ldapi", scheme)
	}
	if strings.Contains(rest, "@") {
		return bad("only a host and a port may stand there")
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil {
		return bad("%v", err)
	}
	if u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return bad("only a host and a port may stand there")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	a.host, a.target = u.Hostname(), net.JoinHostPort(u.Hostname(), port)
	return a, nil
}

// tlsConfig reads the files of the settings.
func (c Config) tlsConfig(host string) (*tls.Config, error) {
	t := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if c.ServerName != "" {
		t.ServerName = c.ServerName
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, setting("check ca_file", "read ca_file: %v", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, setting("it must hold certificates in PEM", "ca_file %s holds no certificate", c.CAFile)
		}
	}
	if c.CertFile != "" {
		pem, err := os.ReadFile(c.CertFile)
		if err != nil {
			return nil, setting("check cert_file", "read the client certificate: %v", err)
		}
		// Whoever has the key is who we are: it is guarded like a password.
		key, err := secret.File(c.KeyFile).Value()
		if err != nil {
			return nil, setting(hintOf(err, "check key_file"), "read the key of the client certificate: %v", err)
		}
		cert, err := tls.X509KeyPair(pem, []byte(key))
		if err != nil {
			return nil, setting("check cert_file and key_file", "read the client certificate: %v", err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}
