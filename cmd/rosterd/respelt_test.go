package main

import (
	"os"
	"strings"
	"testing"
)

// An edit writes a group by its DN: whoever holds it keeps it all the time, and who loses
// it after that loses it.
func TestAnEntitlementIsWrittenInAnotherWay(t *testing.T) {
	s := team(t)
	s.want(0, "sync")
	was := s.states("writer1@corp.example")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	const dn = "cn=Writers,ou=groups,ou=wiki,dc=apps,dc=example"
	writeFile(t, s.config, strings.NewReplacer(`"Writers"`, `"`+dn+`"`, "wiki:Writers", "wiki:"+dn).Replace(string(text)))
	s.want(0, "sync")
	s.want(0, "sync", "--full")
	if now := s.states("writer1@corp.example"); len(now) != len(was) {
		t.Errorf("by an edit that changes no right: %q", now[len(was)-1:])
	}
	s.modify("dn: cn=writers,ou=groups,dc=corp,dc=example\nchangetype: modify\nreplace: member\nmember: uid=lead,ou=people,dc=corp,dc=example\n")
	s.want(0, "sync")
	if now := s.states("writer1@corp.example"); now[len(now)-1] != "site=active wiki=active" {
		t.Errorf("who lost the role has %q", now[len(now)-1])
	}
}
