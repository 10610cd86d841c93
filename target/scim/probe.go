package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/target"
)

// cleanWithin bounds the deleting of what a probe made, also after it was stopped.
const cleanWithin = time.Minute

// probe tries on accounts and a group of its own what a server does.
type probe struct {
	t     *Target
	name  string
	tell  func(string)
	found Profile
	notes []target.Note
	// users and group are the IDs of what it made.
	users  []string
	group  string
	serial int
	// grouped: a group may be there, whether its ID is known or not.
	grouped bool
	// unsure are names that may be there, since a create was not answered.
	unsure []string
	// unfit: adding members does other things than it should, so that removals are
	// not tried.
	unfit bool
	// shape is how a new account must look.
	shape shape
}

// Probe finds the dialect of the server. See target.Prober.
func (t *Target) Probe(ctx context.Context, name string, tell func(string)) (out target.Probed, err error) {
	p := &probe{t: t, name: name, tell: tell}
	if _, err := t.discover(ctx); err != nil {
		return out, err
	}
	defer func() {
		p.tell("delete what was made")
		p.clean(ctx)
		out.Notes = p.notes
	}()
	for _, step := range []struct {
		says string
		do   func(context.Context) error
	}{
		{"look for what an earlier probe left", p.earlier},
		{"make two disabled accounts", p.make},
		{"find one of them by its name", p.filter},
		{"read all accounts", p.listing},
		{"change attributes", p.attributes},
		{"open and close an account", p.active},
		{"make a group, and add members", p.members},
		{"remove members", p.removals},
	} {
		p.tell(step.says)
		if err := step.do(ctx); err != nil {
			return out, fmt.Errorf("%s: %w", step.says, err)
		}
	}
	out.Table, out.Settings = "dialect", p.found.toml()
	return out, nil
}

func (p *probe) note(broken bool, hint, format string, args ...any) {
	p.notes = append(p.notes, target.Note{Broken: broken, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// fatal is an error after which nothing more is to be tried: the token is not
// taken, or the server is not there.
func fatal(err error) bool {
	status := statusOf(err)
	return err != nil && (status == http.StatusUnauthorized || status == 0 && !errors.Is(err, errNotKept) && target.ClassOf(err) != target.Refused)
}

// shape is how a new account must look for a server to take it.
type shape struct {
	mark, textual bool
}

// shapes are tried in this order.
var shapes = []shape{{mark: true}, {}, {mark: true, textual: true}, {textual: true}}

func (p *probe) body(name string, s shape) resource {
	r := resource{"schemas": []any{coreUser}, userName: name, displayName: name, "active": false,
		"name":   map[string]any{"familyName": name, "givenName": "rosterd", "formatted": name},
		"emails": []any{map[string]any{"value": name + probeDomain, "type": "work", "primary": true}}}
	if s.textual {
		r["active"] = "False"
	}
	if s.mark {
		r[externalID] = name
	}
	return r
}

// account makes one account in the first shape that the server takes.
func (p *probe) account(ctx context.Context, shapes ...shape) (string, error) {
	p.serial++
	name := fmt.Sprintf("%s-%d", p.name, p.serial)
	var failed error
	for _, s := range shapes {
		k := call{doing: "make " + name, method: http.MethodPost, path: "Users", body: p.body(name, s)}
		a, err := p.t.http.do(ctx, k)
		if err == nil {
			err = p.t.http.fault(k, a)
		}
		if err == nil || target.ClassOf(err) == target.InDoubt {
			// The name is ours alone, so what is found by it was made just now.
			ref, lost := p.t.made(ctx, k.doing, name, "", a)
			switch {
			case lost == nil:
				p.shape, p.users = s, append(p.users, string(ref.ID))
				return string(ref.ID), nil
			case err == nil:
				err = lost
			}
			p.unsure = append(p.unsure, name)
			return "", err
		}
		if failed == nil {
			failed = err
		}
		if status := statusOf(err); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
			return "", err
		}
	}
	return "", failed
}

func (p *probe) make(ctx context.Context) error {
	// Whoever has that name already is not ours.
	if found, err := p.t.find(ctx, "look for "+p.name, target.Match{Attribute: userName, Value: p.name + "-1"}); err != nil {
		return err
	} else if len(found) > 0 {
		return refused("try again", "there is an account %s-1 already", p.name)
	}
	for range 2 {
		list := shapes
		if len(p.users) > 0 {
			list = []shape{p.shape}
		}
		if _, err := p.account(ctx, list...); err != nil {
			return err
		}
	}
	now, err := p.t.read(ctx, "read it back", target.NativeID(p.users[0]))
	if err != nil {
		return err
	}
	if p.found.Mark = none; p.shape.mark && now.text(externalID) == p.name+"-1" {
		p.found.Mark = markExternalID
	} else {
		p.note(false, "without a mark, adopt --recover finds accounts by name alone", "externalId is not kept")
	}
	if now.enabled() {
		p.note(false, "", "accounts are made active, also where they are asked to be closed")
	}
	return nil
}

// filter sees whether a filter finds one account, and nobody where there is none.
func (p *probe) filter(ctx context.Context) error {
	p.found.Filter = off
	for name, want := range map[string][]string{p.name + "-1": {p.users[0]}, p.name + "-none": nil} {
		r, _, err := p.t.get(ctx, "find "+name, "Users", filterOf(userName, name))
		if fatal(err) {
			return err
		}
		page, wrong := readPage(r)
		if statusOf(err) == http.StatusNotFound && want == nil {
			continue
		}
		if err != nil || wrong != nil || !slices.Equal(ids(page.resources), want) {
			p.note(false, "", "a filter for userName does not find whom it should, and them alone: accounts are found by a listing")
			return nil
		}
	}
	p.found.Filter = on
	return nil
}

func ids(list []resource) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.id())
	}
	return out
}

// listing sees whether pages lead to everybody.
func (p *probe) listing(ctx context.Context) error {
	at := func(query ...string) (page, error) {
		q := url.Values{}
		for i := 0; i+1 < len(query); i += 2 {
			q.Set(query[i], query[i+1])
		}
		r, _, err := p.t.get(ctx, "list", "Users", q)
		if err != nil {
			return page{total: -1}, err
		}
		return readPage(r)
	}
	all, err := at("startIndex", "1", "count", "100")
	if fatal(err) {
		return err
	}
	if err == nil && len(all.resources) > 0 && len(all.resources) < min(all.total, 100) {
		p.found.PageSize = len(all.resources)
		p.note(false, "", "a page has %d accounts at most", len(all.resources))
	}
	second, err := at("startIndex", "2", "count", "1")
	if err == nil && len(all.resources) > 1 && len(second.resources) == 1 && second.start < 3 && second.start != 1 && all.total == second.total && second.resources[0].id() != all.resources[0].id() {
		p.found.Paging = pagingIndex
		return nil
	}
	first, err := at("cursor", "", "count", "1")
	if err == nil && first.next != "" && len(first.resources) == 1 {
		if next, err := at("cursor", first.next, "count", "1"); err == nil && len(next.resources) == 1 && next.resources[0].id() != first.resources[0].id() {
			p.found.Paging = pagingCursor
			return nil
		}
	}
	p.note(true, "accounts cannot be listed, so nothing can be done there; page_size beyond the number of accounts may help",
		"the second page is not the second: this server does not show all of its accounts")
	return nil
}

// clean deletes what was made, and says what could not be.
func (p *probe) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanWithin)
	defer cancel()
	switch {
	case !p.grouped:
	case p.group == "" && !p.findGroup(ctx):
		p.note(false, "", "a group %q may be there: look, and delete it", p.name)
	default:
		p.delete(ctx, "the group", groupPath(p.group), p.group)
	}
	for _, id := range p.users {
		p.delete(ctx, "the account", userPath(target.NativeID(id)), id)
	}
	for _, name := range p.unsure {
		p.note(false, "", "an account %q may be there: look, and delete it", name)
	}
}

// delete removes one thing that a probe made, and says so if it cannot.
func (p *probe) delete(ctx context.Context, what, path, id string) {
	k := call{doing: "delete " + what, method: http.MethodDelete, path: path}
	a, err := p.t.http.do(ctx, k)
	if err == nil && (a.status == http.StatusPreconditionRequired || a.status == http.StatusPreconditionFailed) {
		if _, now, failed := p.t.get(ctx, k.doing, path, nil); failed == nil {
			k.match = now.header.Get("ETag")
			a, err = p.t.http.do(ctx, k)
		}
	}
	if err == nil {
		err = p.t.http.fault(k, a)
	}
	_, _, seen := p.t.get(ctx, "see that it is gone", path, nil)
	switch {
	case seen == nil && (err == nil || target.ClassOf(err) == target.Missing):
		p.note(false, "", "%s %q is shown after it was deleted: delete it there", what, clean(id))
	case seen == nil || err != nil && target.ClassOf(err) != target.Missing && target.ClassOf(seen) != target.Missing:
		p.note(false, "", "%s %q could not be deleted: delete it there (%v)", what, clean(id), err)
	}
}

// toml are the settings that are said.
func (p Profile) toml() string {
	var b strings.Builder
	for _, c := range choices {
		if word := c.value(p); word != "" {
			fmt.Fprintf(&b, "%s = %q\n", c.key, word)
		}
	}
	for _, n := range numbers {
		if v := n.value(p); v != 0 {
			fmt.Fprintf(&b, "%s = %d\n", n.key, v)
		}
	}
	return b.String()
}
