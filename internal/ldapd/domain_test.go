package ldapd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

const adBase = "DC=lab,DC=example"

// domainOf is a domain with people and a group of them, and a bound client.
func domainOf(t *testing.T, people int, set func(*Directory)) (*Directory, *Server, *client) {
	t.Helper()
	d := NewAs(ActiveDirectory, adBase)
	if set != nil {
		set(d)
	}
	var members []string
	for i := range people {
		dn := fmt.Sprintf("CN=p%d,CN=Users,%s", i, adBase)
		d.mustAdd(dn, map[string][]string{"objectClass": {"user"}})
		members = append(members, dn)
	}
	if people > 0 {
		d.mustAdd("CN=all,CN=Users,"+adBase, map[string][]string{"objectClass": {"group"}, "member": members})
	}
	s, err := d.Serve(context.Background(), Options{AdminDN: storyAdmin, AdminPassword: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return d, s, dial(t, s).mustBind(storyAdmin, "secret")
}

func entries(found []told) (out []told) {
	for _, f := range found {
		if f.refs == nil {
			out = append(out, f)
		}
	}
	return out
}

// An answer has at most 1,000 entries; a page that asks for more is shorter.
func TestDomainPageCap(t *testing.T) {
	_, _, c := domainOf(t, 1005, nil)
	users := asking{base: "CN=Users," + adBase, scope: scopeSub, filter: "(objectClass=user)", attrs: []string{"1.1"}}
	if found, end := c.all(users); end.code != SizeLimitExceeded || len(found) != 1000 {
		t.Errorf("unpaged: %d entries, code %d", len(found), end.code)
	}
	f, pages, err := c.searchAll(query{base: "CN=Users," + adBase, scope: scopeSub, page: 5000, equal: [2]string{"objectClass", "user"}, attrs: []string{"1.1"}})
	if err != nil || f.code != 0 || len(f.dns) != 1005 || pages != 2 {
		t.Errorf("paged: %d entries, %d pages, code %d, %v", len(f.dns), pages, f.code, err)
	}
}

// A long attribute comes empty, and beside it its first values.
func TestDomainRanges(t *testing.T) {
	d, _, c := domainOf(t, 23, func(d *Directory) { d.AD.MaxValRange = 10 })
	e, _ := d.Get("CN=all,CN=Users," + adBase)
	want := e.Get("member")
	read := func(attr string) told {
		t.Helper()
		found, end := c.all(asking{base: "CN=all,CN=Users," + adBase, scope: scopeBase, attrs: []string{attr}})
		if end.code != 0 || len(found) != 1 {
			t.Fatal(end, len(found))
		}
		return found[0]
	}
	first := read("member")
	if !slices.Equal(first.names, []string{"member", "member;range=0-9"}) || len(first.attrs["member"]) != 0 || !slices.Equal(first.attrs["member;range=0-9"], want[:10]) {
		t.Errorf("%v", first.names)
	}
	for ask, x := range map[string]struct {
		name     string
		from, to int
	}{
		"member;range=10-*":   {"member;range=10-19", 10, 20},
		"member;range=20-*":   {"member;range=20-*", 20, 23},
		"member;range=0-4":    {"member;range=0-4", 0, 5},
		"member;range=5-1000": {"member;range=5-14", 5, 15},
		"MEMBER;Range=22-22":  {"member;range=22-*", 22, 23},
		"member;range=23-*":   {"member;range=23-*", 23, 23},
		"member;range=99-*":   {"member;range=99-*", 23, 23},
	} {
		got := read(ask)
		if len(got.names) != 1 || got.names[0] != x.name || !slices.Equal(got.attrs[strings.ToLower(x.name)], want[x.from:x.to]) {
			t.Errorf("%s: %v with %d values", ask, got.names, len(got.attrs[strings.ToLower(x.name)]))
		}
	}
}

// rounds polls with DirSync to the end.
func rounds(t *testing.T, c *client, flags int64, bytes int, cookie string, attrs ...string) (all []told, next string, n int) {
	t.Helper()
	for {
		found, end := c.all(asking{base: adBase, scope: scopeSub, filter: "(|(objectClass=user)(objectClass=group))", attrs: attrs, ctls: []ctl{dirSyncControl(flags, bytes, cookie)}})
		if end.code != 0 || end.control != oidDirSync {
			t.Fatalf("%+v", end)
		}
		all, cookie, n = append(all, found...), end.cookie, n+1
		if !end.more {
			return all, cookie, n
		}
	}
}

// What does not fit into a round comes in the next; the links of one group may
// be spread over several. Nothing is lost, whatever is written meanwhile.
func TestDomainDirSyncInRounds(t *testing.T) {
	d, _, c := domainOf(t, 25, func(d *Directory) { d.AD.DirSyncBatch = 7 })
	const group = "CN=all,CN=Users," + adBase
	all, cookie, n := rounds(t, c, -flagIncrementalValues, 1<<20, "", "name", "member")
	members, people := map[string]bool{}, map[string]bool{}
	for _, e := range all {
		if e.attrs["name"] != nil {
			people[e.dn] = true
		}
		for _, m := range e.attrs["member;range=1-1"] {
			if members[m] {
				t.Errorf("%s comes twice", m)
			}
			members[m] = true
		}
	}
	if n < 8 || len(members) != 25 || len(people) != 28 {
		t.Errorf("%d rounds, %d members, %d entries", n, len(members), len(people))
	}
	if _, _, n := rounds(t, c, 0, 1, "", "name"); n < 20 {
		t.Errorf("%d rounds of one octet", n)
	}
	// While the rounds go on somebody who was told of changes, and somebody who
	// was not; both come.
	if err := d.Modify(group, Change{Op: ReplaceValues, Attr: "description", Values: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := d.Modify(fmt.Sprintf("CN=p%d,CN=Users,%s", i, adBase), Change{Op: ReplaceValues, Attr: "sn", Values: []string{"x"}}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(cookie string) ([]told, ending) {
		return c.all(asking{base: adBase, scope: scopeSub, filter: "(objectClass=user)", attrs: []string{"sn", "mail"}, ctls: []ctl{dirSyncControl(0, 1<<20, cookie)}})
	}
	first, end := ask(cookie)
	if len(first) == 0 || !end.more {
		t.Fatal(len(first), end)
	}
	for dn, attr := range map[string]string{first[0].dn: "mail", "CN=p19,CN=Users," + adBase: "mail"} {
		if err := d.Modify(dn, Change{Op: ReplaceValues, Attr: attr, Values: []string{"y"}}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string][]string{}
	for end.more {
		var more []told
		more, end = ask(end.cookie)
		for _, e := range more {
			seen[e.dn] = e.names
		}
	}
	last := seen["CN=p19,CN=Users,"+adBase]
	if seen[first[0].dn] == nil || !slices.Contains(last, "mail") || !slices.Contains(last, "sn") || len(seen) != 20-len(first)+1 {
		t.Errorf("%d entries, %v, %v", len(seen), seen[first[0].dn], last)
	}
}

// A cookie of another invocation is no error: everything comes again.
func TestDomainForeignCookie(t *testing.T) {
	d, _, c := domainOf(t, 3, nil)
	all, cookie, _ := rounds(t, c, 0, 0, "", "name")
	if again, next, _ := rounds(t, c, 0, 0, cookie, "name"); len(again) != 0 || next != cookie {
		t.Errorf("nothing changed: %d entries", len(again))
	}
	d.Reinvoke()
	again, _, _ := rounds(t, c, 0, 0, cookie, "name")
	if len(again) != len(all) {
		t.Errorf("%d entries, want all %d", len(again), len(all))
	}
	found, _ := c.all(asking{scope: scopeBase, attrs: []string{"dsServiceName"}})
	settings, _ := c.all(asking{base: found[0].attrs["dsservicename"][0], scope: scopeBase, attrs: []string{"invocationId"}})
	if got := settings[0].attrs["invocationid"][0]; got != d.domain.invocation || len(got) != 16 {
		t.Errorf("invocationId %x", got)
	}
}

// With OBJECT_SECURITY who may not replicate reads, and hears of no deletion.
func TestDomainObjectSecurity(t *testing.T) {
	d, s, _ := domainOf(t, 3, nil)
	d.mustAdd("CN=reader,CN=Users,"+adBase, map[string][]string{"objectClass": {"user"}, "userAccountControl": {"512"}, "userPassword": {"pw"}})
	c := dial(t, s).mustBind("CN=reader,CN=Users,"+adBase, "pw")
	s.Faults().HideSubtree("CN=reader,CN=Users,"+adBase, "CN=p2,CN=Users,"+adBase)
	all, cookie, _ := rounds(t, c, flagObjectSecurity, 0, "", "name")
	if len(all) != 7-1 {
		t.Errorf("%d entries", len(all))
	}
	if err := d.Delete("CN=p0,CN=Users," + adBase); err != nil {
		t.Fatal(err)
	}
	if all, _, _ := rounds(t, c, flagObjectSecurity, 0, cookie, "name", "isDeleted"); len(all) != 0 {
		t.Errorf("a deletion was told: %v", all)
	}
	d.AD.Replicators = []string{"CN=Reader,CN=Users," + adBase}
	if all, _, _ := rounds(t, c, 0, 0, cookie, "name", "isDeleted"); len(all) != 1 || all[0].attrs["isdeleted"][0] != "TRUE" {
		t.Errorf("with the right: %v", all)
	}
}

func TestDomainPasswords(t *testing.T) {
	_, s, plain := domainOf(t, 2, nil)
	ca := authority(t, s)
	secure := dialURL(t, s.TLSURL(), ca).mustBind(storyAdmin, "secret")
	dn := "CN=p0,CN=Users," + adBase
	encoded := func(text string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	if code := secure.change(dn, ReplaceValues, "userAccountControl", "512"); code != UnwillingToPerform {
		t.Errorf("enabled without a password: %d", code)
	}
	for _, x := range []struct {
		c     *client
		value string
		code  int
	}{{plain, encoded(`"Passw0rd.1"`), UnwillingToPerform}, {secure, "Passw0rd.1", UnwillingToPerform}, {secure, encoded("Passw0rd.1"), UnwillingToPerform},
		{secure, encoded(`"short"`), ConstraintViolation}, {secure, encoded(`"Passw0rd.1"`), 0}} {
		if code := x.c.change(dn, ReplaceValues, "unicodePwd", x.value); code != x.code {
			t.Errorf("%q: code %d, want %d", x.value, code, x.code)
		}
	}
	bind := func(name, want string) {
		t.Helper()
		c := dial(t, s)
		c.send(opBindRequest, func(e *encoder) {
			e.integer(tagInteger, 3)
			e.octets(tagOctets, name)
			e.octets(0x80, "Passw0rd.1")
		}, nil)
		r, err := c.receive()
		if err != nil || !strings.Contains(r.diag, want) || (want == "") != (r.code == 0) {
			t.Errorf("bind as %s: %+v, %v", name, r, err)
		}
	}
	bind(dn, "data 533")
	if code := secure.change(dn, ReplaceValues, "userAccountControl", "512"); code != 0 {
		t.Error(code)
	}
	for _, name := range []string{dn, "p0@lab.example", `LAB\p0`} {
		bind(name, "")
	}
	bind("p0", "data 52e")
	if code := secure.change(dn, ReplaceValues, "accountExpires", fileTime(time.Now().Add(-time.Hour))); code != 0 {
		t.Error(code)
	}
	bind(dn, "data 701")
	found, _ := secure.all(asking{base: dn, scope: scopeBase, attrs: []string{"*", "unicodePwd", "userPassword"}})
	if found[0].attrs["unicodepwd"] != nil || found[0].attrs["userpassword"] != nil {
		t.Error("a password is read")
	}
}

func TestDomainReferrals(t *testing.T) {
	_, _, c := domainOf(t, 1, nil)
	for name, x := range map[string]struct {
		q    asking
		refs int
	}{
		"the head":     {asking{base: adBase, scope: scopeSub}, 3},
		"domain scope": {asking{base: adBase, scope: scopeSub, ctls: []ctl{{oid: oidDomainScope}}}, 0},
		"search option": {asking{base: adBase, scope: scopeSub, ctls: []ctl{{oidSearchOption, func(e *encoder) {
			seq := e.open(tagSequence)
			e.integer(tagInteger, 1)
			e.close(seq)
		}}}}, 0},
		"below":     {asking{base: "CN=Users," + adBase, scope: scopeSub}, 0},
		"one level": {asking{base: adBase, scope: scopeOne}, 0},
	} {
		found, end := c.all(x.q)
		if refs := len(found) - len(entries(found)); end.code != 0 || refs != x.refs {
			t.Errorf("%s: %d references, code %d", name, refs, end.code)
		}
	}
	f, _, err := c.searchAll(query{base: adBase, scope: scopeSub, page: 2})
	if err != nil || len(f.refs) != 3 {
		t.Errorf("paged: %d references, %v", len(f.refs), err)
	}
}

func TestDomainNotification(t *testing.T) {
	d, s, _ := domainOf(t, 2, nil)
	c := dial(t, s).mustBind(storyAdmin, "secret")
	if _, end := c.all(asking{base: adBase, scope: scopeSub, filter: "(sn=x)", ctls: []ctl{{oid: oidNotification}}}); end.code != UnwillingToPerform {
		t.Errorf("another filter: %+v", end)
	}
	c.begin(asking{base: "CN=Users," + adBase, scope: scopeOne, attrs: []string{"sn"}, ctls: []ctl{{oid: oidNotification}}})
	awaitFeed(t, d)
	if err := d.Modify("CN=p1,CN=Users,"+adBase, Change{Op: ReplaceValues, Attr: "sn", Values: []string{"One"}}); err != nil {
		t.Fatal(err)
	}
	m, end, err := c.next()
	if err != nil || end != nil || m.dn != "CN=p1,CN=Users,"+adBase || m.attrs["sn"][0] != "One" {
		t.Errorf("%+v %+v %v", m, end, err)
	}
}

// awaitFeed waits until a search that does not end has begun.
func awaitFeed(t *testing.T, d *Directory) {
	t.Helper()
	for range 1000 {
		d.mu.RLock()
		n := len(d.feeds)
		d.mu.RUnlock()
		if n > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nobody follows")
}

func TestDomainPermissiveAndTreeDelete(t *testing.T) {
	d, _, c := domainOf(t, 3, nil)
	group, p0 := "CN=all,CN=Users,"+adBase, "CN=p0,CN=Users,"+adBase
	one := func(op ChangeOp, value string, ctls ...ctl) int {
		return c.write(opModifyRequest, func(e *encoder) {
			e.octets(tagOctets, group)
			list := e.open(tagSequence)
			item := e.open(tagSequence)
			e.integer(tagEnumerated, int(op))
			encodeAttr(e, "member", []string{value})
			e.close(item)
			e.close(list)
		}, ctls...)
	}
	if code := one(AddValues, p0); code != EntryAlreadyExists {
		t.Errorf("there already: %d", code)
	}
	for _, op := range []ChangeOp{AddValues, DeleteValues, DeleteValues} {
		if code := one(op, p0, ctl{oid: oidPermissive}); code != 0 {
			t.Errorf("permissive %d: %d", op, code)
		}
	}
	if e, _ := d.Get(group); len(e.Get("member")) != 2 {
		t.Errorf("members %v", e.Get("member"))
	}
	if code := one(DeleteValues, p0); code != UnwillingToPerform {
		t.Errorf("not there: %d", code)
	}
}

func TestDomainExtendedNames(t *testing.T) {
	d, _, c := domainOf(t, 1, nil)
	found, _ := c.all(asking{base: "CN=all,CN=Users," + adBase, scope: scopeBase, attrs: []string{"member"}, ctls: []ctl{{oidExtendedDN, func(e *encoder) {
		seq := e.open(tagSequence)
		e.integer(tagInteger, 1)
		e.close(seq)
	}}}})
	p0 := "CN=p0,CN=Users," + adBase
	if got := found[0].attrs["member"][0]; !strings.HasPrefix(got, "<GUID="+d.GUID(p0)+">;<SID=S-1-5-21-") || !strings.HasSuffix(got, ">;"+p0) {
		t.Errorf("%s", got)
	}
	if !strings.HasSuffix(found[0].dn, ">;CN=all,CN=Users,"+adBase) {
		t.Errorf("%s", found[0].dn)
	}
}

func TestDomainNeedsABind(t *testing.T) {
	_, s, _ := domainOf(t, 1, nil)
	c := dial(t, s)
	if _, end := c.all(asking{base: adBase, scope: scopeSub}); end.code != OperationsError || !strings.HasPrefix(end.diag, "000004DC") {
		t.Errorf("%+v", end)
	}
	if found, end := c.all(asking{scope: scopeBase}); end.code != 0 || found[0].attrs["defaultnamingcontext"][0] != adBase {
		t.Errorf("%+v", end)
	}
}
