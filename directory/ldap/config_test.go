package ldap_test

import (
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

func sound() ldap.Config {
	return ldap.Config{URLs: []string{"ldaps://ldap.corp.example"}, BindDN: "cn=rosterd,dc=corp,dc=example", Password: secret.Env("PASSWORD"),
		People: ldap.People{Bases: []string{"ou=people,dc=corp,dc=example"}}, Groups: ldap.Groups{Bases: []string{"ou=groups,dc=corp,dc=example"}}}
}

func TestEveryMistakeHasItsKeyAndAHint(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*ldap.Config)
		key   string
		says  string
	}{
		"server unknown":    {func(c *ldap.Config) { c.Server = "novell" }, "server", "not known"},
		"changes unknown":   {func(c *ldap.Config) { c.Changes = "some" }, "changes", "not known"},
		"sasl":              {func(c *ldap.Config) { c.SASL = "digest-md5" }, "sasl", "not known"},
		"no url":            {func(c *ldap.Config) { c.URLs = nil }, "urls", "no URL"},
		"scheme":            {func(c *ldap.Config) { c.URLs = []string{"https://ldap.corp.example"} }, "urls", "https"},
		"bind_dn":           {func(c *ldap.Config) { c.BindDN = "rosterd" }, "bind_dn", ""},
		"no password":       {func(c *ldap.Config) { c.Password = secret.Secret{} }, "bind_dn", "without a password"},
		"no bind_dn":        {func(c *ldap.Config) { c.BindDN = "" }, "password", "without bind_dn"},
		"sasl and password": {func(c *ldap.Config) { c.SASL, c.URLs = "external", []string{"ldapi://%2Frun%2Fldapi"} }, "sasl", "neither"},
		"sasl without certificate": {func(c *ldap.Config) {
			c.SASL, c.BindDN, c.Password = "external", "", secret.Secret{}
		}, "urls", "client certificate"},
		"certificate":   {func(c *ldap.Config) { c.CertFile = "x" }, "cert_file", "key"},
		"key":           {func(c *ldap.Config) { c.KeyFile = "x" }, "key_file", "certificate"},
		"no people":     {func(c *ldap.Config) { c.People.Bases = nil }, "people.bases", "must have"},
		"people base":   {func(c *ldap.Config) { c.People.Bases = []string{"people"} }, "people.bases", ""},
		"empty base":    {func(c *ldap.Config) { c.Groups.Bases = []string{""} }, "groups.bases", "empty"},
		"people filter": {func(c *ldap.Config) { c.People.Filter = "objectClass=*)" }, "people.filter", "filter"},
		"groups filter": {func(c *ldap.Config) { c.Groups.Filter = "(cn=" }, "groups.filter", "filter"},
		"members":       {func(c *ldap.Config) { c.Groups.Members = []string{"member;range=0-9"} }, "groups.members", "not the name"},
		"groups name":   {func(c *ldap.Config) { c.Groups.Name = "c n" }, "groups.name", "not the name"},
		"id":            {func(c *ldap.Config) { c.IDAttribute = "entry uuid" }, "id_attribute", "not the name"},
		"account state": {func(c *ldap.Config) { c.AccountState = []string{"nsAccountLock", "lockoutTime"} }, "account_state", "\"lockoutTime\" is no attribute that says"},
		"closed canary": {func(c *ldap.Config) { c.ClosedCanaries = []string{"uid=x,ou=groups,dc=example"} }, "guard.closed_canaries", "in none of the bases"},
		"nobody is closed": {func(c *ldap.Config) {
			c.ClosedCanaries, c.AccountState = []string{"uid=x," + c.People.Bases[0]}, []string{}
		}, "guard.closed_canaries", "no attribute counts"},
		"catalog":        {func(c *ldap.Config) { c.URLs = []string{"ldaps://dc1.corp.example:3269/"} }, "urls", "global catalog"},
		"principal":      {func(c *ldap.Config) { c.BindDN = "rosterd@" }, "bind_dn", ""},
		"login":          {func(c *ldap.Config) { c.Person.Login = "u*" }, "person.login", "not the name"},
		"key attribute":  {func(c *ldap.Config) { c.Person.Key = "a b" }, "person.key", "not the name"},
		"canary":         {func(c *ldap.Config) { c.Canaries = []string{"canary"} }, "guard.canaries", ""},
		"canary outside": {func(c *ldap.Config) { c.Canaries = []string{"uid=canary,dc=corp,dc=example"} }, "guard.canaries", "none of the bases"},
		"page_size":      {func(c *ldap.Config) { c.PageSize = -1 }, "page_size", "negative"},
		"idle_timeout":   {func(c *ldap.Config) { c.IdleTimeout = -1 }, "idle_timeout", "negative"},
		"referrals":      {func(c *ldap.Config) { c.IgnoreReferrals = []string{""} }, "ignore_referrals", "beginning of a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sound()
			c.spoil(&cfg)
			var found []problem.Problem
			cfg.Validate([]string{"source", "corp"}, func(p problem.Problem) { found = append(found, p) })
			if len(found) != 1 {
				t.Fatalf("%d problems: %+v", len(found), found)
			}
			p := found[0]
			if got := strings.Join(p.Path, "."); got != "source.corp."+c.key || !strings.Contains(p.Message, c.says) || p.Warning {
				t.Errorf("at %s: %s", got, p.Message)
			}
			if p.Hint == "" && c.key != "bind_dn" {
				t.Errorf("no hint: %s", p.Message)
			}
			if s, err := ldap.New("corp", cfg, nil); err == nil || s != nil || !strings.Contains(err.Error(), p.Message) {
				t.Errorf("a source was made of it: %v", err)
			}
		})
	}
}

func TestSoundSettings(t *testing.T) {
	for name, change := range map[string]func(*ldap.Config){
		"as it is": func(*ldap.Config) {},
		"words":    func(c *ldap.Config) { c.Server, c.Changes, c.IDAttribute = "openldap", "full", "auto" },
		"ldapi": func(c *ldap.Config) {
			c.SASL, c.BindDN, c.Password, c.URLs = "external", "", secret.Secret{}, []string{"ldapi://%2Frun%2Fldapi"}
		},
		"objectGUID":   func(c *ldap.Config) { c.IDAttribute = "objectguid" },
		"user@domain":  func(c *ldap.Config) { c.BindDN = "rosterd@corp.example" },
		"DOMAIN\\user": func(c *ldap.Config) { c.BindDN = `CORP\rosterd` },
		"no groups":    func(c *ldap.Config) { c.Groups.Bases = nil },
		"canary":       func(c *ldap.Config) { c.Canaries = []string{"UID=canary, OU=People,DC=corp,DC=example"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sound()
			change(&cfg)
			cfg.Validate(nil, func(p problem.Problem) { t.Errorf("%+v", p) })
			if _, err := ldap.New("corp", cfg, nil); err != nil {
				t.Error(err)
			}
		})
	}
	cfg := sound()
	cfg.BindDN, cfg.Password = "", secret.Secret{}
	var found []problem.Problem
	cfg.Validate(nil, func(p problem.Problem) { found = append(found, p) })
	if len(found) != 1 || !found[0].Warning {
		t.Errorf("to read as anybody is a warning: %+v", found)
	}
	if _, err := ldap.New("corp", cfg, nil); err != nil {
		t.Errorf("a warning is no error: %v", err)
	}
}

func TestSettingsFromTheFile(t *testing.T) {
	var cfg ldap.Config
	meta, err := toml.Decode(`
server   = "auto"
urls     = ["ldaps://dc1.corp.example", "ldaps://dc2.corp.example"]
ca_file  = "/etc/ssl/certs/corp-ca.pem"
server_name = "dc.corp.example"
bind_dn  = "cn=rosterd,ou=services,dc=corp,dc=example"
password = { credential = "corp-bind" }
changes  = "auto"
people   = { bases = ["ou=people,dc=corp,dc=example"], filter = "(&(objectClass=inetOrgPerson)(!(employeeType=robot)))" }
groups   = { bases = ["ou=groups,dc=corp,dc=example"], filter = "(objectClass=groupOfNames)", members = ["member"] }
page_size = 1000
idle_timeout = "30s"
total_timeout = "2h"
ignore_referrals = ["ldap://other.corp.example/"]
`, &cfg)
	if err != nil || len(meta.Undecoded()) > 0 {
		t.Fatalf("%v, not known: %v", err, meta.Undecoded())
	}
	cfg.Validate(nil, func(p problem.Problem) { t.Errorf("%+v", p) })
	if time.Duration(cfg.IdleTimeout) != 30*time.Second || !cfg.Password.IsSet() || cfg.Groups.Members[0] != "member" {
		t.Errorf("%+v", cfg)
	}
	s, err := ldap.New("corp", cfg, []string{"Title"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.Coverage().Names(), " "); got != "cn employeetype mail title uid" {
		t.Errorf("the source covers %s", got)
	}
	if _, err := ldap.New("corp", cfg, []string{"title)(uid=*"}); err == nil {
		t.Error("an attribute that is none was taken")
	}
}
