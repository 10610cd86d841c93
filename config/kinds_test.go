package config

import (
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/ad"
	"github.com/rosterd/rosterd/target/file"
	"github.com/rosterd/rosterd/target/ldap"
	"github.com/rosterd/rosterd/target/memory"
	"github.com/rosterd/rosterd/target/scim"
)

// directoryOptions stand for those of a kind of source, so that these tests say
// something of this package and not of a kind.
type directoryOptions struct {
	Server   string        `toml:"server"`
	URLs     []string      `toml:"urls"`
	CAFile   string        `toml:"ca_file"`
	BindDN   string        `toml:"bind_dn"`
	Password secret.Secret `toml:"password"`
	Changes  string        `toml:"changes"`
	People   scope         `toml:"people"`
	Groups   scope         `toml:"groups"`
	// Guard is also a key of every source: both take what they know.
	Guard struct {
		Canaries []string `toml:"canaries"`
		Extra    int      `toml:"extra"`
	} `toml:"guard"`
}

type scope struct {
	Bases  []string `toml:"bases"`
	Filter string   `toml:"filter"`
}

func (o *directoryOptions) Validate(path []string, report problem.Report) {
	if len(o.URLs) == 0 {
		report.At(append(path, "urls"), "missing", `write urls = ["ldaps://…"]`)
	}
}

func testKinds(t testing.TB) Kinds {
	t.Helper()
	return Kinds{
		Sources: map[string]Kind{"ldap": {New: func() Validator { return &directoryOptions{Server: "auto"} }}},
		Targets: map[string]Kind{
			"file": {
				New:           func() Validator { return new(file.Config) },
				NameAttribute: func(Validator) string { return "name" },
				Describe:      func(Validator) target.Description { return target.Description{Kind: "file"} },
			},
			"domain": {
				New:           func() Validator { return new(memory.Config) },
				NameAttribute: func(Validator) string { return "name" },
				Describe: func(Validator) target.Description {
					return target.Description{Kind: "domain", Passwords: true, PasswordFirst: true}
				},
			},
			"memory": {
				New:           func() Validator { return new(memory.Config) },
				NameAttribute: func(Validator) string { return "name" },
				Describe:      func(Validator) target.Description { return target.Description{Kind: "memory", Passwords: true} },
			},
			"ldap": {
				New:           func() Validator { return new(ldap.Config) },
				NameAttribute: func(Validator) string { return "uid" },
			},
			"active-directory": {
				New:           func() Validator { return new(ad.Config) },
				NameAttribute: func(Validator) string { return "sAMAccountName" },
			},
			"scim": {
				New:           func() Validator { return new(scim.Config) },
				NameAttribute: func(Validator) string { return "userName" },
			},
		},
	}
}

// serviceOptions and applicationOptions stand for kinds of target.
type serviceOptions struct {
	URL   string        `toml:"url"`
	Token secret.Secret `toml:"token"`
}

func (o *serviceOptions) Validate(path []string, report problem.Report) {
	o.Token.Require(append(path, "token"), report)
}

type applicationOptions struct {
	URLs          []string      `toml:"urls"`
	BindDN        string        `toml:"bind_dn"`
	Password      secret.Secret `toml:"password"`
	Base          string        `toml:"base"`
	RDN           string        `toml:"rdn"`
	ObjectClasses []string      `toml:"object_classes"`
	Disable       struct {
		Attribute string `toml:"attribute"`
		Disabled  string `toml:"disabled"`
		Enabled   string `toml:"enabled"`
	} `toml:"disable"`
	Groups struct {
		Base        string `toml:"base"`
		Style       string `toml:"style"`
		Placeholder string `toml:"placeholder"`
	} `toml:"groups"`
}

func (*applicationOptions) Validate([]string, problem.Report) {}
