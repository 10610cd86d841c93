package config

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/sync/plan"
)

// TestSketchOfTheDesign: the configuration that the design promises is read
// without a word, and what it spells out as defaults are the defaults.
func TestSketchOfTheDesign(t *testing.T) {
	kinds := testKinds(t)
	kinds.Targets["scim"] = Kind{
		New:           func() Validator { return new(serviceOptions) },
		NameAttribute: func(Validator) string { return "userName" },
	}
	kinds.Targets["ldap"] = Kind{
		New:           func() Validator { return new(applicationOptions) },
		NameAttribute: func(o Validator) string { return o.(*applicationOptions).RDN },
	}
	c, problems, err := Load("testdata/design/sketch.toml", kinds)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v\n%s", err, problems.Error())
	}
	wiki, dir := c.Targets["wiki"], c.Targets["dir"]
	if got, want := wiki.Rules.Guard, plan.DefaultRules().Guard; !sameLimits(got, want) {
		t.Errorf("the defaults that are spelled out are %+v, those that are taken %+v", got, want)
	}
	if wiki.Rules.Drift != plan.DefaultRules().Drift || dir.Rules.Drift != plan.DefaultRules().Drift {
		t.Errorf("drift: %+v, %+v", wiki.Rules.Drift, dir.Rules.Drift)
	}
	if o := wiki.Options.(*serviceOptions); o.Token != secret.File("/etc/rosterd/wiki.token") || o.URL != "https://wiki.example/scim/v2" {
		t.Errorf("wiki: %+v", o)
	}
	if o := dir.Options.(*applicationOptions); o.Groups.Style != "member" || o.Disable.Enabled != "active" {
		t.Errorf("dir: %+v", o)
	}
	if got := strings.Join(c.Policy.AttributeNames("wiki"), " "); got != "displayName externalId name.familyName title userName" {
		t.Errorf("attributes of wiki: %s", got)
	}
	if c.Sources["corp"].Person.Key != "employeeNumber" || time.Duration(c.Sources["corp"].Guard.VanishAfter) != 10*time.Minute {
		t.Errorf("corp: %+v", c.Sources["corp"])
	}
}

func sameLimits(a, b plan.Guard) bool {
	for _, pair := range [][2]*plan.Limit{
		{a.MaxRemove, b.MaxRemove}, {a.MaxRevoke, b.MaxRevoke}, {a.MaxCreate, b.MaxCreate},
		{a.MaxEnable, b.MaxEnable}, {a.MaxRename, b.MaxRename}, {a.MaxUpdate, b.MaxUpdate},
	} {
		for n := range 2000 {
			if pair[0].Of(n) != pair[1].Of(n) {
				return false
			}
		}
	}
	return a.Window == b.Window && a.First == b.First
}
