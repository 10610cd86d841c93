package ldap

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

func TestDisableIsAWordOrATable(t *testing.T) {
	for _, c := range []struct {
		data any
		want Disable
		err  string
	}{
		{"nsAccountLock", Disable{Preset: NSAccountLock, Attribute: "nsAccountLock", Disabled: "true"}, ""},
		{"ppolicy", Disable{Preset: PPolicy, Attribute: "pwdAccountLockedTime", Disabled: "000001010000Z"}, ""},
		{map[string]any{"attribute": "a", "disabled": "b", "enabled": "c"}, Disable{Attribute: "a", Disabled: "b", Enabled: "c"}, ""},
		{map[string]any{"move_to": "ou=x"}, Disable{MoveTo: "ou=x"}, ""},
		{"nsaccountlock", Disable{}, "not a way to close"},
		{map[string]any{"attribut": "a"}, Disable{}, `no key "attribut"`},
		{map[string]any{"attribute": int64(1)}, Disable{}, "must be a text"},
		{int64(1), Disable{}, "a word or a table"},
	} {
		d := Disable{MoveTo: "of another file"}
		err := d.UnmarshalTOML(c.data)
		if c.err == "" && (err != nil || d != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(hintOf(err), "ppolicy")) {
			t.Errorf("%v: %+v, %v (%s)", c.data, d, err, hintOf(err))
		}
	}
}

// login says whether somebody gets in.
func (f *field) login(t *testing.T, dn, password string) bool {
	t.Helper()
	conn, err := ldapwire.Dial(t.Context(), ldapwire.Config{URLs: []string{f.TLSURL()}, CAFile: f.ca, BindDN: dn, Password: func() (string, error) { return password, nil }})
	if err == nil {
		return conn.Close() == nil
	}
	if !errors.Is(err, ldapwire.ErrInvalidCredentials) && !errors.Is(err, ldapwire.ErrUnwilling) {
		t.Fatal(err)
	}
	return false
}

func (c *corner) check(t *testing.T) []target.Note {
	t.Helper()
	notes, err := c.target(t).Check(t.Context(), target.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	return notes
}

func says(notes []target.Note, broken bool, text string) bool {
	return slices.ContainsFunc(notes, func(n target.Note) bool {
		return n.Broken == broken && strings.Contains(n.Text, text) && n.Hint != ""
	})
}

// TestPPolicy: who is closed does not get in, however often they try and how long
// they wait, and a lock that passes closes nobody.
func TestPPolicy(t *testing.T) {
	f := startSlapd(t, "ppolicy")
	c := f.corner(t, entries.StyleMember, presets[PPolicy])
	tg, ctx, dn := c.target(t), t.Context(), "uid=writer1,"+c.accounts
	ref := mustCreate(t, tg, "writer1")
	if err := c.Modify("dn: " + dn + "\nchangetype: modify\nadd: userPassword\nuserPassword: long enough\n"); err != nil {
		t.Fatal(err)
	}
	enabled := func() bool {
		t.Helper()
		o, err := tg.Look(ctx, target.Scope{}, []target.Query{{ID: ref.ID}})
		if err != nil || len(o[0].Accounts) != 1 {
			t.Fatal(o, err)
		}
		return o[0].Accounts[0].Enabled
	}
	tries := func() {
		for range 4 {
			f.login(t, dn, "wrong")
		}
	}
	tries()
	if f.login(t, dn, "long enough") || !enabled() {
		t.Fatalf("a lock that passes: enabled is %v", enabled())
	}
	if err := tg.Disable(ctx, ref); err != nil {
		t.Fatal(err)
	}
	tries()
	time.Sleep(1100 * time.Millisecond)
	if f.login(t, dn, "long enough") || enabled() {
		t.Fatalf("closed, and gets in; enabled is %v", enabled())
	}
	if err := tg.Enable(ctx, ref); err != nil || !f.login(t, dn, "long enough") || !enabled() {
		t.Fatalf("open, and does not get in: %v", err)
	}
	// What check can see.
	if notes := c.check(t); !says(notes, false, "cannot be seen") {
		t.Errorf("policies that are hidden: %+v", notes)
	}
	see := `to dn.subtree="ou=policies,` + suffix + `" by * read`
	if err := f.slapd.SetAccess(append([]string{`to dn.base="` + suffix + `" by * read`, see}, rights...)...); err != nil {
		t.Fatal(err)
	}
	if notes := c.check(t); !slices.ContainsFunc(notes, func(n target.Note) bool { return strings.Contains(n.Text, "1 of 1 password policies") }) {
		t.Errorf("a policy that locks: %+v", notes)
	}
	if err := c.Modify("dn: " + defaultPolicy + "\nchangetype: modify\nreplace: pwdLockout\npwdLockout: FALSE\n"); err != nil {
		t.Fatal(err)
	}
	if notes := c.check(t); !says(notes, true, "would close nobody") {
		t.Errorf("a policy that does not lock: %+v", notes)
	}
	c.cfg.Disable = presets[NSAccountLock]
	if notes := c.check(t); !says(notes, true, "closes nobody on OpenLDAP") {
		t.Errorf("the lock of another server: %+v", notes)
	}
	c = startSlapd(t).corner(t, entries.StyleMember, presets[PPolicy])
	if notes := c.check(t); !says(notes, true, "no overlay ppolicy") {
		t.Errorf("without the overlay: %+v", notes)
	}
}
