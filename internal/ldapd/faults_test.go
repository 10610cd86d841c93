package ldapd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

// crowd is a directory of n people under ou=people and as many under ou=other.
func crowd(t testing.TB, n int) *Directory {
	t.Helper()
	d := New(lab)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.Add(lab, map[string][]string{"objectClass": {"domain"}, "dc": {"lab"}}))
	for _, ou := range []string{"people", "other"} {
		must(d.Add("ou="+ou+","+lab, map[string][]string{"objectClass": {"organizationalUnit"}}))
		for i := range n {
			must(d.Add(fmt.Sprintf("uid=%s%d,ou=%s,%s", ou[:1], i, ou, lab), map[string][]string{
				"objectClass": {"inetOrgPerson"}, "cn": {fmt.Sprint("P ", i)}, "sn": {"P"}, "mail": {fmt.Sprintf("%s%d@lab.example", ou, i)},
			}))
		}
	}
	return d
}

var people = query{base: "ou=people," + lab, scope: scopeOne}

func paged(size int) query { q := people; q.page = size; return q }

func TestFaultsOfReads(t *testing.T) {
	d := crowd(t, 20)
	s := serve(t, d, Options{})
	for _, x := range []struct {
		name    string
		fault   Fault
		q       query
		code    int
		entries int // that the client has at the end
		pages   int // 0: one
		broken  bool
	}{
		{"none", Fault{}, people, 0, 20, 1, false},
		{"none, paged", Fault{}, paged(7), 0, 20, 3, false},
		{"size limit", Fault{Do: Answer, Code: SizeLimitExceeded, After: 5}, people, SizeLimitExceeded, 5, 1, false},
		{"size limit over pages", Fault{Do: Answer, Code: SizeLimitExceeded, After: 10}, paged(7), SizeLimitExceeded, 10, 2, false},
		{"size limit that fits", Fault{Do: Answer, Code: SizeLimitExceeded, After: 20}, people, 0, 20, 1, false},
		{"administrative limit", Fault{Do: Answer, Code: AdminLimitExceeded, After: 1}, people, AdminLimitExceeded, 1, 1, false},
		{"time limit", Fault{Do: Answer, Code: TimeLimitExceeded, After: 19}, people, TimeLimitExceeded, 19, 1, false},
		{"busy", Fault{Do: Answer, Code: Busy}, people, Busy, 0, 1, false},
		{"unavailable on the second page", Fault{Do: Answer, Code: Unavailable, Skip: 1}, paged(7), Unavailable, 7, 2, false},
		{"dropped before", Fault{Do: Drop}, people, 0, 0, 1, true},
		{"dropped in the middle", Fault{Do: Drop, After: 9}, people, 0, 9, 1, true},
		{"dropped behind the last", Fault{Do: Drop, After: 20}, people, 0, 20, 1, true},
		{"dropped in a message", Fault{Do: DropMid, After: 9}, people, 0, 9, 1, true},
		{"dropped in the result", Fault{Do: DropMid, After: 20}, people, 0, 20, 1, true},
		{"empty", Fault{Do: Empty}, people, 0, 0, 1, false},
		{"empty, paged", Fault{Do: Empty}, paged(7), 0, 0, 1, false},
		{"empty from the second page on", Fault{Do: Empty, Page: 2}, paged(7), 0, 7, 2, false},
		{"a page lost", Fault{Do: LosePage, Page: 2}, paged(7), 0, 13, 2, false},
		{"the last page lost", Fault{Do: LosePage, Page: 3}, paged(7), 0, 14, 3, false},
		{"a page repeated", Fault{Do: RepeatPage, Page: 2}, paged(7), 0, 27, 4, false},
		{"no cookie", Fault{Do: NoCookie, Page: 2}, paged(7), 0, 14, 2, false},
		{"for another operation", Fault{Op: OpModify, Do: Drop}, people, 0, 20, 1, false},
		{"for another base", Fault{Base: "ou=other," + lab, Do: Drop}, people, 0, 20, 1, false},
		{"for another identity", Fault{BindDN: "cn=other," + lab, Do: Drop}, people, 0, 20, 1, false},
		{"for this identity and base", Fault{BindDN: "CN=admin," + lab, Base: "OU=people," + lab, Do: Empty}, people, 0, 0, 1, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			s.Faults().Clear()
			c := asAdmin(t, s)
			if x.fault != (Fault{}) {
				s.Faults().Add(x.fault)
			}
			f, pages, err := c.searchAll(x.q)
			if closed(err) != x.broken || !x.broken && err != nil {
				t.Fatalf("got error %v, want a broken connection: %v", err, x.broken)
			}
			if f.code != x.code || len(f.dns) != x.entries || pages != x.pages {
				t.Errorf("code %d, %d entries, %d pages; want %d, %d, %d", f.code, len(f.dns), pages, x.code, x.entries, x.pages)
			}
			s.Faults().Clear()
			if x.broken {
				c = asAdmin(t, s)
			}
			if f, _, err := c.searchAll(people); err != nil || len(f.dns) != 20 {
				t.Errorf("afterwards: %d entries, %v", len(f.dns), err)
			}
		})
	}
}

func TestFaultPagesByContent(t *testing.T) {
	d := crowd(t, 20)
	s := serve(t, d, Options{})
	c := asAdmin(t, s)
	s.Faults().Add(Fault{Do: RepeatPage, Page: 2, Times: 1})
	f, _, err := c.searchAll(paged(7))
	if err != nil || !slices.Equal(f.dns[:7], f.dns[7:14]) || len(f.dns) != 27 {
		t.Errorf("not repeated: %v, %v", f.dns, err)
	}
	s.Faults().Add(Fault{Do: NoControl})
	one, err := c.search(paged(7))
	if err != nil || one.controls || len(one.dns) != 7 {
		t.Errorf("control there: %v, %v", one, err)
	}
	s.Faults().Clear()
	s.Faults().Add(Fault{Do: Refer, URL: "ldap://127.0.0.1:1/dc=x", Times: 1})
	one, err = c.search(people)
	if err != nil || len(one.dns) != 20 || !slices.Equal(one.refs, []string{"ldap://127.0.0.1:1/dc=x??sub"}) && !slices.Equal(one.refs, []string{"ldap://127.0.0.1:1/dc=x??base"}) {
		t.Errorf("references %v, %v", one.refs, err)
	}
	if one, _ = c.search(people); len(one.refs) != 0 {
		t.Errorf("Times does not end it: %v", one.refs)
	}
}

func TestFaultSkipAndTimes(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	c := asAdmin(t, s)
	s.Faults().Add(Fault{Op: OpSearch, Do: Answer, Code: Busy, Skip: 2, Times: 2})
	var codes []int
	for range 6 {
		f, err := c.search(people)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, f.code)
	}
	if want := []int{0, 0, Busy, Busy, 0, 0}; !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
}

func TestFaultHang(t *testing.T) {
	s := serve(t, crowd(t, 20), Options{})
	for _, fault := range []Fault{{Op: OpSearch, Do: Hang}, {Op: OpSearch, Do: Hang, After: 8}} {
		s.Faults().Clear()
		s.Faults().Add(fault)
		c := asAdmin(t, s)
		if err := c.conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		f, err := c.search(people)
		if err == nil || closed(err) || len(f.dns) != fault.After {
			t.Errorf("%+v: %d entries, %v", fault, len(f.dns), err)
		}
	}
	// Close must not wait for what hangs: the cleanup of the server sees to it.
}

func TestFaultOfBind(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	s.Faults().Add(Fault{Op: OpBind, Do: Answer, Code: Unavailable, Times: 1})
	c := dial(t, s)
	if code, err := c.bind("cn=admin,"+lab, "secret"); code != Unavailable || err != nil {
		t.Fatal(code, err)
	}
	if code, err := c.modify("ou=people,"+lab, "description", "x"); code != StrongerAuthRequired || err != nil {
		t.Fatalf("a refused bind has bound: %d, %v", code, err)
	}
}

func TestFaultSlow(t *testing.T) {
	s := serve(t, crowd(t, 20), Options{})
	c := asAdmin(t, s)
	s.Faults().Add(Fault{Op: OpSearch, Do: Slow, Delay: 20 * time.Millisecond})
	start := time.Now()
	f, err := c.search(people)
	if took := time.Since(start); err != nil || len(f.dns) != 20 || took < 400*time.Millisecond {
		t.Errorf("%d entries in %v, %v", len(f.dns), took, err)
	}
	q := people
	q.time = 1
	s.Faults().Clear()
	s.Faults().Add(Fault{Op: OpSearch, Do: Slow, Delay: 100 * time.Millisecond})
	f, err = c.search(q)
	if err != nil || f.code != TimeLimitExceeded || len(f.dns) == 0 || len(f.dns) == 20 {
		t.Errorf("time limit: code %d, %d entries, %v", f.code, len(f.dns), err)
	}
}

// TestFaultInDoubt: the write is done, and the client never hears of it.
func TestFaultInDoubt(t *testing.T) {
	d := crowd(t, 1)
	s := serve(t, d, Options{})
	const dn = "uid=p0,ou=people," + lab
	value := func() string {
		e, _ := d.Get(dn)
		return strings.Join(e.Get("title"), "|")
	}
	for _, x := range []struct {
		fault  Fault
		title  string
		broken bool
		code   int
	}{
		{Fault{Op: AnyWrite, Do: Drop, Applied: true, Times: 1}, "a", true, 0},
		{Fault{Op: AnyWrite, Do: Drop, Times: 1}, "a", true, 0},
		{Fault{Op: OpModify, Do: DropMid, Applied: true, Times: 1}, "b", true, 0},
		{Fault{Op: OpModify, Do: Answer, Code: Other, Applied: true, Times: 1}, "c", false, Other},
		{Fault{Op: OpModify, Do: Answer, Code: InsufficientAccessRights, Times: 1}, "c", false, InsufficientAccessRights},
		{Fault{Op: OpDelete, Do: Drop, Applied: true, Times: 1}, "d", false, 0},
	} {
		s.Faults().Clear()
		s.Faults().Add(x.fault)
		next := map[string]string{"": "a", "a": "b", "b": "c", "c": "d"}[value()]
		code, err := asAdmin(t, s).modify(dn, "title", next)
		if closed(err) != x.broken || !x.broken && (err != nil || code != x.code) {
			t.Errorf("%+v: code %d, %v", x.fault, code, err)
		}
		if value() != x.title {
			t.Errorf("%+v: the title is %q, want %q", x.fault, value(), x.title)
		}
	}
}

func TestHidden(t *testing.T) {
	servers.Require(t, "ldapsearch")
	s := serve(t, crowd(t, 5), Options{AdminDN: "cn=admin," + lab, AdminPassword: "secret"})
	c := asAdmin(t, s)
	s.Faults().HideAttribute("CN=Admin,"+lab, "MAIL")
	f, err := c.search(people)
	if err != nil || len(f.dns) != 5 {
		t.Fatal(len(f.dns), err)
	}
	for _, a := range f.attrs {
		if a["mail"] != nil || a["cn"] == nil {
			t.Errorf("attributes %v", a)
		}
	}
	byMail := people
	byMail.equal = [2]string{"mail", "people1@lab.example"}
	if f, _ = c.search(byMail); f.code != 0 || len(f.dns) != 0 {
		t.Errorf("a hidden attribute was searched: %v", f)
	}
	// Neither does its opposite tell anything, nor a type above it.
	p := place{"ldapd", s.URL(), "cn=admin," + lab, "secret"}
	if o := p.run(t, true, "", "ldapsearch", "-b", lab, "(!(mail=people1@lab.example))", "1.1"); len(o.Entries) != 0 {
		t.Errorf("the opposite of a hidden attribute: %v", o.Entries)
	}
	s.Faults().HideAttribute("cn=admin,"+lab, "cn")
	if o := p.run(t, true, "", "ldapsearch", "-b", lab, "(name=P 1)", "1.1"); len(o.Entries) != 0 {
		t.Errorf("by a supertype: %v", o.Entries)
	}
	if f, _ = dial(t, s).search(byMail); len(f.dns) != 1 {
		t.Errorf("hidden from somebody else, too: %v", f)
	}
	s.Faults().HideSubtree("cn=admin,"+lab, "ou=people,"+lab)
	if f, _ = c.search(people); f.code != NoSuchObject {
		t.Errorf("a hidden base: %v", f)
	}
	if f, _ = c.search(query{base: lab, scope: scopeSub}); f.code != 0 || len(f.dns) != 7 {
		t.Errorf("a hidden tree: %v", f)
	}
	s.Faults().Clear()
	if f, _ = c.search(byMail); len(f.dns) != 1 {
		t.Errorf("after Clear: %v", f)
	}
}

func TestCounts(t *testing.T) {
	s := serve(t, crowd(t, 5), Options{})
	c := asAdmin(t, s)
	if _, _, err := c.searchAll(paged(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.modify("ou=people,"+lab, "description", "x"); err != nil {
		t.Fatal(err)
	}
	f := s.Faults()
	for op, want := range map[Op]int{OpBind: 1, OpSearch: 3, OpModify: 1, AnyWrite: 1, OpAdd: 0, AnyOp: 5} {
		if got := f.Count(op); got != want {
			t.Errorf("%q: %d, want %d", op, got, want)
		}
	}
	f.ResetCounts()
	if f.Count(AnyOp) != 0 {
		t.Error("not reset")
	}
}
