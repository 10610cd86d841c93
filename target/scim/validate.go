package scim

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/tomltext"
)

// Validate says what is wrong with the settings; path is where they stand. It
// does no I/O.
func (c *Config) Validate(path []string, report problem.Report) {
	at := func(message, hint string, key ...string) {
		report.At(append(slices.Clone(path), key...), message, hint)
	}
	if c.URL == "" {
		at("no URL", `as in url = "https://wiki.example/scim/v2"`, "url")
	} else {
		c.address(c.URL, "url", at)
	}
	c.credentials(at)
	if c.Profile != "" && !slices.Contains(profileNames(), c.Profile) {
		hint := "docs/targets/scim.md lists them; left out it is " + generic
		if meant := tomltext.Suggest(c.Profile, profileNames()); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		at(fmt.Sprintf("there is no profile %q", c.Profile), hint, "profile")
	}
	c.Dialect.wrong(func(key, message, hint string) { at(message, hint, "dialect", key) })
	if c.CAFile != "" && !filepath.IsAbs(c.CAFile) {
		at("the path is not absolute", "begin it with a slash", "ca_file")
	}
	for _, n := range []struct {
		value int64
		key   string
	}{{int64(c.Connections), "connections"}, {int64(c.IdleTimeout), "idle_timeout"}, {int64(c.TotalTimeout), "total_timeout"}} {
		if n.value < 0 {
			at("it must not be negative", "leave it out for the default", n.key)
		}
	}
}

// Admits says whether an attribute can stand in the configuration.
func (c *Config) Admits(attribute string) error {
	p, err := parsePath(attribute)
	const page = "docs/targets/scim.md says how attributes are named"
	switch {
	case err != nil:
		return refused(page, "%w", err)
	case p.urn == "" && p.attr == externalID && c.withDefaults().Dialect.Mark == markExternalID:
		return refused(`write mark = "none" under dialect, or find accounts by another attribute`, "externalId holds the ownership mark here")
	}
	return nil
}

// credentials: one way to say who we are, whole.
func (c *Config) credentials(at func(message, hint string, key ...string)) {
	client := c.TokenURL != "" || c.ClientID != "" || c.ClientSecret.IsSet() || len(c.Scopes) > 0 || c.ClientAuth != ""
	basic := c.Username != "" || c.Password.IsSet()
	ways := 0
	for _, is := range []bool{c.Token.IsSet(), client, basic} {
		if is {
			ways++
		}
	}
	const choose = `token = { credential = "wiki-token" }, or token_url, client_id and client_secret, or username and password`
	switch {
	case ways == 0:
		at("nothing says who rosterd is there", "set "+choose, "token")
		return
	case ways > 1:
		at("there is more than one way to say who rosterd is there", "keep one: "+choose, "url")
	}
	if client {
		if c.TokenURL == "" {
			at("client credentials without token_url", `as in token_url = "https://login.example/oauth/token"`, "token_url")
		} else {
			c.address(c.TokenURL, "token_url", at)
		}
		if c.ClientID == "" {
			at("client credentials without client_id", "set it as the service names it", "client_id")
		}
		c.ClientSecret.Require([]string{"client_secret"}, func(p problem.Problem) { at(p.Message, p.Hint, p.Path...) })
		if c.ClientAuth != "" && c.ClientAuth != "basic" && c.ClientAuth != "post" {
			at(fmt.Sprintf("%q is not a choice here", c.ClientAuth), "write one of: basic, post", "client_auth")
		}
		for _, s := range c.Scopes {
			if s == "" || strings.ContainsAny(s, " \t\r\n\"\\") {
				at(fmt.Sprintf("%q is not a scope", s), `as in scopes = ["scim"]`, "scopes")
			}
		}
	}
	if basic && c.Username == "" {
		at("a password without username", "set username", "username")
	}
	if basic && strings.Contains(c.Username, ":") {
		at("a user name for HTTP has no colon", "", "username")
	}
	if basic && !c.Password.IsSet() {
		at("username without a password", `as in password = { credential = "wiki-password" }`, "password")
	}
}

// address: whole, encrypted, and without secrets in it.
func (c *Config) address(text, key string, at func(message, hint string, key ...string)) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		at("it cannot be read", `as in "https://wiki.example/scim/v2"`, key) // the error may hold a password
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		at(fmt.Sprintf("%q is not the address of a web service", (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()), `as in "https://wiki.example/scim/v2"`, key)
	case u.User != nil:
		at("a password does not stand in an address", "set username and password, or token", key)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		at("it has a part after ? or #", "write the address under which /Users is found", key)
	case u.Scheme == "http" && !c.AllowPlaintext && !loopback(u.Hostname()):
		at("the token would cross the network unencrypted", "use https, or set allow_plaintext = true", key)
	}
}

// loopback says whether nobody else hears what is sent there.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
