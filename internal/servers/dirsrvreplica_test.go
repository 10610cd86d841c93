//go:build servers

package servers

import (
	"errors"
	"testing"
)

// Two suppliers, of which one is left behind and catches up.
func TestDirsrvReplicas(t *testing.T) {
	one, two := StartDirsrv(t, DirsrvConfig{}), StartDirsrv(t, DirsrvConfig{})
	must(t, one.Supply(1))
	must(t, two.Supply(2))
	must(t, one.Feed(two))
	must(t, two.FeedBack(one))
	there := func(s *Dirsrv, ou string) bool {
		_, err := s.Search("ou="+ou+","+lab, "base", "(objectClass=*)")
		if te := (*ToolError)(nil); err != nil && (!errors.As(err, &te) || te.Code != 32) {
			t.Fatal(err)
		}
		return err == nil
	}
	add := func(s *Dirsrv, ou string) {
		must(t, s.Modify("dn: ou="+ou+","+lab+"\nobjectClass: organizationalUnit\nou: "+ou+"\n"))
	}
	add(one, "a")
	must(t, two.CaughtUp(one))
	add(two, "b")
	must(t, one.CaughtUp(two))
	if !there(two, "a") || !there(one, "b") {
		t.Fatal("they caught up and lack something")
	}
	must(t, one.Feeding(two, false))
	add(one, "c")
	if there(two, "c") {
		t.Error("it is fed")
	}
	must(t, one.Feeding(two, true))
	must(t, two.CaughtUp(one))
	if !there(two, "c") {
		t.Error("it caught up and lacks something")
	}
}
