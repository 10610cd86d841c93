package ldap

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
	"github.com/rosterd/rosterd/target/targettest"
)

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// embedded is a directory in the process, which misbehaves on demand.
type embedded struct {
	dir    *ldapd.Directory
	server *ldapd.Server
	cfg    Config
	style  string
}

func (e *embedded) faults() *ldapd.Faults { return e.server.Faults() }

const (
	inAccounts = "ou=accounts," + suffix
	inLeft     = "ou=left," + suffix
	inGroups   = "ou=groups," + suffix
)

func embed(t *testing.T, style string, disable Disable, groups ...string) *embedded {
	t.Helper()
	d := ldapd.New(suffix)
	d.Strict = true
	add := func(dn string, attrs map[string][]string) {
		if err := d.Add(dn, attrs); err != nil {
			t.Fatal(err)
		}
	}
	add(suffix, map[string][]string{"objectClass": {"domain"}})
	for _, dn := range []string{inAccounts, inLeft, inGroups, "ou=sub," + inAccounts} {
		add(dn, map[string][]string{"objectClass": {"organizationalUnit"}})
	}
	add("cn=rosterd,"+suffix, map[string][]string{"objectClass": {"person"}, "sn": {"x"}, "userPassword": {"let me in"}})
	for _, g := range groups {
		attrs := map[string][]string{"cn": {g}}
		switch style {
		case entries.StyleMember:
			attrs["objectClass"], attrs["member"] = []string{"groupOfNames"}, []string{"cn=nobody"}
		case entries.StyleUniqueMember:
			attrs["objectClass"], attrs["uniqueMember"] = []string{"groupOfUniqueNames"}, []string{"cn=nobody"}
		case entries.StyleMemberUID:
			attrs["objectClass"] = []string{"posixGroup"}
		}
		add("cn="+identity.EscapeValue(g)+","+inGroups, attrs)
	}
	server, err := d.Serve(context.Background(), ldapd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	folder := t.TempDir()
	write(t, folder+"/password", "let me in")
	write(t, folder+"/ca.pem", string(server.CAPEM()))
	if disable.MoveTo != "" {
		disable.MoveTo = inLeft
	}
	return &embedded{dir: d, server: server, style: style, cfg: Config{
		URLs: []string{server.TLSURL()}, CAFile: folder + "/ca.pem", BindDN: "cn=rosterd," + suffix, Password: secret.File(folder + "/password"),
		Base: inAccounts, ObjectClasses: []string{"inetOrgPerson"}, Disable: disable, Mark: "employeeNumber",
		Groups: Groups{Base: inGroups, Style: style}, IdleTimeout: span.Duration(10 * time.Second),
	}}
}

// impatient is for servers that hang on purpose: on a busy machine one that is
// well may need longer.
const impatient = span.Duration(500 * time.Millisecond)

func (e *embedded) target(t *testing.T) *Target { return (&corner{cfg: e.cfg}).target(t) }

func (e *embedded) entries(t *testing.T) []ldif.Entry {
	t.Helper()
	var b strings.Builder
	if err := e.dir.Dump(&b); err != nil {
		t.Fatal(err)
	}
	all, err := ldif.All(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (e *embedded) read(t *testing.T) []target.Account {
	t.Helper()
	held := map[string][]string{}
	var out []target.Account
	all := e.entries(t)
	for _, x := range all {
		for _, m := range x.Get(e.style) {
			if e.style != entries.StyleMemberUID {
				m = identity.MustDN(m).Key()
			}
			held[m] = append(held[m], x.Get("cn")[0])
		}
	}
	for _, x := range all {
		if x.Get("uid") == nil {
			continue
		}
		dn := identity.MustDN(x.DN)
		a := target.Account{ID: target.NativeID(x.Get("entryUUID")[0]), Name: x.Get("uid")[0], Enabled: !dn.Within(identity.MustDN(inLeft)), Attributes: map[string][]string{}}
		for _, name := range []string{"displayName", "title", "description", "cn", "sn"} {
			if v := x.Get(name); len(v) > 0 {
				a.Attributes[name] = v
			}
		}
		if v := x.Get("employeeNumber"); len(v) > 0 {
			a.Mark = v[0]
		}
		if slices.Contains(x.Get("employeeType"), "disabled") {
			a.Enabled = false
		}
		key := dn.Key()
		if e.style == entries.StyleMemberUID {
			key = a.Name
		}
		a.Entitlements = slices.Sorted(slices.Values(held[key]))
		out = append(out, a)
	}
	return out
}

// members are those of a group, as they stand there.
func (e *embedded) members(t *testing.T, group string) []string {
	t.Helper()
	g, ok := e.dir.Get("cn=" + identity.EscapeValue(group) + "," + inGroups)
	if !ok {
		t.Fatalf("no group %q", group)
	}
	return g.Get(e.style)
}

func (e *embedded) put(t *testing.T, dn string, attrs map[string][]string) target.Ref {
	t.Helper()
	attrs["objectClass"] = []string{"inetOrgPerson"}
	if err := e.dir.Add(dn, attrs); err != nil {
		t.Fatal(err)
	}
	x, _ := e.dir.Get(dn)
	return target.Ref{ID: target.NativeID(x.Get("entryUUID")[0]), Name: x.Get("uid")[0]}
}

func (e *embedded) system(t *testing.T) targettest.System {
	return targettest.System{
		Target: e.target(t), Read: e.read,
		Put: func(t *testing.T, a target.Account) target.NativeID {
			attrs := map[string][]string{"uid": {a.Name}}
			for name, v := range a.Attributes {
				attrs[name] = v
			}
			return e.put(t, "uid="+identity.EscapeValue(a.Name)+","+inAccounts, attrs).ID
		},
		Set: func(t *testing.T, id target.NativeID, v target.Value) {
			for _, x := range e.entries(t) {
				if slices.Contains(x.Get("entryUUID"), string(id)) {
					if err := e.dir.Modify(x.DN, ldapd.Change{Op: ldapd.ReplaceValues, Attr: v.Name, Values: v.Values}); err != nil {
						t.Fatal(err)
					}
				}
			}
		},
		Requests: func() int { return e.faults().Count(ldapd.AnyWrite) },
	}
}

func TestContractEmbedded(t *testing.T) {
	for name, c := range map[string]struct {
		style   string
		disable Disable
	}{
		"member, attribute":       {entries.StyleMember, byAttribute},
		"member, move":            {entries.StyleMember, byMove},
		"uniqueMember, attribute": {entries.StyleUniqueMember, byAttribute},
		"memberUid, move":         {entries.StyleMemberUID, byMove},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(nil, c.style, c.disable)
			h.New = func(t *testing.T) targettest.System { return embed(t, c.style, c.disable, three...).system(t) }
			targettest.Run(t, h)
		})
	}
}

func person(name string) []target.Value {
	return []target.Value{{Name: "cn", Values: []string{name}}, {Name: "sn", Values: []string{name}}}
}

func mustCreate(t *testing.T, tg *Target, name string) target.Ref {
	t.Helper()
	ref, err := tg.Create(t.Context(), name, person(name), "")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestLaw01NoListingAfterAnyFault: whatever goes wrong while it is read, there
// is no listing.
func TestLaw01NoListingAfterAnyFault(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove, three...)
	e.cfg.IdleTimeout = impatient
	tg := e.target(t)
	for _, name := range []string{"writer1", "writer2", "writer3"} {
		mustCreate(t, tg, name)
	}
	scope := target.Scope{Entitlements: three}
	for name, f := range map[string]ldapd.Fault{
		"size limit":       {Base: inAccounts, After: 2, Code: ldapd.SizeLimitExceeded},
		"admin limit":      {Base: inAccounts, After: 1, Code: ldapd.AdminLimitExceeded},
		"time limit":       {Base: inLeft, Code: ldapd.TimeLimitExceeded},
		"busy":             {Base: inAccounts, Code: ldapd.Busy},
		"dropped":          {Base: inAccounts, After: 2, Do: ldapd.Drop},
		"dropped between":  {Base: inAccounts, After: 1, Do: ldapd.DropMid},
		"hang":             {Base: inAccounts, After: 1, Do: ldapd.Hang},
		"groups dropped":   {Base: inGroups, After: 1, Do: ldapd.Drop},
		"groups limited":   {Base: inGroups, After: 1, Code: ldapd.SizeLimitExceeded},
		"second container": {Base: inLeft, Do: ldapd.Drop},
		"no paging answer": {Base: inAccounts, Do: ldapd.NoControl},
		"referral":         {Base: inAccounts, Do: ldapd.Refer, URL: "ldap://other.example/"},
		"container gone":   {Base: inLeft, Code: ldapd.NoSuchObject},
	} {
		t.Run(name, func(t *testing.T) {
			f.Op = ldapd.OpSearch
			e.faults().Add(f)
			defer e.faults().Clear()
			for range 2 { // on a kept connection and on a new one
				l, err := target.Collect(t.Context(), tg, scope)
				if err == nil || len(l.Accounts()) > 0 {
					t.Fatalf("a listing of %d accounts", len(l.Accounts()))
				}
				if c := target.ClassOf(err); c != target.Transient && c != target.Denied {
					t.Errorf("class %v: %v", c, err)
				}
				if f.Code == ldapd.SizeLimitExceeded && !strings.Contains(hintOf(err), "limits dn.exact=") {
					t.Errorf("no hint: %v", err)
				}
			}
		})
	}
	if l, err := target.Collect(t.Context(), tg, scope); err != nil || len(l.Accounts()) != 3 {
		t.Fatalf("after all that: %d accounts, %v", len(l.Accounts()), err)
	}
}

// TestLaw07LostAnswer: a write whose answer is lost is in doubt, and the same
// write once more comes out right.
func TestLaw07LostAnswer(t *testing.T) {
	for _, do := range []ldapd.Action{ldapd.Drop, ldapd.Hang} {
		for _, applied := range []bool{true, false} {
			e := embed(t, entries.StyleMember, byMove, three...)
			if do == ldapd.Hang {
				e.cfg.IdleTimeout = impatient
			}
			tg := e.target(t)
			ctx := t.Context()
			ref := mustCreate(t, tg, "writer1")
			lost := func(op ldapd.Op) {
				e.faults().Clear()
				e.faults().Add(ldapd.Fault{Op: op, Do: do, Applied: applied, Times: 1})
			}
			doubt := func(err error) {
				t.Helper()
				if target.ClassOf(err) != target.InDoubt {
					t.Fatalf("action %v, applied %v: %v of class %v", do, applied, err, target.ClassOf(err))
				}
			}
			fine := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			lost(ldapd.OpAdd)
			_, err := tg.Create(ctx, "writer2", person("writer2"), "m")
			doubt(err)
			o, err := tg.Look(ctx, target.Scope{}, []target.Query{{Match: []target.Match{{Attribute: "uid", Value: "writer2"}}}})
			fine(err)
			if (len(o[0].Accounts) == 1) != applied {
				t.Fatalf("applied %v, and %d accounts", applied, len(o[0].Accounts))
			}
			lost(ldapd.OpModify)
			doubt(tg.Update(ctx, ref, []target.Value{{Name: "title", Values: []string{"x"}}}))
			fine(tg.Update(ctx, ref, []target.Value{{Name: "title", Values: []string{"x"}}}))
			lost(ldapd.OpModify)
			doubt(tg.Grant(ctx, three[0], []target.Ref{ref})[0])
			fine(errors.Join(tg.Grant(ctx, three[0], []target.Ref{ref})...))
			lost(ldapd.OpRename)
			doubt(tg.Disable(ctx, ref))
			fine(tg.Disable(ctx, ref))
			lost(ldapd.OpRename)
			_, err = tg.Rename(ctx, ref, "writer3")
			doubt(err)
			_, err = tg.Rename(ctx, ref, "writer3")
			fine(err)
			want := []string{"cn=nobody", "uid=writer3," + inLeft}
			if got := e.members(t, three[0]); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
				t.Fatalf("applied %v: the group holds %q, want %q", applied, got, want)
			}
			lost(ldapd.OpDelete)
			doubt(tg.Delete(ctx, ref))
			fine(tg.Delete(ctx, ref))
			if got := e.members(t, three[0]); !slices.Equal(got, []string{"cn=nobody"}) {
				t.Fatalf("the group holds %q", got)
			}
		}
	}
}

// TestClasses: what the server answers, and what becomes of the change.
func TestClasses(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, three...)
	tg := e.target(t)
	ref := mustCreate(t, tg, "writer1")
	for code, want := range map[int]target.Class{
		ldapd.Busy: target.Transient, ldapd.Unavailable: target.Transient,
		ldapd.InsufficientAccessRights: target.Denied,
		ldapd.ConstraintViolation:      target.Refused, ldapd.InvalidAttributeSyntax: target.Refused,
		ldapd.ObjectClassViolation: target.Refused, ldapd.UnwillingToPerform: target.Refused,
		ldapd.Referral: target.Denied, ldapd.NoSuchObject: target.Missing,
	} {
		e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: code})
		err := tg.Update(t.Context(), ref, []target.Value{{Name: "title", Values: []string{"x"}}})
		e.faults().Clear()
		if got := target.ClassOf(err); got != want {
			t.Errorf("code %d: class %v, want %v (%v)", code, got, want, err)
		}
		if want == target.Denied && hintOf(err) == "" {
			t.Errorf("code %d: no hint", code)
		}
	}
	if err := tg.Update(t.Context(), ref, []target.Value{{Name: "uid", Values: []string{"x"}}}); target.ClassOf(err) != target.Refused {
		t.Errorf("an update of the name: %v", err)
	}
	cfg := e.cfg
	write(t, t.TempDir()+"/x", "")
	path := t.TempDir() + "/password"
	write(t, path, "wrong")
	cfg.Password = secret.File(path)
	other := (&corner{cfg: cfg}).target(t)
	if err := other.Disable(t.Context(), ref); target.ClassOf(err) != target.Denied || !strings.Contains(hintOf(err), "password") {
		t.Errorf("a wrong password: class %v, %v", target.ClassOf(err), err)
	}
	cfg = e.cfg
	cfg.CAFile = ""
	other = (&corner{cfg: cfg}).target(t)
	if err := other.Disable(t.Context(), ref); target.ClassOf(err) != target.Denied || !strings.Contains(hintOf(err), "ca_file") {
		t.Errorf("an authority that is not trusted: class %v, %v", target.ClassOf(err), err)
	}
	cfg = e.cfg
	cfg.URLs = []string{"ldaps://127.0.0.1:1"}
	other = (&corner{cfg: cfg}).target(t)
	if err := other.Disable(t.Context(), ref); target.ClassOf(err) != target.Transient {
		t.Errorf("nobody listens: class %v, %v", target.ClassOf(err), err)
	}
	cfg = e.cfg
	cfg.Base = "ou=nowhere," + suffix
	other = (&corner{cfg: cfg}).target(t)
	if _, err := other.Create(t.Context(), "writer9", person("x"), ""); target.ClassOf(err) != target.Denied || !strings.Contains(hintOf(err), "ou=nowhere") {
		t.Errorf("a wrong base: class %v, %v, %s", target.ClassOf(err), err, hintOf(err))
	}
	if _, err := other.Look(t.Context(), target.Scope{}, []target.Query{{ID: ref.ID}}); err == nil {
		t.Error("a look below a base that is not there was answered")
	}
}

// TestServerRestart: connections that the server closed are replaced without
// anybody noticing.
func TestServerRestart(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, three...)
	tg := e.target(t)
	ref := mustCreate(t, tg, "writer1")
	for _, f := range []func() error{
		func() error { return tg.Disable(t.Context(), ref) },
		func() error { _, err := target.Collect(t.Context(), tg, target.Scope{}); return err },
		func() error { return errors.Join(tg.Grant(t.Context(), three[0], []target.Ref{ref})...) },
		func() error { _, err := tg.Create(t.Context(), "writer2", person("x"), ""); return err },
	} {
		e.server.DropAll()
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCancelledInFlight: a call ends with its context though the server hangs,
// and what had left is in doubt.
func TestCancelledInFlight(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, three...)
	e.cfg.IdleTimeout = 0
	tg := e.target(t)
	ref := mustCreate(t, tg, "writer1")
	for op, want := range map[ldapd.Op]target.Class{ldapd.OpModify: target.InDoubt, ldapd.OpSearch: target.Transient} {
		e.faults().Add(ldapd.Fault{Op: op, Do: ldapd.Hang})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		begin := time.Now()
		err := tg.Disable(ctx, ref)
		cancel()
		e.faults().Clear()
		if target.ClassOf(err) != want || time.Since(begin) > 2*time.Second {
			t.Errorf("%s: class %v after %v: %v", op, target.ClassOf(err), time.Since(begin), err)
		}
	}
	// With every connection in use a call waits for its turn no longer than
	// its context.
	e.cfg.Connections = 1
	tg = e.target(t)
	e.faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Do: ldapd.Hang, Times: 1})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	asked := e.faults().Count(ldapd.OpSearch)
	go func() { first <- tg.Disable(ctx, ref) }()
	for e.faults().Count(ldapd.OpSearch) == asked {
		time.Sleep(time.Millisecond)
	}
	brief, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := tg.Disable(brief, ref); target.ClassOf(err) != target.Transient || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for a connection: %v", err)
	}
	cancel()
	if err := <-first; err == nil {
		t.Error("a cancelled call succeeded")
	}
}

func TestClosed(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute)
	tg := e.target(t)
	mustCreate(t, tg, "writer1")
	if err := tg.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tg.Create(t.Context(), "writer2", person("x"), ""); err == nil {
		t.Fatal("a closed target works")
	}
}
