//go:build servers

package ad

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// TestSambaWithoutPassword: an account is open from its first moment, with a password
// that nobody knows; or by smart card alone.
func TestSambaWithoutPassword(t *testing.T) {
	t.Parallel()
	s := startSamba(t)
	for without, want := range map[string]string{withRandom: "512", withSmartcard: "262656"} {
		cfg := s.cfg(t)
		cfg.WithoutPassword = without
		tg := newTarget(t, cfg)
		ref := mustCreate(t, tg, "by-"+without)
		x := entryOf(t, s, ref.ID)
		if got := x.Get(userAccountControl)[0]; got != want || x.Get(pwdLastSet)[0] == "0" {
			t.Errorf("%s: the bits are %s, the password was set at %s", without, got, x.Get(pwdLastSet)[0])
		}
		if a := see(t, tg, target.Scope{}, ref.ID); !a.Enabled {
			t.Errorf("%s: closed", without)
		}
		must(t, tg.Disable(t.Context(), ref))
		must(t, tg.Enable(t.Context(), ref))
		if got := entryOf(t, s, ref.ID).Get(userAccountControl)[0]; got != want {
			t.Errorf("%s: after disabling and enabling the bits are %s", without, got)
		}
	}
	cfg := s.cfg(t)
	tg := newTarget(t, cfg)
	ref := mustCreate(t, tg, "closed")
	if a := see(t, tg, target.Scope{}, ref.ID); a.Enabled {
		t.Error("made open, without a password")
	}
	// The first password of a new account, which is to be changed.
	first := mustCreate(t, tg, "first")
	must(t, tg.SetPassword(t.Context(), first, target.Password{Text: secret.NewText("Canary-One.4711"), MustChange: true}))
	must(t, tg.Enable(t.Context(), first))
	if in, change := login(t, s, entryOf(t, s, first.ID).DN, "Canary-One.4711"); in || !change {
		t.Errorf("in is %v, must change is %v", in, change)
	}
	// Samba opens it all the same, where Microsoft's refuses (0000052D). Nobody gets in.
	must(t, tg.Enable(t.Context(), ref))
	if in, _ := login(t, s, entryOf(t, s, ref.ID).DN, bindPW); in {
		t.Error("somebody logged in without a password having been set")
	}
}

// TestSambaRules: what a controller keeps to, and how it is told.
func TestSambaRules(t *testing.T) {
	t.Parallel()
	s := startSamba(t)
	cfg := s.cfg(t)
	cfg.WithoutPassword = withRandom
	cfg.Containers = create
	tg := newTarget(t, cfg)
	ctx := t.Context()
	one := mustCreate(t, tg, "writer1", value(userPrincipalName, "one@lab.example"), value("cn", `Ada "A", *Writer* (1)`))
	s.add(t, "CN=Outsider,CN=Users,"+suffix, map[string][]string{"objectClass": {"user"}, samAccountName: {"writer9"}, userPrincipalName: {"nine@lab.example"}})

	// The look before finds it; and where that is blind the controller says it.
	for _, domain := range []bool{true, false} {
		blind := cfg
		tg := newTarget(t, blind)
		if !domain {
			tg = blindTarget(t, blind)
		}
		for name, c := range map[string]struct {
			name string
			set  []target.Value
			want target.Class
		}{
			"a name elsewhere":  {"writer9", nil, target.Exists},
			"a name here":       {"Writer1", nil, target.Exists},
			"userPrincipalName": {"writer2", []target.Value{value(userPrincipalName, "NINE@lab.example")}, target.Refused},
			"a title":           {"writer3", []target.Value{value("cn", `Ada "A", *Writer* (1)`)}, target.Refused},
		} {
			if name == "a title" && !domain {
				continue // another place
			}
			_, err := tg.Create(ctx, c.name, c.set, "")
			if target.ClassOf(err) != c.want || c.want == target.Refused && hint(err) == "" {
				t.Errorf("%s, looked before %v: class %v: %v, hint %q", name, domain, target.ClassOf(err), err, hint(err))
			}
		}
	}

	// Signs in the name of an entry are no signs of a filter.
	two := mustCreate(t, tg, "writer2", value("cn", "*"))
	must(t, errors.Join(tg.Grant(ctx, "Writers", []target.Ref{one})...))
	must(t, errors.Join(tg.Grant(ctx, "Writers", []target.Ref{two})...))
	scope := target.Scope{Attributes: []string{"cn", "container"}, Entitlements: three}
	for _, ref := range []target.Ref{one, two} {
		if a := see(t, tg, scope, ref.ID); !slices.Equal(a.Entitlements, []string{"Writers"}) {
			t.Errorf("%s holds %q", a.Name, a.Entitlements)
		}
	}

	// Another title, another container that is made, and the memberships stay.
	must(t, tg.Update(ctx, one, []target.Value{value("cn", "Ada B")}))
	s.paste(t, 1)
	must(t, tg.Update(ctx, one, []target.Value{value("container", "OU=north,OU=sub,"+inAccounts)}))
	a := see(t, tg, scope, one.ID)
	if !strings.EqualFold(a.Reference, "CN=Ada B,OU=north,OU=sub,"+inAccounts) || !slices.Equal(a.Entitlements, []string{"Writers"}) {
		t.Errorf("after the move: %+v", a)
	}

	// The primary group.
	if _, err := s.Shell("samba-tool group addmembers Readers writer1"); err != nil {
		t.Fatal(err)
	}
	rid := s.rid(t, "Readers")
	s.set(t, entryOf(t, s, one.ID).DN, primaryGroupID, rid)
	if a := see(t, tg, scope, one.ID); !slices.Equal(a.Entitlements, []string{"Readers", "Writers"}) {
		t.Errorf("with the primary group: %q", a.Entitlements)
	}
	listing, err := target.Collect(ctx, tg, scope)
	must(t, err)
	if a := listing.Look(target.Query{ID: one.ID}).Accounts; len(a) != 1 || !slices.Equal(a[0].Entitlements, []string{"Readers", "Writers"}) {
		t.Errorf("in the listing: %+v", a)
	}
	if errs := tg.Revoke(ctx, "Readers", []target.Ref{one}); len(errs) != 1 || target.ClassOf(errs[0]) != target.Refused {
		t.Errorf("the primary group was revoked: %v", errs)
	}

	// Who becomes an administrator is protected, once the domain has noticed.
	s.set(t, entryOf(t, s, two.ID).DN, adminCount, "1")
	if a := see(t, tg, scope, two.ID); !a.Protected {
		t.Error("not protected")
	}
	if err := tg.Update(ctx, one, []target.Value{value("manager", "CN=nobody,"+suffix)}); target.ClassOf(err) != target.Refused {
		t.Errorf("a manager who is not there: class %v, %v", target.ClassOf(err), err)
	}
}

// TestSambaCheckOfRights: check says what the bind user may not do, before anything
// fails, and what fails is denied.
func TestSambaCheckOfRights(t *testing.T) {
	t.Parallel()
	s := startSamba(t)
	scope := target.Scope{Entitlements: three}
	notes := func(cfg Config) string {
		t.Helper()
		list, err := newTarget(t, cfg).Check(t.Context(), scope)
		must(t, err)
		var out []string
		for _, n := range list {
			if n.Broken || strings.Contains(n.Text, "may not") {
				out = append(out, n.Text+" ("+n.Hint+")")
			}
		}
		return strings.Join(out, "; ")
	}
	cfg := s.cfg(t)
	if got := notes(cfg); got != "" {
		t.Errorf("with the rights: %s", got)
	}
	if _, err := s.Shell("samba-tool user create powerless " + bindPW); err != nil {
		t.Fatal(err)
	}
	cfg.BindDN, cfg.Password, cfg.WithoutPassword = `LAB\powerless`, passwordFile(t, bindPW), withRandom
	if got := notes(cfg); !strings.Contains(got, "may not make users in "+inAccounts) || !strings.Contains(got, "members of 3 of 3 groups") {
		t.Errorf("without: %s", got)
	}
	if _, err := newTarget(t, cfg).Create(t.Context(), "writer1", nil, ""); target.ClassOf(err) != target.Denied || !strings.Contains(hint(err), "active-directory.md") {
		t.Errorf("created without the right: class %v, %v, hint %q", target.ClassOf(err), err, hint(err))
	}
	ref := mustCreate(t, newTarget(t, s.cfg(t)), "writer2")
	weak := newTarget(t, cfg)
	for i, err := range []error{weak.Disable(t.Context(), ref), weak.Enable(t.Context(), ref), errors.Join(weak.Grant(t.Context(), "Writers", []target.Ref{ref})...), weak.Delete(t.Context(), ref)} {
		if i > 0 && target.ClassOf(err) != target.Denied {
			t.Errorf("write %d without the right: class %v, %v", i, target.ClassOf(err), err)
		}
	}
	cfg.Password = passwordFile(t, "wrong")
	if _, err := newTarget(t, cfg).Identity(t.Context()); target.ClassOf(err) != target.Denied || hint(err) == "" {
		t.Errorf("a wrong password: class %v, %v", target.ClassOf(err), err)
	}
}
