package scim

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
)

// TestLawsOnEveryServer holds the promises of a target against each way in which a
// server errs: what it says was done was done, and nobody else was touched.
func TestLawsOnEveryServer(t *testing.T) {
	for _, d := range scimd.Modes() {
		t.Run(string(d.Mode), func(t *testing.T) {
			t.Parallel()
			sweep(t, d.Mode)
		})
	}
}

func sweep(t *testing.T, mode scimd.Mode) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := scimd.New(scimd.Options{Token: testToken, PageSize: 10, ETags: true, Paging: "both", Slow: 100 * time.Millisecond, Elsewhere: "http://127.0.0.1:1"})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var others []string
	for i := range 33 {
		others = append(others, s.Add(scimd.Users, scimd.Resource{"userName": fmt.Sprintf("other%02d", i), "active": true, "displayName": "x"}))
	}
	members := []any{}
	for _, id := range others[:25] {
		members = append(members, map[string]any{"value": id})
	}
	g := s.Add(scimd.Groups, scimd.Resource{"displayName": "Writers", "members": members})
	s.Turn(mode)
	cfg := Config{URL: server.URL, Token: tokenFile(t, testToken), IdleTimeout: span.Duration(50 * time.Millisecond)}
	now := clock.NewFake(noon)
	w, err := newTarget(cfg, "wiki", now)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer moving(now)()
	scope := target.Scope{Attributes: []string{"displayName", "title"}, Entitlements: []string{"Writers"}}
	var said []string
	say := func(what string, err error) {
		if err != nil {
			said = append(said, fmt.Sprintf("%s: %s: %v", what, target.ClassOf(err), err))
		}
		if err != nil && strings.Contains(err.Error(), testToken) {
			t.Errorf("%s: the token is shown: %v", what, err)
		}
	}
	in := func() []string {
		r, _ := s.Get(scimd.Groups, g)
		return r.Members()
	}

	// A listing is complete, or none.
	l, err := target.Collect(ctx, w, scope)
	say("list", err)
	if err == nil && len(l.Accounts()) != 33 && mode != scimd.InactiveHidden {
		t.Errorf("listed %d of 33", len(l.Accounts()))
	}
	// Nobody is found who was not asked for.
	o, err := w.Look(ctx, scope, []target.Query{{Match: []target.Match{{Attribute: "userName", Value: "nobody"}}}, {ID: "no-such-id"}})
	say("look", err)
	if err == nil && len(o[0].Accounts)+len(o[1].Accounts) > 0 {
		t.Errorf("found %+v", o)
	}
	var refs []target.Ref
	for i := range 6 {
		name := fmt.Sprintf("writer%d", i)
		ref, err := w.Create(ctx, name, []target.Value{{Name: "displayName", Values: []string{"Writer"}}}, "rosterd:x:"+name)
		say("create", err)
		if err != nil {
			continue
		}
		u, there := s.Get(scimd.Users, string(ref.ID))
		if !there || !strings.EqualFold(u.Text("userName"), name) {
			t.Errorf("created %+v, which is %v", ref, u)
		}
		refs = append(refs, ref)
	}
	if len(refs) > 0 {
		errs := w.Grant(ctx, "Writers", refs)
		for i := range errs {
			say("grant", errs[i])
		}
		errs = w.Revoke(ctx, "Writers", refs)
		for i := range errs {
			say("revoke", errs[i])
		}
		// Who is called out of the group is out of it, or seen in it.
		seen, err := w.Look(ctx, scope, []target.Query{{ID: refs[0].ID}})
		say("look after", err)
		for i, r := range refs {
			if (errs == nil || errs[i] == nil) && slices.Contains(in(), string(r.ID)) && (err == nil && i == 0 && len(seen[0].Accounts) == 1 && len(seen[0].Accounts[0].Entitlements) == 0) {
				t.Errorf("%s is in the group, and called out of it", r.Name)
			}
		}
		err = w.Update(ctx, refs[0], []target.Value{{Name: "title", Values: []string{"Chief"}}})
		say("update", err)
		err = w.Disable(ctx, refs[0])
		say("disable", err)
		if u, there := s.Get(scimd.Users, string(refs[0].ID)); err == nil && there && u["active"] != false {
			t.Errorf("called closed, and is %v", u["active"])
		}
		say("enable", w.Enable(ctx, refs[0]))
		now, err := w.Rename(ctx, refs[0], "renamed")
		say("rename", err)
		if err == nil {
			if o, err := w.Look(ctx, scope, []target.Query{{ID: now.ID}}); err == nil && len(o[0].Accounts) == 0 {
				t.Error("renamed, and not found by the ID that was told")
			}
		}
		say("delete", w.Delete(ctx, refs[len(refs)-1]))
	}
	// Others are as they were.
	missing := 0
	for _, id := range others[:25] {
		if !slices.ContainsFunc(in(), func(m string) bool { return strings.EqualFold(m, id) }) {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d others lost the group", missing)
	}
	for i, id := range others {
		u, there := s.Get(scimd.Users, id)
		if !there || u.Text("userName") != fmt.Sprintf("other%02d", i) || u["active"] != true || u.Text("displayName") != "x" {
			t.Errorf("other %d is %v", i, u)
		}
	}
	if n := s.Writes(); n > 60 {
		t.Errorf("%d writes", n)
	}
	if len(said) > 12 {
		said = append(said[:12], "…")
	}
	t.Logf("%d requests, %d writes\n%s", len(s.Requests()), s.Writes(), strings.Join(said, "\n"))
}
