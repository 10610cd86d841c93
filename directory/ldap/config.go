package ldap

import (
	"context"
	"time"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
)

// Config is a [source.NAME] that is an LDAP directory. What every kind of
// source has, person and canaries, is handed in beside the file.
type Config struct {
	// Server is the product: "auto", "openldap" or "generic".
	Server string `toml:"server"`
	// URLs are tried in this order: ldaps://, ldap:// (StartTLS, which must
	// succeed), ldapi://.
	URLs []string `toml:"urls"`
	// CAFile holds the authorities to trust, in PEM; left out: the system's.
	CAFile string `toml:"ca_file"`
	// ServerName is looked for in the certificate; left out: the host in the URL.
	ServerName string `toml:"server_name"`
	// CertFile and KeyFile are a client certificate, in PEM.
	CertFile string `toml:"cert_file"`
	KeyFile  string `toml:"key_file"`
	// AllowPlaintext leaves TLS out for ldap:// URLs.
	AllowPlaintext bool `toml:"allow_plaintext"`

	BindDN   string        `toml:"bind_dn"`
	Password secret.Secret `toml:"password"`
	// SASL is "external": who owns the process (ldapi), or the certificate; or
	// "gssapi": Kerberos.
	SASL     string   `toml:"sasl"`
	Kerberos Kerberos `toml:"kerberos"`

	// Changes is how changes are found: "full" reads everything each time, as
	// "auto" does for now.
	Changes string `toml:"changes"`

	// Push holds a search open that wakes the next cycle when something changes.
	Push bool `toml:"push"`

	People People `toml:"people"`
	Groups Groups `toml:"groups"`

	// IDAttribute is the immutable ID: "auto" is entryUUID (RFC 4530).
	IDAttribute string `toml:"id_attribute"`
	// AccountState are the attributes by which the server is believed about when an
	// account may be used; nil: every one that is known.
	AccountState []string `toml:"account_state"`
	// PageSize is the entries in a page; 500 if left out.
	PageSize int `toml:"page_size"`
	// IgnoreReferrals names, by the beginning of their URLs, parts of the tree
	// on other servers that hold nobody who matters.
	IgnoreReferrals []string `toml:"ignore_referrals"`

	// DialTimeout bounds connecting, IdleTimeout the silence of a server that
	// owes an answer, TotalTimeout a whole listing.
	DialTimeout  span.Duration `toml:"dial_timeout"`
	IdleTimeout  span.Duration `toml:"idle_timeout"`
	TotalTimeout span.Duration `toml:"total_timeout"`

	// Person says which attributes are login, mail, name and rehire key.
	Person Person `toml:"-"`
	// Canaries are DNs of people or groups without which no read is complete.
	Canaries []string `toml:"-"`
	// ClosedCanaries are DNs of people who are closed for good: where a read shows
	// one as open, it does not see who is closed.
	ClosedCanaries []string `toml:"-"`
	// Now tells the time; time.Now if nil.
	Now func() time.Time `toml:"-"`
	// Pause lets time pass, for a server that needs it; a timer if nil.
	Pause func(context.Context, time.Duration) error `toml:"-"`
	// Reader is the decoder of listings; tests compare the two.
	Reader ldapwire.Reader `toml:"-"`
}

// People says who the people are.
type People struct {
	Bases []string `toml:"bases"`
	// Filter is that of RFC 4515; (objectClass=inetOrgPerson) if left out.
	Filter string `toml:"filter"`
}

// Groups says which groups count.
type Groups struct {
	Bases []string `toml:"bases"`
	// Filter is that of RFC 4515; the common classes of groups if left out.
	Filter string `toml:"filter"`
	// Members are the attributes that hold members; member, uniqueMember and
	// memberUid if left out. gidNumber makes members of those whose primary group it
	// is, memberURL of those whom it finds.
	Members []string `toml:"members"`
	// Name is the attribute that names a group for people; cn if left out.
	Name string `toml:"name"`
}

// Person names attributes of people. Login is uid, Mail is mail and Name is cn
// if left out; Key is none.
type Person struct{ Login, Mail, Name, Key string }

// withDefaults fills in what was left out, as the kind of server has it.
func (c Config) withDefaults(kind profile) Config {
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&c.Server, serverAuto)
	set(&c.Changes, "auto")
	set(&c.People.Filter, kind.people)
	set(&c.Groups.Filter, kind.groups)
	set(&c.Groups.Name, "cn")
	set(&c.Person.Login, kind.login)
	set(&c.Person.Mail, "mail")
	set(&c.Person.Name, "cn")
	if c.IDAttribute == "" || c.IDAttribute == "auto" {
		c.IDAttribute = kind.id
	}
	if len(c.Groups.Members) == 0 {
		c.Groups.Members = kind.members
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Pause == nil {
		c.Pause = pause
	}
	return c
}

// wire is the part of the settings that a connection needs.
func (c Config) wire() ldapwire.Config {
	w := ldapwire.Config{
		URLs: c.URLs, CAFile: c.CAFile, ServerName: c.ServerName, CertFile: c.CertFile, KeyFile: c.KeyFile,
		AllowPlaintext: c.AllowPlaintext, BindDN: c.BindDN, External: c.SASL == "external",
		DialTimeout: time.Duration(c.DialTimeout), IdleTimeout: time.Duration(c.IdleTimeout),
		TotalTimeout: time.Duration(c.TotalTimeout), Reader: c.Reader,
	}
	if c.Password.IsSet() {
		w.Password = c.Password.Value
	}
	if c.SASL == "gssapi" {
		w.Kerberos = c.Kerberos.wire()
	}
	return w
}
