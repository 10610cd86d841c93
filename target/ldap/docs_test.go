package ldap

import (
	"os"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// block is the piece of the page between fences that begins so.
func block(t *testing.T, begins string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/targets/ldap.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "```\n"+begins)
	if !found {
		_, text, found = strings.Cut(string(page), "```ldif\n"+begins)
	}
	text, _, closed := strings.Cut(text, "```")
	if !found || !closed {
		t.Fatalf("the page has no block that begins %q", begins)
	}
	return begins + text
}

// TestRightsOfThePage: with the lines of the page, as they stand, and with no others, a
// target does all that it can.
func TestRightsOfThePage(t *testing.T) {
	f := startSlapd(t)
	var clauses []string
	for line := range strings.Lines(block(t, "access to")) {
		clauses = append(clauses, strings.TrimPrefix(strings.TrimSpace(line), "access "))
	}
	clauses = append(clauses, "to attrs=userPassword by anonymous auth by * none")
	if err := f.slapd.SetAccess(clauses...); err != nil {
		t.Fatal(err)
	}
	life(t, f)
}

// life is all that a target does, where the page has its containers.
func life(t *testing.T, f *field) {
	c := &corner{field: f, base: suffix, accounts: "ou=accounts," + suffix, left: "ou=left," + suffix, groups: "ou=groups," + suffix}
	if err := f.Modify(ou(c.accounts) + ou(c.left) + ou(c.groups) + "dn: cn=Writers," + c.groups + "\nobjectClass: groupOfNames\ncn: Writers\nmember: cn=nobody\n"); err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/password"
	write(t, path, "let me in")
	c.cfg = Config{URLs: []string{f.TLSURL()}, CAFile: f.ca, IDAttribute: f.id, BindDN: "cn=rosterd," + suffix, Password: secret.File(path), Base: c.accounts, Containers: create,
		ObjectClasses: []string{"inetOrgPerson"}, Disable: Disable{MoveTo: c.left}, Mark: "employeeNumber", Groups: Groups{Base: c.groups, Style: entries.StyleMember}}
	tg, ctx := c.target(t), t.Context()
	ok := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err, hintOf(err))
			}
		}
	}
	if _, err := tg.Identity(ctx); err != nil {
		t.Fatal(err)
	}
	ref, err := tg.Create(ctx, "writer1", append(person("x"), in("ou=staff,"+c.accounts)), "mark")
	ok(err)
	ok(tg.Update(ctx, ref, []target.Value{{Name: "title", Values: []string{"Writer"}}, in("ou=press," + c.accounts)}), tg.Link(ctx, ref, "another"))
	ok(tg.Grant(ctx, "Writers", []target.Ref{ref})...)
	ok(tg.SetPassword(ctx, ref, target.Password{Text: secret.NewText("long enough")}))
	if !f.login(t, "uid=writer1,ou=press,"+c.accounts, "long enough") {
		t.Error("the password does not work")
	}
	ref, err = tg.Rename(ctx, ref, "writer2")
	ok(err)
	ok(tg.Disable(ctx, ref), tg.Enable(ctx, ref))
	l, err := target.Collect(ctx, tg, target.Scope{Attributes: []string{"container", "title"}, Entitlements: []string{"Writers"}})
	ok(err)
	if a := l.Accounts(); len(a) != 1 || a[0].Name != "writer2" || a[0].Mark != "another" || len(a[0].Entitlements) != 1 || len(a[0].Attributes) != 2 {
		t.Fatalf("%+v", a)
	}
	notes, err := tg.Check(ctx, target.Scope{Entitlements: []string{"Writers"}})
	ok(err)
	for _, n := range notes {
		if n.Broken {
			t.Errorf("check: %+v", n)
		}
	}
	// No right to more than that: not to what a password is stored as.
	seen, err := f.SearchAs("cn=rosterd,"+suffix, "let me in", c.accounts, "sub", "(uid=writer2)", "userPassword", "title")
	if err != nil || len(seen) != 1 || seen[0].Get("title") == nil || seen[0].Get("userPassword") != nil {
		t.Errorf("it sees %+v, %v", seen, err)
	}
	ok(tg.Revoke(ctx, "Writers", []target.Ref{ref})...)
	ok(tg.Delete(ctx, ref))
}
