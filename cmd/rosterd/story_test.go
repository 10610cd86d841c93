package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// A company between two real servers, from the first plan to a person who
// vanished: one of 5,000 with the program as people run it, and a small one in
// this process, where the race detector sees every step.
func TestStoryOnRealServers(t *testing.T) {
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, company.Company{People: 5000, Groups: 300, Big: 3000}, "")
		s.binary = rosterdBinary(t)
		s.story()
	})
	t.Run("raced", func(t *testing.T) {
		t.Parallel()
		newSite(t, company.Company{People: 400, Groups: 30, Big: 240}, "").story()
	})
}

func (s *site) story() {
	t, c := s.t, s.company

	s.want(0, "check")
	out, _ := s.want(4, "plan")
	if !strings.Contains(out, "first") || len(s.accounts()) != 0 {
		t.Fatalf("the first plan is not held by rule first, or wrote something\n%s", tail(out))
	}
	s.want(0, "approve", "h1", "--version", s.version("h1"), "--yes")
	s.agree()
	have := s.accounts()
	for _, i := range c.Bottom(0) {
		if a := have[c.Login(i)]; !slices.Contains(a.groups, "Editors") || !slices.Contains(a.groups, "Everyone") {
			t.Errorf("%s is four groups below writers and has %v", c.Login(i), a.groups)
		}
	}
	if n := holders(have, "Everyone"); n != c.Big {
		t.Errorf("%d hold Everyone, want %d", n, c.Big)
	}
	if n := holders(have, "Editors"); n != len(c.Bottom(0)) {
		t.Errorf("%d hold Editors, want the ten at the bottom", n)
	}
	s.quiet()

	// Joiner.
	joiner := c.People
	if err := s.corp.Modify(ldifOf(c.Person(joiner))); err != nil {
		t.Fatal(err)
	}
	s.modify("dn: %s\nchangetype: modify\nadd: member\nmember: %s\n", c.Group("g003"), c.DN(joiner))
	s.want(0, "sync")
	if a := s.accounts()[c.Login(joiner)]; a.state != "active" || !slices.Equal(a.groups, []string{"Editors"}) {
		t.Errorf("the joiner has %+v", a)
	}

	// Mover: gains one right and loses another.
	s.modify("dn: %s\nchangetype: modify\nreplace: title\ntitle: Publisher\n", c.DN(20))
	s.modify("dn: %s\nchangetype: modify\ndelete: member\nmember: %s\n", c.Group("big"), c.DN(20))
	s.want(0, "sync")
	if a := s.accounts()[c.Login(20)]; !slices.Equal(a.groups, []string{"Publishers"}) {
		t.Errorf("the mover has %v", a.groups)
	}

	// Leaver, disabled at the source.
	s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n", c.DN(2))
	s.named(s.want(0, "sync", "--json"))("p00002", "disabled")
	if a := s.accounts()[c.Login(2)]; a.state != "disabled" || len(a.groups) > 0 {
		t.Errorf("the leaver has %+v", a)
	}

	// Leaver, moved out of scope.
	if err := s.corp.Modify("dn: ou=left,dc=lab,dc=example\nchangetype: add\nobjectClass: organizationalUnit\nou: left\n"); err != nil {
		t.Fatal(err)
	}
	s.modify("dn: %s\nchangetype: modrdn\nnewrdn: uid=p00004\ndeleteoldrdn: 0\nnewsuperior: ou=left,dc=lab,dc=example\n", c.DN(4))
	s.named(s.want(0, "sync", "--json"))("p00004", "out-of-scope")
	if a := s.accounts()[c.Login(4)]; a.state != "disabled" || len(a.groups) > 0 {
		t.Errorf("who moved out of scope has %+v", a)
	}

	// Rename.
	before := s.accounts()["p00006"]
	s.modify("dn: %s\nchangetype: modrdn\nnewrdn: uid=renamed6\ndeleteoldrdn: 1\n", c.DN(6))
	s.want(0, "sync")
	have = s.accounts()
	if a, old := have["renamed6"], have["p00006"]; a.mail != before.mail || !slices.Equal(a.groups, before.groups) || old.dn != "" {
		t.Errorf("after the rename: %+v and %+v, before it %+v", a, old, before)
	}
	s.quiet()

	// A deleted entry: kept by the first look, presumed gone by the second.
	s.modify("dn: %s\nchangetype: delete\n", c.DN(8))
	s.want(0, "sync")
	if a := s.accounts()["p00008"]; a.state != "active" {
		t.Errorf("law 2: one absence closed %+v", a)
	}
	time.Sleep(1100 * time.Millisecond) // vanish_after, in the servers' time
	s.named(s.want(0, "sync", "--json"))("p00008", "presumed-gone")
	if a := s.accounts()["p00008"]; a.state != "disabled" || len(a.groups) > 0 {
		t.Errorf("who is presumed gone has %+v", a)
	}

	// Rehire by key: a new entry, the same account.
	id := s.uuid("p00008")
	if err := s.corp.Modify(ldifOf(c.Person(8))); err != nil {
		t.Fatal(err)
	}
	s.named(s.want(0, "sync", "--json"))("p00008", "returned")
	if a := s.accounts()["p00008"]; a.state != "active" || s.uuid("p00008") != id {
		t.Errorf("the rehire has %+v, ID %s and had %s", a, s.uuid("p00008"), id)
	}
	s.agree()
	s.quiet()

	s.explained(c)
	if out, _ := s.want(0, "audit", "--verify"); !strings.Contains(out, "whole") {
		t.Errorf("audit --verify: %s", out)
	}
}

// explained is the explanation of somebody in a nested group, in both forms.
func (s *site) explained(c company.Company) {
	t := s.t
	out, _ := s.want(0, "explain", c.Login(1))
	for _, want := range []string{"g003 ▸ g002 ▸ g001 ▸ writers", "role.writer.groups rosterd.toml:", "p00001, created", "Editors"} {
		if !strings.Contains(out, want) {
			t.Errorf("explain does not say %q:\n%s", want, out)
		}
	}
	js, _ := s.want(0, "explain", c.Login(1), "--json")
	var doc struct {
		FormatVersion int `json:"format_version"`
		Roles         []struct {
			Role    string
			Because []struct {
				Rule, Where string
				Path        []struct{ Name string }
			}
		}
		Targets []struct {
			Target  string
			Account struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(js), &doc); err != nil {
		t.Fatalf("explain --json: %v\n%s", err, js)
	}
	found := false
	for _, r := range doc.Roles {
		for _, b := range r.Because {
			found = found || r.Role == "writer" && len(b.Path) == 4 && strings.HasPrefix(b.Where, "rosterd.toml:")
		}
	}
	if !found || len(doc.Targets) != 1 || doc.Targets[0].Account.Name != "p00001" || doc.FormatVersion != 1 {
		t.Errorf("explain --json lacks the path, the place or the account:\n%s", js)
	}
}

func holders(have map[string]appAccount, group string) int {
	n := 0
	for _, a := range have {
		if slices.Contains(a.groups, group) {
			n++
		}
	}
	return n
}
