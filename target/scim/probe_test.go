package scim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/internal/tomltext"
	"github.com/rosterd/rosterd/target"
)

// probed probes a server with strangers and one mode, and holds that it is as it
// was before.
func probed(t *testing.T, o scimd.Options, modes ...scimd.Mode) (Profile, target.Probed, error) {
	t.Helper()
	o.Elsewhere = "http://127.0.0.1:1"
	s := serve(t, o, "Writers")
	for i := range 30 {
		s.Add(scimd.Users, scimd.Resource{"userName": fmt.Sprintf("stranger%02d", i), "active": true, "title": "T"})
	}
	s.Turn(modes...)
	before := s.contents()
	moved := clock.NewFake(noon)
	t.Cleanup(moving(moved))
	cfg := s.cfg
	cfg.IdleTimeout = span.Duration(5 * time.Second)
	w, err := newTarget(cfg, "wiki", moved)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() }) //nolint:errcheck // it cannot fail
	out, err := w.Probe(t.Context(), "rosterd-probe-1", func(string) {})
	if after := s.contents(); !maps.Equal(before, after) {
		keep := map[scimd.Mode]bool{scimd.DeleteIgnored: true, scimd.DeleteRefused: true, scimd.DeleteIsDisable: true, scimd.ForbiddenWrites: true, scimd.UnauthorisedMid: true}
		for name, text := range after {
			if before[name] != text && !(strings.HasPrefix(name, "rosterd-probe-1") && len(modes) > 0 && keep[modes[0]]) {
				t.Errorf("%v: %s was %q and is %q", modes, name, before[name], text)
			}
		}
		for name := range before {
			if _, there := after[name]; !there {
				t.Errorf("%v: %s is gone", modes, name)
			}
		}
	}
	var p Profile
	if out.Settings != "" {
		d := tomltext.Parse("x.toml", []byte("[d]\n"+out.Settings))
		d.Bind([]string{"d"}, &p)
		if problems := strings.Trim(fmt.Sprint(d.Problems()), "[]"); problems != "" {
			t.Errorf("%s: %s", out.Settings, problems)
		}
		p.wrong(func(key, message, hint string) { t.Errorf("%s: %s", key, message) })
	}
	return p, out, err
}

// contents is all that a server has, by name.
func (s *service) contents() map[string]string {
	out := map[string]string{}
	for _, kind := range []scimd.Kind{scimd.Users, scimd.Groups} {
		for _, r := range s.All(kind) {
			out[r.Text("userName")+r.Text("displayName")+r.Text("id")] = fmt.Sprint(r)
			if strings.HasPrefix(r.Text("userName")+r.Text("displayName"), "rosterd-probe") {
				delete(out, r.Text("userName")+r.Text("displayName")+r.Text("id"))
				out[r.Text("userName")+r.Text("displayName")] = fmt.Sprint(r)
			}
		}
	}
	return out
}

// rightly is what is found at a server that errs in nothing.
var rightly = Profile{
	Paging: pagingIndex, Filter: on, Update: updatePatch, Active: activeBoolean, Mark: markExternalID,
	Members: membersShown, MemberRemove: removeFilter,
}

// TestProbe: the probe finds each way in which a server differs, changes nothing
// that it did not make, and leaves nothing behind.
func TestProbe(t *testing.T) {
	for _, c := range []struct {
		mode   scimd.Mode
		edit   func(*Profile)
		broken string
		note   string
	}{
		{mode: ""},
		{mode: scimd.FilterIgnored, edit: func(p *Profile) { p.Filter = off }, note: "a filter"},
		{mode: scimd.FilterRefused, edit: func(p *Profile) { p.Filter = off }},
		{mode: scimd.FilterBlind, edit: func(p *Profile) { p.Filter = off }},
		{mode: scimd.SearchIsMissing},
		{mode: scimd.ExternalIDRefused, edit: func(p *Profile) { p.Mark = none }, note: "externalId"},
		{mode: scimd.ExternalIDLost, edit: func(p *Profile) { p.Mark = none }},
		{mode: scimd.PatchNeedsNoPath, edit: func(p *Profile) { p.Update = updateNoPath }},
		{mode: scimd.PatchUnsupported, edit: func(p *Profile) { p.Update, p.MemberRemove = updatePut, "" }, broken: "cannot be removed"},
		{mode: scimd.PatchDoesNothing, edit: func(p *Profile) { p.Update = updatePut }},
		{mode: scimd.PatchNoURN, edit: func(p *Profile) { p.Update = updatePut }},
		{mode: scimd.NotStored, note: "the enterprise extension"},
		{mode: scimd.ActiveNeedsText, edit: func(p *Profile) { p.Active = activeString }},
		{mode: scimd.ActiveIgnored, edit: func(p *Profile) { p.Active = activeBoolean }},
		{mode: scimd.ActiveByPutOnly},
		{mode: scimd.ActiveNeedsNoPath},
		{mode: scimd.ActiveMissing, edit: func(p *Profile) { p.Active = none }, broken: "cannot be closed"},
		{mode: scimd.ActiveBlanks, edit: func(p *Profile) { p.Update = updatePut }, note: "empties"},
		{mode: scimd.InactiveIsGone, edit: func(p *Profile) { p.Active = none }, broken: "is gone"},
		{mode: scimd.Express5Paging, edit: func(p *Profile) { p.Paging, p.PageSize = "", 20 }, broken: "does not show all"},
		{mode: scimd.FirstPageOnly, edit: func(p *Profile) { p.Paging = "" }, broken: "does not show all"},
		{mode: scimd.FilteredRemoveWipes, edit: func(p *Profile) { p.MemberRemove = "" }, broken: "cannot be removed"},
		{mode: scimd.FilteredRemoveNothing, edit: func(p *Profile) { p.MemberRemove = removeValue }},
		{mode: scimd.FilteredRemoveRefused, edit: func(p *Profile) { p.MemberRemove = removeValue }},
		{mode: scimd.MultiRemoveShift, edit: func(p *Profile) { p.RemovesPerRequest = 1 }, note: "one at a time"},
		{mode: scimd.AddReplaces, edit: func(p *Profile) { p.MemberRemove = "" }, broken: "takes the place of all"},
		{mode: scimd.MembersOmitted, edit: func(p *Profile) { p.Members = membersUser }},
		{mode: scimd.MembersIgnored, edit: func(p *Profile) { p.Members, p.MemberRemove = membersOmitted, "" }, note: "cannot be seen"},
		{mode: scimd.GroupsUnsupported, edit: func(p *Profile) { p.Members, p.MemberRemove = "", "" }, note: "a group cannot be made"},
		{mode: scimd.CreateBare}, {mode: scimd.CreateNoID}, {mode: scimd.LocationElsewhere}, {mode: scimd.LocationUndefined}, {mode: scimd.OddIDs},
		{mode: scimd.NoBody}, {mode: scimd.GroupPatch204}, {mode: scimd.PlainErrors}, {mode: scimd.RateSeconds}, {mode: scimd.NeedsIfMatch},
		{mode: scimd.DeleteIgnored, note: "shown after it was deleted"},
		{mode: scimd.DeleteIsDisable, note: "shown after it was deleted"},
		{mode: scimd.DeleteRefused, note: "could not be deleted"},
		{mode: scimd.CreatedInactive},
	} {
		t.Run("mode "+string(c.mode), func(t *testing.T) {
			var modes []scimd.Mode
			if c.mode != "" {
				modes = append(modes, c.mode)
			}
			got, out, err := probed(t, scimd.Options{ETags: c.mode == scimd.NeedsIfMatch}, modes...)
			if err != nil {
				t.Fatal(err, out.Notes)
			}
			want := rightly
			if c.edit != nil {
				c.edit(&want)
			}
			if got != want {
				t.Errorf("found %+v\nwant %+v\n%v", got, want, out.Notes)
			}
			broken, said := "", ""
			for _, n := range out.Notes {
				if said += n.Text + "\n"; n.Broken {
					broken += n.Text
				}
			}
			if (broken == "") != (c.broken == "") || !strings.Contains(broken, c.broken) || !strings.Contains(said, c.note) {
				t.Errorf("notes %+v, want broken %q and %q", out.Notes, c.broken, c.note)
			}
			if c.mode == "" && len(out.Notes) > 0 {
				t.Error(out.Notes)
			}
		})
	}
	cursors := rightly
	cursors.Paging = pagingCursor
	if got, out, err := probed(t, scimd.Options{Paging: "cursor"}); err != nil || got != cursors {
		t.Errorf("cursors: %+v %v %v", got, out.Notes, err)
	}
}

// TestProbeThatFails leaves nothing behind either, and names what may be there.
func TestProbeThatFails(t *testing.T) {
	for _, m := range []scimd.Mode{scimd.ErrorsAll, scimd.UnauthorisedMid, scimd.ForbiddenWrites, scimd.HTMLAnswer, scimd.EmailRequired, scimd.ConflictInvisible, scimd.RedirectElsewhere} {
		_, out, err := probed(t, scimd.Options{}, m)
		if m == scimd.EmailRequired {
			if err != nil {
				t.Errorf("%s: %v", m, err)
			}
			continue
		}
		if m == scimd.UnauthorisedMid && len(out.Notes) < 2 {
			t.Errorf("nobody says what is left: %v", out.Notes)
		}
		if err == nil || out.Settings != "" {
			t.Errorf("%s: %v %+v", m, err, out)
		}
	}
}

// TestProbeStopped: whoever stops a probe finds nothing left, at whatever request.
func TestProbeStopped(t *testing.T) {
	for at := 4; at < 44; at += 2 {
		s := serve(t, scimd.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		s.TurnWhen(scimd.PlainJSON, func(r scimd.Request) bool {
			if r.Number == at {
				cancel()
			}
			return false
		})
		out, err := s.open(t).Probe(ctx, "rosterd-probe-2", func(string) {})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped at request %d: %v", at, err)
		}
		if left := slices.Sorted(maps.Keys(s.contents())); len(left) > 0 && len(out.Notes) == 0 {
			t.Errorf("stopped at request %d: %v is left, and nobody says so", at, left)
		}
	}
}
