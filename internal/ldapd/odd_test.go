package ldapd

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// TestBinds: everything that is not a bind, by its code.
func TestBinds(t *testing.T) {
	s := serve(t, load(t, fixture), Options{})
	simple := func(version int, dn, password string) func(*encoder) {
		return func(e *encoder) {
			e.integer(tagInteger, version)
			e.octets(tagOctets, dn)
			e.octets(0x80, password)
		}
	}
	sasl := func(mechanism string) func(*encoder) {
		return func(e *encoder) {
			e.integer(tagInteger, 3)
			e.octets(tagOctets, "")
			at := e.open(0xa3)
			e.octets(tagOctets, mechanism)
			e.close(at)
		}
	}
	for name, x := range map[string]struct {
		body func(*encoder)
		want int
	}{
		"anonymous":               {simple(3, "", ""), Success},
		"an entry":                {simple(3, under("UID=writer1"), "secret1"), Success},
		"LDAPv2":                  {simple(2, "", ""), ProtocolError},
		"a password, no name":     {simple(3, "", "x"), InvalidCredentials},
		"a name, no password":     {simple(3, under("uid=writer1"), ""), UnwillingToPerform},
		"admin, no password":      {simple(3, "cn=admin,"+lab, ""), UnwillingToPerform},
		"an entry without one":    {simple(3, lab, "x"), InvalidCredentials},
		"an unknown mechanism":    {sasl("GSSAPI"), AuthMethodNotSupported},
		"EXTERNAL over a network": {sasl("EXTERNAL"), InappropriateAuthentication},
	} {
		c := dial(t, s)
		c.send(opBindRequest, x.body, nil)
		if r, err := c.receive(); err != nil || r.code != x.want {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	c := dial(t, s)
	c.send(opExtendedRequest, func(e *encoder) { e.octets(0x80, "1.2.3"); e.octets(0x81, "x") }, nil)
	if r, err := c.receive(); err != nil || r.code != ProtocolError || r.id == 0 {
		t.Errorf("an unknown extension: %+v, %v", r, err)
	}
}

// TestAdminWithoutPassword: a name without a password is no way in.
func TestAdminWithoutPassword(t *testing.T) {
	c := dial(t, serve(t, New(lab), Options{AdminDN: "cn=admin," + lab}))
	for _, password := range []string{"", "x"} {
		if code, err := c.bind("cn=admin,"+lab, password); code == Success || err != nil {
			t.Errorf("%q: %d, %v", password, code, err)
		}
	}
}

// TestGiveUpPages: a page of size nought with a cookie ends the search.
func TestGiveUpPages(t *testing.T) {
	c := asAdmin(t, serve(t, crowd(t, 20), Options{}))
	q := paged(5)
	f, err := c.search(q)
	if err != nil {
		t.Fatal(err)
	}
	id := c.send(opSearchRequest, q.encode, func(e *encoder) {
		ctl := e.open(tagSequence)
		e.octets(tagOctets, oidPaged)
		v := e.open(tagOctets)
		seq := e.open(tagSequence)
		e.integer(tagInteger, 0)
		e.octets(tagOctets, f.cookie)
		e.close(seq)
		e.close(v)
		e.close(ctl)
	})
	if r, err := c.receive(); err != nil || r.id != id || r.tag != opSearchDone || r.code != 0 || r.cookie != "" || !r.controls {
		t.Errorf("%+v, %v", r, err)
	}
	q.cookie = f.cookie
	if f, err := c.search(q); err != nil || f.code != UnwillingToPerform {
		t.Errorf("the cookie is still good: %+v, %v", f, err)
	}
}

// TestManyMessagesAtOnce: requests sent without waiting are answered in order,
// however the stream is cut.
func TestManyMessagesAtOnce(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	c := asAdmin(t, s)
	const n = 3 * queued
	e := &encoder{}
	for i := range n {
		msg := e.open(tagSequence)
		e.integer(tagInteger, 1000+i)
		op := e.open(opCompareRequest)
		e.octets(tagOctets, lab)
		ava := e.open(tagSequence)
		e.octets(tagOctets, "dc")
		e.octets(tagOctets, map[bool]string{true: "lab", false: "x"}[i%2 == 0])
		e.close(ava)
		e.close(op)
		e.close(msg)
	}
	go func() {
		for b := e.buf; len(b) > 0; b = b[min(len(b), 7):] {
			if _, err := c.conn.Write(b[:min(len(b), 7)]); err != nil {
				return // the test has failed
			}
		}
	}()
	for i := range n {
		r, err := c.receive()
		if err != nil || r.id != 1000+i || r.code != []int{CompareTrue, CompareFalse}[i%2] {
			t.Fatalf("answer %d: %+v, %v", i, r, err)
		}
	}
}

// TestDropAll: as after a restart of the server, connections are gone and new
// ones are welcome; what was written is there.
func TestDropAll(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	c := asAdmin(t, s)
	if code, err := c.modify("ou=people,"+lab, "description", "x"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	s.DropAll()
	if _, err := c.receive(); !closed(err) {
		t.Errorf("still open: %v", err)
	}
	f, err := asAdmin(t, s).search(query{base: "ou=people," + lab})
	if err != nil || len(f.attrs) != 1 || f.attrs[0]["description"][0] != "x" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestServeRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"administrator": {AdminDN: "nonsense"},
		"socket":        {Socket: filepath.Join(t.TempDir(), "not", "there")},
	} {
		s, err := New(lab).Serve(context.Background(), o)
		if err == nil {
			s.Close()
			t.Errorf("%s: served", name)
		} else if !strings.HasPrefix(err.Error(), "serve the directory: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnonymousMayNot: with NoAnonymous neither compare nor write, and never a
// write to the root.
func TestAnonymousMayNot(t *testing.T) {
	servers.Require(t, "ldapcompare", "ldapmodify")
	s := serve(t, load(t, fixture), Options{NoAnonymous: true})
	p := place{"ldapd", s.URL(), "cn=admin," + lab, "secret"}
	if o := p.run(t, false, "", "ldapcompare", under("uid=writer1"), "uid:writer1"); o.Code != InsufficientAccessRights {
		t.Errorf("compare: %d", o.Code)
	}
	if o := p.run(t, true, "", "ldapcompare", under("uid=writer1"), "uid:writer1"); o.Code != CompareTrue {
		t.Errorf("compare when bound: %d", o.Code)
	}
	if o := p.run(t, true, "dn:\nchangetype: modify\nreplace: o\no: x\n", "ldapmodify"); o.Code != UnwillingToPerform {
		t.Errorf("the root: %d", o.Code)
	}
}
