package ldap

import (
	"time"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// Config is a [target.NAME] of kind "ldap".
type Config struct {
	// URLs are tried in this order: ldaps://, ldap:// (StartTLS, which must
	// succeed), ldapi://. They must all be able to write.
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
	// SASL is "external": who owns the process (ldapi), or the certificate.
	SASL string `toml:"sasl"`

	// Base is where accounts are made, and below which they are looked for.
	Base string `toml:"base"`
	// RDN is the attribute that names an account; uid if left out.
	RDN string `toml:"rdn"`
	// ObjectClasses are those of a new account.
	ObjectClasses []string `toml:"object_classes"`
	// Containers says what becomes of a container that an account is to be in, and
	// that is not there: "create" makes it; left out: that is an error.
	Containers string `toml:"containers"`
	// Filter says which entries are accounts; left out: those of the first
	// object class.
	Filter string `toml:"filter"`
	// Disable says how an account is closed; left out: it cannot be.
	Disable Disable `toml:"disable"`
	// Groups are the entitlements; without a base there are none.
	Groups Groups `toml:"groups"`
	// Mark is the attribute that takes the ownership mark; left out: none.
	Mark string `toml:"mark"`
	// IDAttribute is the immutable ID; entryUUID (RFC 4530) if left out.
	IDAttribute string `toml:"id_attribute"`

	// Connections is how many are open at most; 4 if left out.
	Connections int `toml:"connections"`
	// DialTimeout bounds connecting, IdleTimeout the silence of a server that
	// owes an answer (30s if left out), TotalTimeout a whole listing.
	DialTimeout  span.Duration `toml:"dial_timeout"`
	IdleTimeout  span.Duration `toml:"idle_timeout"`
	TotalTimeout span.Duration `toml:"total_timeout"`
}

// create is the word of Containers.
const create = "create"

// Disable closes an account by the value of an attribute, or by moving it. In the
// file it is a table, or the word of a [Preset].
type Disable struct {
	// Preset is the word, if it was one: then the attribute and its value are known.
	Preset    Preset `toml:"-"`
	Attribute string `toml:"attribute"`
	Disabled  string `toml:"disabled"`
	// Enabled is the value of an account that may be used; empty: none.
	Enabled string `toml:"enabled"`
	// MoveTo is the container of closed accounts. To enable one moves it to
	// the base, wherever it was before.
	MoveTo string `toml:"move_to"`
}

// Groups says what the groups of the target look like. They are never made.
type Groups struct {
	Base string `toml:"base"`
	// Style is the attribute of members: member, uniqueMember or memberUid.
	Style string `toml:"style"`
	// Placeholder is a member that is nobody: it is put into a group whose
	// last member goes and that may not be empty. "self", if left out, is the
	// group itself.
	Placeholder string `toml:"placeholder"`
	// Name is the attribute by which entitlements name a group; cn if left out.
	Name string `toml:"name"`
	// Filter says which entries are groups; left out: those of the usual class
	// for the style.
	Filter string `toml:"filter"`
}

var groupFilters = map[string]string{
	entries.StyleMember:       "(objectClass=groupOfNames)",
	entries.StyleUniqueMember: "(objectClass=groupOfUniqueNames)",
	entries.StyleMemberUID:    "(objectClass=posixGroup)",
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&c.RDN, "uid")
	set(&c.IDAttribute, entries.EntryUUID)
	if len(c.ObjectClasses) > 0 {
		set(&c.Filter, "(objectClass="+ldapwire.EscapeFilterValue(c.ObjectClasses[0])+")")
	}
	if c.Groups.Base != "" {
		set(&c.Groups.Style, entries.StyleMember)
		set(&c.Groups.Name, "cn")
		set(&c.Groups.Filter, groupFilters[c.Groups.Style])
		if c.Groups.Style != entries.StyleMemberUID {
			set(&c.Groups.Placeholder, entries.PlaceholderSelf)
		}
	}
	if c.Connections == 0 {
		c.Connections = 4
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = span.Duration(30 * time.Second)
	}
	return c
}

// wire is the part of the settings that a connection needs.
func (c Config) wire() ldapwire.Config {
	w := ldapwire.Config{
		URLs: c.URLs, CAFile: c.CAFile, ServerName: c.ServerName, CertFile: c.CertFile, KeyFile: c.KeyFile,
		AllowPlaintext: c.AllowPlaintext, BindDN: c.BindDN, External: c.SASL == "external",
		DialTimeout: time.Duration(c.DialTimeout), IdleTimeout: time.Duration(c.IdleTimeout),
		TotalTimeout: time.Duration(c.TotalTimeout),
	}
	if c.Password.IsSet() {
		w.Password = c.Password.Value
	}
	return w
}
