package ldap_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
)

// What a proof says must tell two listings apart that may not be compared, and
// must not tell two apart that may.
func TestProofs(t *testing.T) {
	w := ldapdWorld(t)
	w.person("writer1", people)
	began := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	clock := began
	now := func(c *ldap.Config) {
		c.Now = func() time.Time { clock = clock.Add(time.Hour); return clock }
	}
	stage := &sourcetest.Stage{Before: func([]directory.Entry) error { clock = clock.Add(time.Hour); return nil }}
	p, err := w.open(now).Read(t.Context(), stage)
	if err != nil || !p.At().Equal(began.Add(time.Hour)) {
		t.Errorf("at %v, %v: the instant of a proof is when the read began", p.At(), err)
	}
	for name, c := range map[string]struct {
		change func(*ldap.Config)
		same   bool
	}{
		"spelling":      {func(c *ldap.Config) { c.People.Bases = []string{strings.ToUpper(people), people} }, true},
		"spelled out":   {func(c *ldap.Config) { c.People.Filter = "(objectClass=inetOrgPerson)" }, true},
		"another base":  {func(c *ldap.Config) { c.People.Bases = []string{suffix} }, false},
		"groups base":   {func(c *ldap.Config) { c.Groups.Bases = []string{suffix} }, false},
		"people filter": {func(c *ldap.Config) { c.People.Filter = "(uid=*)" }, false},
		"groups filter": {func(c *ldap.Config) { c.Groups.Filter = "(objectClass=groupOfNames)" }, false},
		"members":       {func(c *ldap.Config) { c.Groups.Members = []string{"member"} }, false},
		"ID":            {func(c *ldap.Config) { c.IDAttribute = "uid" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, other := sourcetest.Read(t, w.open(c.change))
			if got := other.Scope() == p.Scope(); got != c.same {
				t.Errorf("%s\n%s", p.Scope(), other.Scope())
			}
		})
	}
	_, other := sourcetest.Read(t, w.open(func(c *ldap.Config) { c.BindDN, c.Password = admin, password(t, "secret") }))
	if other.Bind() == p.Bind() {
		t.Errorf("two identities, one name: %s", p.Bind())
	}
}
