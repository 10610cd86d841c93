package ldap

import (
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

func in(container string) target.Value {
	return target.Value{Name: "container", Values: []string{container}}
}

// where is the DN of the parent that a look and a listing show; "" for none.
func where(t *testing.T, tg *Target, ref target.Ref) string {
	t.Helper()
	scope := target.Scope{Attributes: []string{"cn", "container"}, Entitlements: []string{"Writers"}}
	o, err := tg.Look(t.Context(), scope, []target.Query{{ID: ref.ID}})
	if err != nil || len(o[0].Accounts) != 1 {
		t.Fatal(o, err)
	}
	l, err := target.Collect(t.Context(), tg, scope)
	if err != nil {
		t.Fatal(err)
	}
	looked, listed := o[0].Accounts[0].Attributes["container"], l.Look(target.Query{ID: ref.ID}).Accounts[0].Attributes["container"]
	if !slices.Equal(looked, listed) {
		t.Fatalf("a look shows the container %q, a listing %q", looked, listed)
	}
	return strings.Join(looked, "|")
}

// TestContainer: an account is made where the attribute says, moved when it says
// otherwise, and its memberships stay; a closed one has no container, and comes back.
func TestContainer(t *testing.T) { containers(t, startSlapd(t)) }

func containers(t *testing.T, f *field) {
	c := f.corner(t, entries.StyleMember, byMove, "Writers")
	tg, ctx := c.target(t), t.Context()
	team, sub := "ou="+identity.EscapeValue(`Berlin, "Süd"`)+","+c.accounts, "ou=sub,"+c.accounts
	create := func(name string, v target.Value) (target.Ref, error) {
		return tg.Create(ctx, name, append(person("x"), v), "mark")
	}
	// What lies elsewhere, or is not there, is refused before anything is written.
	before := c.writes()
	for text, want := range map[string]string{
		c.groups: "does not lie within", c.left: "does not lie within", "ou=sub": "does not lie within", "sub": "", "": "",
		"ou= ,ou=x," + c.accounts: "without a value", "ou=x+l=\\20," + c.accounts: "without a value",
	} {
		if _, err := create("writer1", in(text)); target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), want) {
			t.Errorf("in %q: class %v, %v", text, target.ClassOf(err), err)
		}
	}
	if _, err := create("writer1", target.Value{Name: "Container", Values: []string{sub, c.accounts}}); target.ClassOf(err) != target.Refused {
		t.Errorf("in two: %v", err)
	}
	if n := c.writes() - before; n != 0 {
		t.Errorf("%d writes for what is refused", n)
	}
	if _, err := create("writer1", in("ou=Presse,"+team)); target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), identity.MustDN(team).String()) || !strings.Contains(hintOf(err), `containers = "create"`) {
		t.Errorf("in one that is not there: class %v, %v, hint %q", target.ClassOf(err), err, hintOf(err))
	}
	ref, err := create("writer1", in("OU=Sub, "+c.accounts))
	if err != nil {
		t.Fatal(err)
	}
	if got := where(t, tg, ref); !tg.Describe().Equal("container", []string{got}, []string{sub}) || tg.Describe().Equal("container", []string{got}, []string{c.accounts}) {
		t.Fatalf("made in %q", got)
	}
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
		t.Fatal(errs)
	}
	move := func(to string, writes int) error {
		t.Helper()
		before := c.writes()
		err := tg.Update(ctx, ref, []target.Value{in(to)})
		if n := c.writes() - before; err == nil && n > writes {
			t.Errorf("%d writes for a move to %s", n, to)
		}
		return err
	}
	still := func(at string) {
		t.Helper()
		a := c.read(t)
		if len(a) != 1 || a[0].ID != ref.ID || !slices.Equal(a[0].Entitlements, []string{"Writers"}) || !identity.MustDN(where(t, tg, ref)).Equal(identity.MustDN(at)) {
			t.Fatalf("after the move to %s: %+v", at, a)
		}
	}
	// Where it is already, in another spelling.
	if err := move("OU = SUB,"+strings.ToUpper(c.accounts), 0); err != nil {
		t.Fatal(err)
	}
	if err := move(c.accounts, 2); err != nil {
		t.Fatal(err)
	}
	still(c.accounts)
	for _, to := range []string{c.left, c.groups, "ou=nowhere," + c.accounts} {
		if err := move(to, 0); target.ClassOf(err) != target.Refused {
			t.Errorf("a move to %s: class %v, %v", to, target.ClassOf(err), err)
		}
	}
	still(c.accounts)
	// What is missing is made, from the top, and nothing but units are.
	c.cfg.Containers = "create"
	tg = c.target(t)
	if err := move("ou=Presse,"+team, 5); err != nil {
		t.Fatal(err)
	}
	still("ou=Presse," + team)
	if made := c.search(t, team, "(objectClass=organizationalUnit)", "ou"); len(made) != 2 || made[0].Get("ou")[0] != `Berlin, "Süd"` {
		t.Errorf("made: %+v", made)
	}
	for _, to := range []string{"l=Berlin," + c.accounts, "ou=a+l=b," + c.accounts, "ou=x,l=Berlin," + c.accounts} {
		if err := move(to, 0); target.ClassOf(err) != target.Refused || !strings.Contains(err.Error(), "organizational units only") {
			t.Errorf("a move to %s: class %v, %v", to, target.ClassOf(err), err)
		}
	}
	// Closed, it is where the closed ones are, and nothing takes it from there.
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if got := where(t, tg, ref); got != "" {
		t.Errorf("a closed account shows the container %q", got)
	}
	if err := move(sub, 0); target.ClassOf(err) != target.Refused || c.read(t)[0].Enabled {
		t.Errorf("a move of a closed account: class %v, %v", target.ClassOf(err), err)
	}
	if err := tg.Enable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if err := move(sub, 2); err != nil {
		t.Fatal(err)
	}
	still(sub)
	if other, err := create("writer2", in("ou=New,ou=Newer,"+c.accounts)); err != nil || !strings.HasPrefix(where(t, tg, other), "ou=New,") {
		t.Errorf("in a new one: %v", err)
	}
}
