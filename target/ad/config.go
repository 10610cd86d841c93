package ad

import (
	"time"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
)

// Config is a [target.NAME] of kind "active-directory".
type Config struct {
	// URLs are tried in this order: ldaps://, or ldap:// (StartTLS, which must
	// succeed). Each must be a controller that can be written to.
	URLs []string `toml:"urls"`
	// CAFile holds the authorities to trust, in PEM; left out: the system's.
	CAFile string `toml:"ca_file"`
	// ServerName is looked for in the certificate; left out: the host in the URL.
	ServerName string `toml:"server_name"`

	// BindDN is a DN, a userPrincipalName or DOMAIN\user.
	BindDN   string        `toml:"bind_dn"`
	Password secret.Secret `toml:"password"`

	// Base is where accounts are made, and below which they are looked for.
	Base string `toml:"base"`
	// ObjectClasses are those of a new account; user if left out.
	ObjectClasses []string `toml:"object_classes"`
	// Containers says what becomes of a container that an account is to be in, and
	// that is not there: "create" makes it; left out: that is an error.
	Containers string `toml:"containers"`
	// Filter says which entries are accounts; left out: users that are persons.
	Filter string `toml:"filter"`
	// WithoutPassword says what becomes of a new account where rosterd sets no
	// password: "random" gives it one that nobody knows, "smartcard" has it log in
	// by smart card only. Left out, an account is closed until it has a password.
	WithoutPassword string `toml:"without_password"`
	// Groups are the entitlements; without a base there are none.
	Groups Groups `toml:"groups"`
	// Mark is the attribute that takes the ownership mark; left out: none.
	Mark string `toml:"mark"`

	// Connections is how many are open at most; 4 if left out.
	Connections int `toml:"connections"`
	// DialTimeout bounds connecting, IdleTimeout the silence of a server that
	// owes an answer (30s if left out), TotalTimeout a whole listing.
	DialTimeout  span.Duration `toml:"dial_timeout"`
	IdleTimeout  span.Duration `toml:"idle_timeout"`
	TotalTimeout span.Duration `toml:"total_timeout"`
}

// Groups says where the groups are. They are never made.
type Groups struct {
	Base string `toml:"base"`
	// Name is the attribute by which entitlements name a group; sAMAccountName if
	// left out.
	Name string `toml:"name"`
	// Filter says which entries are groups; left out: all of that class.
	Filter string `toml:"filter"`
}

// create is the word of Containers.
const create = "create"

// Ways to be without a password.
const (
	withRandom    = "random"
	withSmartcard = "smartcard"
)

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	if len(c.ObjectClasses) == 0 {
		c.ObjectClasses = []string{"user"}
	}
	set(&c.Filter, "(&(objectCategory=person)(objectClass=user))")
	if c.Groups.Base != "" {
		set(&c.Groups.Name, samAccountName)
		set(&c.Groups.Filter, "(objectClass=group)")
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
		URLs: c.URLs, CAFile: c.CAFile, ServerName: c.ServerName, BindDN: c.BindDN,
		DialTimeout: time.Duration(c.DialTimeout), IdleTimeout: time.Duration(c.IdleTimeout),
		TotalTimeout: time.Duration(c.TotalTimeout),
	}
	if c.Password.IsSet() {
		w.Password = c.Password.Value
	}
	return w
}
