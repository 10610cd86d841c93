//go:build servers

package servers

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// Two controllers of one domain, of which one is left behind and catches up.
func TestSambaPair(t *testing.T) {
	one, two := StartSambaPair(t, SambaConfig{})
	if a, b := one.invocation(t), two.invocation(t); a == b {
		t.Fatalf("one database, %s", a)
	}
	there := func(s *Samba, user string) bool {
		_, err := s.Search(s.UserDN(user), "base", "(objectClass=*)", "cn")
		if te := (*ToolError)(nil); err != nil && (!errors.As(err, &te) || te.Code != 32) {
			t.Fatal(err)
		}
		return err == nil
	}
	add := func(s *Samba, user string) {
		must(t, s.Modify("dn: "+s.UserDN(user)+"\nobjectClass: user\nsAMAccountName: "+user+"\n"))
	}
	if !there(one, "reader") || !there(two, "reader") {
		t.Fatal("they have not all in common")
	}
	add(one, "a")
	if there(two, "a") {
		t.Error("it got what nobody fetched")
	}
	must(t, two.Pull(one))
	add(two, "b")
	must(t, one.Pull(two))
	if !there(two, "a") || !there(one, "b") {
		t.Fatal("they fetched what there is and lack something")
	}
	must(t, one.Modify("dn: "+one.UserDN("a")+"\nchangetype: delete\n"))
	must(t, two.Pull(one))
	if there(two, "a") {
		t.Error("who was deleted is there")
	}
	// What each has got from the other is where rosterd looks for it.
	for s, other := range map[*Samba]*Samba{one: two, two: one} {
		got, err := s.Search(s.BaseDN, "base", "(objectClass=*)", "replUpToDateVector")
		must(t, err)
		id, _ := hex.DecodeString(other.invocation(t))
		if len(got) != 1 || len(got[0].Get("replUpToDateVector")) != 1 || !strings.Contains(got[0].Get("replUpToDateVector")[0], string(id)) {
			t.Errorf("%s has got nothing from %s: %v", s.Host, other.Host, got)
		}
	}
}
