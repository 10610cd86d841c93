package ldapd

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// The recycle bin keeps attributes and gives links back; without it they are
// gone. Neither is told of the group.
func TestDomainRecycleBin(t *testing.T) {
	for _, bin := range []bool{false, true} {
		t.Run(fmt.Sprint(bin), func(t *testing.T) {
			d, _, c := domainOf(t, 2, func(d *Directory) { d.AD.RecycleBin = bin })
			p0, group := "CN=p0,CN=Users,"+adBase, "CN=all,CN=Users,"+adBase
			if err := d.Modify(p0, Change{Op: ReplaceValues, Attr: "mail", Values: []string{"m"}}); err != nil {
				t.Fatal(err)
			}
			guid := d.GUID(p0)
			groupUSN := func() string { e, _ := d.Get(group); return e.Get("uSNChanged")[0] }
			before := groupUSN()
			if err := d.Delete(p0); err != nil {
				t.Fatal(err)
			}
			look := func(oid string) []told {
				found, end := c.all(asking{base: adBase, scope: scopeSub, filter: "(objectGUID=" + escapeOctets(guidOf(guid)) + ")", ctls: []ctl{{oid: oid}, {oid: oidDomainScope}}})
				if end.code != 0 {
					t.Fatalf("%+v", end)
				}
				return found
			}
			found := look(oidShowDeleted)
			if len(found) != 1 || (found[0].attrs["mail"] != nil) != bin || (found[0].attrs["isrecycled"] != nil) == bin || found[0].attrs["samaccountname"][0] != "p0" {
				t.Fatalf("%+v", found)
			}
			if err := d.Undelete(guid, p0); err != nil {
				t.Fatal(err)
			}
			e, _ := d.Get(group)
			if back := slices.Contains(e.Get("member"), p0); back != bin || groupUSN() != before {
				t.Errorf("member again: %v; USN %s, before %s", back, groupUSN(), before)
			}
			if e, ok := d.Get(p0); !ok || len(e.Get("isDeleted")) > 0 || d.GUID(p0) != guid || (len(e.Get("mail")) > 0) != bin {
				t.Errorf("%v", e)
			}
			if err := d.Delete(p0); err != nil {
				t.Fatal(err)
			}
			if bin {
				if err := d.Recycle(guid); err != nil {
					t.Fatal(err)
				}
				if len(look(oidShowDeleted)) != 0 || len(look(oidShowRecycled)) != 1 || d.Undelete(guid, p0) == nil {
					t.Error("recycled, and still deleted")
				}
			}
			if err := d.Expunge(guid); err != nil || len(look(oidShowRecycled)) != 0 {
				t.Error("not expunged")
			}
		})
	}
}

// A copy is a directory of its own, with the identity of the first.
func TestDomainCopy(t *testing.T) {
	d, _, c := domainOf(t, 5, nil)
	_, cookie, _ := rounds(t, c, 0, 0, "", "name", "member")
	old := d.Copy()
	s, err := old.Serve(context.Background(), Options{AdminDN: storyAdmin, AdminPassword: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := d.Delete("CN=p0,CN=Users," + adBase); err != nil {
		t.Fatal(err)
	}
	c2 := dial(t, s).mustBind(storyAdmin, "secret")
	if all, _, _ := rounds(t, c2, 0, 0, cookie, "name", "member"); len(all) != 0 || old.HighestUSN() >= d.HighestUSN() {
		t.Errorf("the copy has moved: %v", all)
	}
	if err := old.Modify("CN=all,CN=Users,"+adBase, Change{Op: DeleteValues, Attr: "member", Values: []string{"CN=p1,CN=Users," + adBase}}); err != nil {
		t.Fatal(err)
	}
	all, _, _ := rounds(t, c2, -flagIncrementalValues, 0, cookie, "member")
	if len(all) != 1 || !slices.Equal(all[0].attrs["member;range=0-0"], []string{"CN=p1,CN=Users," + adBase}) {
		t.Errorf("%+v", all)
	}
	if e, _ := d.Get("CN=all,CN=Users," + adBase); len(e.Get("member")) != 4 {
		t.Errorf("the first has changed with its copy: %v", e.Get("member"))
	}
}

// Where references are kept, groups follow who is renamed and deleted, and show
// no trace of it.
func TestKeepReferences(t *testing.T) {
	d := NewAs(OpenLDAP, lab)
	d.KeepReferences()
	d.mustAdd(lab, map[string][]string{"objectClass": {"domain"}})
	d.mustAdd("ou=a,"+lab, map[string][]string{"objectClass": {"organizationalUnit"}})
	for _, dn := range []string{"uid=p0,ou=a," + lab, "uid=p1,ou=a," + lab} {
		d.mustAdd(dn, map[string][]string{"objectClass": {"account"}})
	}
	d.mustAdd("cn=g,"+lab, map[string][]string{"objectClass": {"groupOfNames"}, "member": {"uid=p0,ou=a," + lab, "uid=p1,ou=a," + lab}})
	group := func() (string, []string) {
		e, _ := d.Get("cn=g," + lab)
		return e.Get("entryCSN")[0], e.Get("member")
	}
	csn, _ := group()
	if err := d.Rename("ou=a,"+lab, "ou=b", true, ""); err != nil {
		t.Fatal(err)
	}
	if now, m := group(); now != csn || !slices.Equal(m, []string{"uid=p0,ou=b," + lab, "uid=p1,ou=b," + lab}) {
		t.Errorf("renamed: %s %v", now, m)
	}
	if err := d.Delete("uid=p0,ou=b," + lab); err != nil {
		t.Fatal(err)
	}
	if now, m := group(); now != csn || !slices.Equal(m, []string{"uid=p1,ou=b," + lab}) {
		t.Errorf("deleted: %s %v", now, m)
	}
}
