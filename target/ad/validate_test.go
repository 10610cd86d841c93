package ad

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

func sound() Config {
	return Config{
		URLs: []string{"ldaps://dc1.lab.example"}, BindDN: `LAB\rosterd`, Password: secret.File("/x"),
		Base: "OU=accounts,DC=lab,DC=example", Groups: Groups{Base: "OU=groups,DC=lab,DC=example"},
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Config)
		want string // the key; empty: nothing is wrong
	}{
		"sound":            {func(*Config) {}, ""},
		"no groups":        {func(c *Config) { c.Groups = Groups{} }, ""},
		"random":           {func(c *Config) { c.WithoutPassword = "random" }, ""},
		"smartcard":        {func(c *Config) { c.WithoutPassword = "smartcard" }, ""},
		"inetOrgPerson":    {func(c *Config) { c.ObjectClasses = []string{"inetOrgPerson"} }, ""},
		"StartTLS":         {func(c *Config) { c.URLs = []string{"ldap://dc1.lab.example"} }, ""},
		"no urls":          {func(c *Config) { c.URLs = nil }, "urls"},
		"a URL":            {func(c *Config) { c.URLs = []string{"dc1.lab.example"} }, "urls"},
		"a socket":         {func(c *Config) { c.URLs = []string{"ldapi://%2Frun%2Fldapi"} }, "urls"},
		"nobody":           {func(c *Config) { c.BindDN, c.Password = "", secret.Secret{} }, "bind_dn"},
		"no password":      {func(c *Config) { c.Password = secret.Secret{} }, "bind_dn"},
		"no base":          {func(c *Config) { c.Base = "" }, "base"},
		"a base":           {func(c *Config) { c.Base = "accounts" }, "base"},
		"a base elsewhere": {func(c *Config) { c.Base = "OU=accounts,O=lab" }, "base"},
		"a class":          {func(c *Config) { c.ObjectClasses = []string{"user", "x y"} }, "object_classes"},
		"no user":          {func(c *Config) { c.ObjectClasses = []string{"contact"} }, "object_classes"},
		"a filter":         {func(c *Config) { c.Filter = "(cn=*" }, "filter"},
		"a mark":           {func(c *Config) { c.Mark = "a=b" }, "mark"},
		"a mark elsewhere": {func(c *Config) { c.Mark = "sAMAccountName" }, "mark"},
		"a mark that acts": {func(c *Config) { c.Mark = "USERACCOUNTCONTROL" }, "mark"},
		"without":          {func(c *Config) { c.WithoutPassword = "disabled" }, "without_password"},
		"containers":       {func(c *Config) { c.Containers = "make" }, "containers"},
		"groups no base":   {func(c *Config) { c.Groups = Groups{Name: "cn"} }, "groups.base"},
		"a group base":     {func(c *Config) { c.Groups.Base = "groups" }, "groups.base"},
		"a group name":     {func(c *Config) { c.Groups.Name = "c n" }, "groups.name"},
		"a group filter":   {func(c *Config) { c.Groups.Filter = "x" }, "groups.filter"},
		"connections":      {func(c *Config) { c.Connections = -1 }, "connections"},
		"a time-out":       {func(c *Config) { c.IdleTimeout = -1 }, "idle_timeout"},
	} {
		cfg := sound()
		c.edit(&cfg)
		var got []problem.Problem
		cfg.Validate([]string{"target", "corp"}, func(p problem.Problem) { got = append(got, p) })
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case c.want == "":
			if _, err := New(cfg, "corp"); err != nil {
				t.Errorf("%s: not made: %v", name, err)
			}
		case len(got) != 1 || strings.Join(got[0].Path, ".") != "target.corp."+c.want:
			t.Errorf("%s: %+v, want one at %s", name, got, c.want)
		case got[0].Hint == "" || got[0].Message == "":
			t.Errorf("%s: no words: %+v", name, got[0])
		}
	}
}

// TestPolicyAndReach: what an account is belongs to the policy, how to get there does
// not.
func TestPolicyAndReach(t *testing.T) {
	kept, file := sound(), sound()
	file.URLs, file.BindDN, file.Connections = []string{"ldaps://dc2.lab.example"}, "somebody", 7
	file.Base, file.WithoutPassword, file.Mark, file.Groups.Name = "OU=x,DC=lab,DC=example", "random", "info", "cn"
	under := kept
	under.Reach(&file)
	if under.URLs[0] != file.URLs[0] || under.BindDN != file.BindDN || under.Connections != 7 {
		t.Errorf("the connection is not that of the file: %+v", under)
	}
	if under.Base != kept.Base || under.WithoutPassword != "" || under.Mark != "" || under.Groups != kept.Groups {
		t.Errorf("the policy is not the one that was kept: %+v", under)
	}
}
