package ad

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// hostile are texts that mean something somewhere: in a name, in a filter, in LDIF, to
// a terminal, to a program in C, to a domain.
var hostile = rapid.OneOf(
	rapid.StringMatching(`[a*()\\,+"<>;=# \x00\n\r&|!~:/-]{1,10}`),
	rapid.SampledFrom([]string{
		"*)(cn=*", "x)(|(objectClass=*", `\2a`, `\00`, "a,OU=groups", "a+CN=Admins", "#04024869", " lead", "trail ", `"quoted"`, "a\\", "<GUID=00>", "<SID=S-1-5-32-544>", "B:8:00000000:CN=x",
		"x\nDEL:0c1d2e3f-0000-0000-0000-000000000000", "x\nCNF:0c1d2e3f-0000-0000-0000-000000000000", "a\ndn: cn=x\nchangetype: delete", ":: aGk=", "< file:///etc/passwd", "a\n-\nreplace: sn",
		"\u202egnp.exe", "a\u200bb", "e\u0301", "ﬁ", "İ", "\ufeff", "a\x00b", "\x7f\x1b[2J", "${person.mail}", "$(id)", "🙂", "ß", "admin@lab.example", `LAB\administrator`, "Administrator",
	}),
	rapid.StringN(1, 12, 40),
)

var hostileGroups = []string{"Writers", "a)(cn~x", "(objectClass", "Wri&(ters!"}

// fatal is what both testing.T and rapid.T are.
type fatal interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// injecting is a domain with one bystander.
type injecting struct {
	domain
	t    *testing.T
	tg   *Target
	was  string
	done int
	// units are all texts by which a container was asked for. Some are the same one to
	// the server, and it is called as it was when it was made.
	units []string
}

func injected(t *testing.T, d domain) *injecting {
	cfg := d.cfg(t)
	cfg.Containers, cfg.WithoutPassword = create, withRandom
	x := &injecting{domain: d, t: t, tg: newTarget(t, cfg)}
	if _, err := x.tg.Create(t.Context(), "bystander", []target.Value{{Name: "userPrincipalName", Values: []string{"bystander@lab.example"}}}, "m"); err != nil {
		t.Fatal(err)
	}
	x.was = x.everything()
	return x
}

// everything is all there is, but for what the domain counts by itself.
func (x *injecting) everything() string {
	var b strings.Builder
	for _, e := range x.all(x.t) {
		if slices.Contains(e.Get("objectClass"), "organizationalUnit") { // some are made
			continue
		}
		var lines []string
		for _, a := range e.Attrs {
			switch strings.ToLower(a.Name) {
			case "usnchanged", "whenchanged", "modifytimestamp", "modifiersname", "entrycsn", "dscorepropagationdata":
			default:
				lines = append(lines, a.Name+"="+strings.Join(a.Values, "&"))
			}
		}
		slices.Sort(lines)
		b.WriteString("\n" + e.DN + "|" + strings.Join(lines, "|"))
	}
	return b.String()
}

// apart are the lines that one of the two has.
func apart(a, b string) (out []string) {
	in, of := strings.Split(a, "\n"), strings.Split(b, "\n")
	for _, line := range slices.Concat(in, of) {
		if !slices.Contains(in, line) || !slices.Contains(of, line) {
			out = append(out, line)
		}
	}
	return out
}

// one makes, finds, renames, changes and deletes an account of hostile texts.
func (x *injecting) one(rt fatal, draw func(label string) string) {
	t, tg, ctx := x.t, x.tg, x.t.Context()
	name, cn, sn, mark, unit, upn, password := draw("name"), draw("cn"), draw("sn"), draw("mark"), draw("unit"), draw("upn"), draw("password")
	group := hostileGroups[len(draw("group"))%len(hostileGroups)]
	x.units = append(x.units, unit)
	refused := func(err error) bool {
		if c := target.ClassOf(err); err != nil && c != target.Refused && c != target.Exists {
			rt.Fatalf("class %v: %v", c, err)
		}
		return err != nil
	}
	find := func() *ldif.Entry {
		for _, e := range x.all(t) {
			if slices.Contains(e.Get("objectClass"), "user") && e.Get(samAccountName)[0] != "bystander" {
				return &e
			}
		}
		return nil
	}
	made := func(name, cn string) (target.Ref, bool) {
		ref, err := tg.Create(ctx, name, []target.Value{{Name: "cn", Values: []string{cn}}, {Name: "sn", Values: []string{sn}}, {Name: userPrincipalName, Values: []string{upn}},
			{Name: "container", Values: []string{"OU=" + identity.EscapeValue(unit) + "," + inAccounts}}}, mark)
		if refused(err) {
			if now := x.everything(); now != x.was {
				rt.Fatalf("refused, and something has changed: %v\n%q", err, apart(x.was, now))
			}
			return ref, false
		}
		return ref, true
	}
	if e := find(); e != nil { // of a case that failed
		if err := tg.Delete(ctx, target.Ref{ID: target.NativeID(guidText(e.Get(objectGUID)[0]))}); err != nil {
			rt.Fatal(err)
		}
	}
	ref, ok := made(name, cn)
	for _, other := range []struct{ name, cn string }{{"plain", cn}, {name, "plain"}} {
		if !ok {
			name, cn = other.name, other.cn
			ref, ok = made(name, cn)
		}
	}
	if !ok {
		return
	}
	x.done++
	for _, m := range []target.Match{{Attribute: samAccountName, Value: name}, {Attribute: "cn", Value: cn}, {Attribute: "sn", Value: sn}, {Attribute: userPrincipalName, Value: upn}} {
		o, err := tg.Look(ctx, target.Scope{Attributes: []string{"sn"}, Entitlements: []string{group}}, []target.Query{{Match: []target.Match{m}}, {ID: ref.ID}})
		if err != nil {
			rt.Fatal(err)
		}
		if len(o[0].Accounts) != 1 || o[0].Accounts[0].ID != ref.ID || len(o[1].Accounts) != 1 {
			rt.Fatalf("%s=%q finds %+v", m.Attribute, m.Value, o)
		}
	}
	next := draw("next name")
	if moved, err := tg.Rename(ctx, ref, next); !refused(err) {
		ref, name = moved, next
		if len(find().Get("cn")) == 1 && find().Get("cn")[0] == next { // it followed
			cn = next
		}
	}
	if errs := tg.Grant(ctx, group, []target.Ref{ref}); errs != nil {
		rt.Fatal(errs)
	}
	for attribute, to := range map[string]*string{"cn": &cn, "sn": &sn, userPrincipalName: &upn} {
		if other := draw("next " + attribute); !refused(tg.Update(ctx, ref, []target.Value{{Name: attribute, Values: []string{other}}})) {
			*to = other
		}
	}
	e := find()
	if e == nil {
		rt.Fatal("it is not there")
	}
	for attribute, want := range map[string]string{"cn": cn, "sn": sn, "employeeNumber": mark, samAccountName: name, userPrincipalName: upn, userAccountControl: "512"} {
		if got := e.Get(attribute); !slices.Equal(got, []string{want}) {
			rt.Fatalf("%s is %q, want %q", attribute, got, want)
		}
	}
	dn := identity.MustDN(e.DN)
	if up := dn.Parent(); !up.Parent().Equal(identity.MustDN(inAccounts)) || len(up.RDN()) != 1 || len(dn.RDN()) != 1 || dn.RDN()[0].Value != cn || !slices.Contains(x.units, up.RDN()[0].Value) {
		rt.Fatalf("it is %s, cn %q, unit %q", e.DN, cn, unit)
	}
	for _, g := range x.all(t) {
		if in := slices.ContainsFunc(g.Get("member"), func(m string) bool { return identity.MustDN(m).Equal(dn) }); slices.Contains(g.Get("objectClass"), "group") && in != slices.Contains(g.Get(samAccountName), group) {
			rt.Fatalf("%s has %q, granted was %q", g.DN, g.Get("member"), group)
		}
	}
	password = "Aa1-" + strings.Map(func(r rune) rune { return min(max(r, ' '), '~') }, password) // rosterd makes no others
	if err := tg.SetPassword(ctx, ref, target.Password{Text: secret.NewText(password)}); !refused(err) {
		if in, _ := login(t, x, e.DN, password); !in {
			rt.Fatalf("the password %q does not work", password)
		}
	}
	if errs := tg.Revoke(ctx, group, []target.Ref{ref}); errs != nil {
		rt.Fatal(errs)
	}
	if err := tg.Delete(ctx, ref); err != nil {
		rt.Fatal(err)
	}
	if now := x.everything(); now != x.was {
		rt.Fatalf("something else has changed: %q", apart(x.was, now))
	}
}

// TestInjection: whatever stands in an attribute of a person arrives as that, byte for
// byte, or is refused whole. A few cases here; many on Samba in make test-servers.
func TestInjection(t *testing.T) {
	x := injected(t, embed(t, hostileGroups...))
	for seed := range 30 {
		at := 100 * seed
		x.one(t, func(string) string {
			at++
			return hostile.Example(at)
		})
	}
	if x.done < 10 {
		t.Errorf("only %d of 30 were not refused", x.done)
	}
}
