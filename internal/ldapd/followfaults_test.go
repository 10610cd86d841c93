package ldapd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// followed are the three ways to follow, each with five people to tell of.
func followed(t *testing.T) map[string]struct {
	s *Server
	c func() *client
	q asking
} {
	t.Helper()
	type way = struct {
		s *Server
		c func() *client
		q asking
	}
	out := map[string]way{}
	for name, kind := range map[string]Kind{"slapd": OpenLDAP, "389-ds": Dirsrv} {
		d := NewAs(kind, lab)
		d.mustAdd(lab, map[string][]string{"objectClass": {"domain"}})
		for i := range 5 {
			d.mustAdd(fmt.Sprintf("uid=p%d,%s", i, lab), map[string][]string{"objectClass": {"inetOrgPerson"}, "sn": {"x"}})
		}
		s := serve(t, d, Options{})
		out[name] = way{s, func() *client { return asAdmin(t, s) }, asking{base: lab, scope: scopeSub, filter: "(objectClass=inetOrgPerson)", ctls: []ctl{syncControl(modeRefreshOnly, "")}}}
	}
	_, s, _ := domainOf(t, 5, nil)
	out["domain"] = way{s, func() *client { return dial(t, s).mustBind(storyAdmin, "secret") },
		asking{base: adBase, scope: scopeSub, filter: "(objectClass=user)", ctls: []ctl{dirSyncControl(0, 0, "")}}}
	return out
}

// What a fault does to an answer to who follows.
func TestFaultsOfWhoFollows(t *testing.T) {
	for name, w := range followed(t) {
		run := func(title string, f Fault, check func(t *testing.T, found []told, ids []int, end *ending, err error)) {
			t.Run(name+"/"+title, func(t *testing.T) {
				w.s.Faults().Clear()
				c := w.c()
				f.Op = OpSearch
				w.s.Faults().Add(f)
				defer w.s.Faults().Clear()
				c.begin(w.q)
				c.conn.SetReadDeadline(time.Now().Add(2 * time.Second)) //nolint:errcheck // it can
				if f.Do == LoseDone {
					c.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) //nolint:errcheck // it can
				}
				var found []told
				var ids []int
				for {
					b, _ := c.in.Peek(7)
					m, end, err := c.next()
					if err != nil || end != nil {
						check(t, found, ids, end, err)
						return
					}
					id := 0
					if len(b) > 4 {
						d := decoder{rest: b[2:]}
						if b[1] >= 0x80 {
							d.rest = b[2+int(b[1]&0x7f):]
						}
						id = d.integer(tagInteger)
					}
					found, ids = append(found, m), append(ids, id)
				}
			})
		}
		good := func(n int) func(*testing.T, []told, []int, *ending, error) {
			return func(t *testing.T, found []told, _ []int, end *ending, err error) {
				if err != nil || end.code != 0 || len(found) != n {
					t.Errorf("%d messages, %+v, %v", len(found), end, err)
				}
			}
		}
		run("none", Fault{Base: "dc=other", Do: Drop}, good(5))
		run("twice", Fault{Do: Twice, After: 2}, good(6))
		run("referral", Fault{Do: Refer, URL: "ldap://x/"}, good(6))
		run("empty", Fault{Do: Empty}, good(0))
		run("no control", Fault{Do: NoControl}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || len(found) != 5 || end.control != "" {
				t.Errorf("%+v %v", end, err)
			}
		})
		run("no cookie", Fault{Do: NoCookie}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || len(found) != 5 || end.control == "" || end.cookie != "" {
				t.Errorf("%+v %v", end, err)
			}
		})
		run("wrong ID", Fault{Do: WrongID, After: 3}, func(t *testing.T, found []told, ids []int, end *ending, err error) {
			if err != nil || len(found) != 5 || ids[3] != ids[0]+7 || ids[4] != ids[0] {
				t.Errorf("%v %+v %v", ids, end, err)
			}
		})
		run("lost result", Fault{Do: LoseDone}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if !errors.Is(err, os.ErrDeadlineExceeded) || len(found) != 5 {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		run("garbage", Fault{Do: Garbage, After: 1, Octets: "\x30\x03\x02\x01\xff"}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if len(found) != 1 || err == nil && end.code == 0 && end.control != "" {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		run("cut", Fault{Do: Cut, Octet: 200}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if !closed(err) || len(found) == 5 {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		run("dropped", Fault{Do: Drop, After: 2}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if !closed(err) || len(found) != 2 {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		run("limit", Fault{Do: Answer, Code: SizeLimitExceeded, After: 2}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || len(found) != 2 || end.code != SizeLimitExceeded || end.control != "" {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		run("stripped", Fault{Do: Strip, Attribute: "objectGUID"}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || len(found) != 5 || found[0].attrs["objectguid"] != nil || name == "domain" && found[1].attrs["objectguid"] == nil {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		if name == "domain" {
			continue
		}
		run("no state", Fault{Do: Stateless, After: 4}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || len(found) != 5 || found[4].state != 0 || found[3].state != stateAdd {
				t.Errorf("%d %+v %v", len(found), end, err)
			}
		})
		run("flipped", Fault{Do: Flip}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || end.deletes != (name == "389-ds") {
				t.Errorf("%+v %v", end, err)
			}
		})
		run("phantoms", Fault{Do: Phantom}, func(t *testing.T, found []told, _ []int, end *ending, err error) {
			if err != nil || len(found[0].ids) != 5 || !found[0].deletes {
				t.Errorf("%+v %v", end, err)
			}
		})
	}
}

func TestFaultStuckRange(t *testing.T) {
	_, s, c := domainOf(t, 12, func(d *Directory) { d.AD.MaxValRange = 5 })
	s.Faults().Add(Fault{Op: OpSearch, Do: StuckRange})
	found, end := c.all(asking{base: "CN=all,CN=Users," + adBase, scope: scopeBase, attrs: []string{"member;range=5-*"}})
	if end.code != 0 || found[0].names[0] != "member;range=0-4" {
		t.Errorf("%v", found[0].names)
	}
}

// A changelog that was trimmed says so on the root entry, and nowhere else.
func TestChangelogTrimmed(t *testing.T) {
	d := NewAs(Dirsrv, lab)
	d.mustAdd(lab, map[string][]string{"objectClass": {"domain"}})
	s := serve(t, d, Options{})
	c := asAdmin(t, s)
	q := asking{base: lab, scope: scopeSub, attrs: []string{"1.1"}, ctls: []ctl{syncControl(modeRefreshOnly, "")}}
	_, end := c.all(q)
	for i := range 10 {
		d.mustAdd(fmt.Sprintf("uid=p%d,%s", i, lab), map[string][]string{"objectClass": {"inetOrgPerson"}, "sn": {"x"}})
	}
	d.TrimChangelog(3)
	q.ctls = []ctl{syncControl(modeRefreshOnly, end.cookie)}
	found, end := c.all(q)
	if len(found) != 3 || end.code != 0 {
		t.Errorf("%d entries, %+v", len(found), end)
	}
	root, _ := c.all(asking{scope: scopeBase, attrs: []string{"firstChangeNumber", "lastChangeNumber"}})
	if first, last := root[0].attrs["firstchangenumber"], root[0].attrs["lastchangenumber"]; first[0] != "9" || last[0] != "11" {
		t.Errorf("%v to %v", first, last)
	}
	log, _ := c.all(asking{base: changelogBase, scope: scopeOne, filter: "(changeNumber>=10)", attrs: []string{"targetDn", "changeType", "targetUniqueId"}})
	if len(log) != 2 || log[0].attrs["changetype"][0] != "add" || !strings.HasPrefix(log[0].attrs["targetdn"][0], "uid=p8,") || len(log[0].attrs["targetuniqueid"][0]) != 35 {
		t.Errorf("%+v", log)
	}
}

// A search that goes on ends with its connection, and with the server.
func TestPersistEnds(t *testing.T) {
	d := NewAs(OpenLDAP, lab)
	d.mustAdd(lab, map[string][]string{"objectClass": {"domain"}})
	s, err := d.Serve(context.Background(), Options{AdminDN: "cn=admin," + lab, AdminPassword: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := asAdmin(t, s)
		c.begin(asking{base: lab, scope: scopeSub, ctls: []ctl{syncControl(modeRefreshAndPersist, "")}})
		awaitFeed(t, d)
		c.conn.Close() //nolint:errcheck // that is the test
	}
	for range 1000 {
		d.mu.RLock()
		n := len(d.feeds)
		d.mu.RUnlock()
		if n == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	c := asAdmin(t, s)
	c.begin(asking{base: lab, scope: scopeSub, ctls: []ctl{syncControl(modeRefreshAndPersist, "")}})
	awaitFeed(t, d)
	s.Close()
	if len(d.feeds) != 0 {
		t.Errorf("%d feeds are left", len(d.feeds))
	}
}
