package scim

import (
	"time"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
)

// Config is a [target.NAME] of kind "scim".
type Config struct {
	// URL is where /Users and /Groups are found below.
	URL string `toml:"url"`

	// Token is sent as a bearer token. Instead of it: a token that is fetched
	// with client credentials (RFC 6749, 4.4), or a name and a password.
	Token        secret.Secret `toml:"token"`
	TokenURL     string        `toml:"token_url"`
	ClientID     string        `toml:"client_id"`
	ClientSecret secret.Secret `toml:"client_secret"`
	// ClientAuth says how the client shows who it is: basic (the default) or post.
	ClientAuth string        `toml:"client_auth"`
	Scopes     []string      `toml:"scopes"`
	Username   string        `toml:"username"`
	Password   secret.Secret `toml:"password"`

	// CAFile holds the authorities to trust, in PEM; left out: the system's.
	CAFile string `toml:"ca_file"`
	// AllowPlaintext lets the token cross a network unencrypted.
	AllowPlaintext bool `toml:"allow_plaintext"`

	// Profile names what is known of a service; generic if left out. Dialect
	// says what is otherwise.
	Profile string  `toml:"profile"`
	Dialect Profile `toml:"dialect"`

	// Connections is how many reads are under way at once; 4 if left out.
	Connections int `toml:"connections"`
	// IdleTimeout bounds the silence of a server that owes an answer (60s if left
	// out), TotalTimeout a whole listing (none).
	IdleTimeout  span.Duration `toml:"idle_timeout"`
	TotalTimeout span.Duration `toml:"total_timeout"`
}

const (
	defaultConnections = 4
	defaultIdle        = 60 * time.Second
)

// withDefaults fills in what was left out, and puts the dialect over the profile.
func (c Config) withDefaults() Config {
	if c.Profile == "" {
		c.Profile = generic
	}
	if base, known := profiles()[c.Profile]; known {
		c.Dialect = c.Dialect.Over(base)
	}
	if c.Dialect.Passwords == "" && c.Dialect.Update == updatePut {
		c.Dialect.Passwords = off // what is not read would be cleared by the next PUT
	}
	c.Dialect = c.Dialect.Over(defaults)
	if c.Connections == 0 {
		c.Connections = defaultConnections
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = span.Duration(defaultIdle)
	}
	if c.ClientAuth == "" {
		c.ClientAuth = "basic"
	}
	return c
}
