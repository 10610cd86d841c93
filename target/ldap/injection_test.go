package ldap

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// hostile are texts that mean something somewhere: in a name, in a filter, in LDIF, to
// a terminal, to a program in C.
var hostile = rapid.OneOf(
	rapid.StringMatching(`[a*()\\,+"<>;=# \x00\n\r&|!~:/-]{1,10}`),
	rapid.SampledFrom([]string{
		"*)(uid=*", "x)(|(objectClass=*", `\2a`, `\00`, "a,ou=groups", "a+cn=Admins", "#04024869", " lead", "trail ", `"quoted"`, "a\\", "<GUID=00>",
		"a\ndn: cn=x\nchangetype: delete", ":: aGk=", "< file:///etc/passwd", "a\n-\nreplace: sn", "\u202egnp.exe", "a\u200bb", "e\u0301", "ﬁ", "İ", "\ufeff", "a\x00b", "\x7f\x1b[2J", "${person.mail}", "$(id)", "🙂", "ß",
	}),
	rapid.StringN(1, 12, 40),
)

// TestInjection: whatever stands in an attribute of a person arrives as that, byte for
// byte, or is refused whole: in the name, the container, attributes, the mark, a
// group, a match and a password. A few cases here; many in make test-servers.
func TestInjection(t *testing.T) {
	c := injected(startSlapd(t).corner(t, entries.StyleMember, byAttribute, hostileGroups...), t)
	for seed := range 15 {
		at := 100 * seed
		c.one(t, func(string) string {
			at++
			return hostile.Example(at)
		})
	}
	c.end(5)
}

// fatal is what both testing.T and rapid.T are.
type fatal interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

var hostileGroups = []string{"Writers", "*", "a)(cn=*", `x,ou="y"`, " lead\\"}

// injecting is a corner with one bystander.
type injecting struct {
	*corner
	t         *testing.T
	tg        *Target
	bystander target.Ref
	was       string
	done      int
	// units are the texts by which each container was asked for. To the server some are
	// the same one, and it is called as it was when it was made.
	units map[string][]string
}

func injected(c *corner, t *testing.T) *injecting {
	c.cfg.Containers = create
	x := &injecting{corner: c, t: t, tg: c.target(t), units: map[string][]string{}}
	x.bystander = mustCreate(t, x.tg, "bystander")
	x.was = x.everything()
	return x
}

// everything is all there is, but for units that were made below the accounts.
func (x *injecting) everything() string {
	var b strings.Builder
	for _, e := range x.search(x.t, x.base, "(objectClass=*)", "*") {
		if strings.HasPrefix(e.DN, "ou=") && strings.HasSuffix(e.DN, ","+x.accounts) {
			continue
		}
		b.WriteString(e.DN)
		for _, a := range e.Attrs {
			b.WriteString("|" + a.Name + "=" + strings.Join(a.Values, "&"))
		}
	}
	return b.String()
}

// one makes, finds, renames, changes and deletes an account of hostile texts.
func (x *injecting) one(rt fatal, draw func(label string) string) {
	c, t, tg, style := x.corner, x.t, x.tg, x.cfg.Groups.Style
	name, title, sn, mark, unit, password := draw("name"), draw("title"), draw("sn"), draw("mark"), draw("unit"), draw("password")
	group := hostileGroups[len(draw("group"))%len(hostileGroups)]
	ctx := t.Context()
	// refused says whether the server would not have it, and nothing else is the matter.
	refused := func(err error) bool {
		if err != nil && target.ClassOf(err) != target.Refused {
			rt.Fatalf("class %v: %v", target.ClassOf(err), err)
		}
		return err != nil
	}
	find := func() *ldif.Entry {
		for _, e := range c.search(t, c.accounts, "(&(objectClass=inetOrgPerson)(!(uid=bystander)))", "*") {
			return &e
		}
		return nil
	}
	container := target.Value{Name: "container", Values: []string{"ou=" + identity.EscapeValue(unit) + "," + c.accounts}}
	in := identity.MustDN(container.Values[0]).Key()
	x.units[in] = append(x.units[in], unit)
	ref, err := tg.Create(ctx, name, []target.Value{{Name: "cn", Values: []string{"x"}}, {Name: "sn", Values: []string{sn}}, {Name: "title", Values: []string{title}}, container}, mark)
	if refused(err) {
		if x.everything() != x.was {
			rt.Fatalf("refused, and something has changed: %v", err)
		}
		return
	}
	x.done++
	look := func(attribute, value string) {
		o, err := tg.Look(ctx, target.Scope{Attributes: []string{"title"}, Entitlements: []string{group}}, []target.Query{{Match: []target.Match{{Attribute: attribute, Value: value}}}, {ID: ref.ID}})
		if err != nil {
			rt.Fatal(err)
		}
		if len(o[0].Accounts) != 1 || o[0].Accounts[0].ID != ref.ID || len(o[1].Accounts) != 1 {
			rt.Fatalf("%s=%q finds %+v", attribute, value, o)
		}
	}
	look("uid", name)
	look("title", title)
	next := draw("next name")
	moved, err := tg.Rename(ctx, ref, next)
	if !refused(err) {
		ref, name = moved, next
	}
	if errs := tg.Grant(ctx, group, []target.Ref{ref}); errs != nil && (style == entries.StyleMember || !refused(errs[0])) {
		rt.Fatal(errs)
	}
	if other := draw("next title"); !refused(tg.Update(ctx, ref, []target.Value{{Name: "title", Values: []string{other}}})) {
		title = other
	}
	called := func(s string) string { return s }
	if c.slapd == nil { // 389 DS keeps no blanks at the ends of a name that a rename gives
		called = func(s string) string { return strings.Trim(s, " ") }
	}
	e := find()
	if e == nil {
		rt.Fatal("it is not there")
	}
	for attribute, want := range map[string]string{"sn": sn, "title": title, "employeeNumber": mark} {
		if got := e.Get(attribute); !slices.Equal(got, []string{want}) {
			rt.Fatalf("%s is %q, want %q", attribute, got, want)
		}
	}
	if got := e.Get("uid"); len(got) != 1 || called(got[0]) != called(name) {
		rt.Fatalf("uid is %q, want %q", got, name)
	}
	dn := identity.MustDN(e.DN)
	if up := dn.Parent(); !up.Parent().Equal(identity.MustDN(c.accounts)) || len(up.RDN()) != 1 || len(dn.RDN()) != 1 || called(dn.RDN()[0].Value) != called(name) || !slices.Contains(x.units[in], up.RDN()[0].Value) {
		rt.Fatalf("it is %s", e.DN)
	}
	err = tg.SetPassword(ctx, ref, target.Password{Text: secret.NewText(password)})
	if !refused(err) && !c.login(t, e.DN, password) {
		rt.Fatalf("the password %q does not work", password)
	}
	if errs := tg.Revoke(ctx, group, []target.Ref{ref}); errs != nil && !refused(errs[0]) {
		rt.Fatal(errs)
	}
	if err := tg.Delete(ctx, ref); err != nil {
		rt.Fatal(err)
	}
	if now := x.everything(); now != x.was {
		rt.Fatalf("something else has changed:\n%s\n%s", x.was, now)
	}
}

// end: enough were not refused, and the bystander is who they were.
func (x *injecting) end(least int) {
	if x.done < least {
		x.t.Errorf("only %d were not refused", x.done)
	}
	if o, err := x.tg.Look(x.t.Context(), target.Scope{}, []target.Query{{ID: x.bystander.ID}}); err != nil || len(o[0].Accounts) != 1 {
		x.t.Error(o, err)
	}
}
