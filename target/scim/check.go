package scim

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// findings are the notes of a check.
type findings []target.Note

func (f *findings) tell(format string, args ...any) {
	*f = append(*f, target.Note{Text: fmt.Sprintf(format, args...)})
}

func (f *findings) broken(hint, format string, args ...any) {
	*f = append(*f, target.Note{Broken: true, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (f *findings) warn(hint, format string, args ...any) {
	*f = append(*f, target.Note{Text: fmt.Sprintf(format, args...), Hint: hint})
}

// Check asks the server what it is, whether it finds only what is asked for and
// lists all that it has, and looks for what the configuration names. It cannot
// tell the right to write: SCIM has no question for that.
func (t *Target) Check(ctx context.Context, scope target.Scope) ([]target.Note, error) {
	const doing = "check the target"
	var f findings
	s, err := t.discover(ctx)
	if err != nil {
		return nil, err
	}
	about := ""
	if t.dialect.About != "" {
		about = ": " + t.dialect.About
	}
	f.tell("%s, profile %s%s", t.base, t.cfg.Profile, about)
	if t.base.Scheme == "http" && !loopback(t.base.Hostname()) {
		f.warn("leave out allow_plaintext", "the connection is not encrypted")
	}
	t.told(s, &f)
	t.checkAttributes(s, scope, &f)
	if err := t.checkFilter(ctx, doing, &f); err != nil {
		return nil, err
	}
	all, err := t.pages(ctx, doing, "Users", nil)
	if err != nil {
		return nil, err
	}
	f.tell("%d accounts", len(all))
	if err := t.checkLeftover(ctx, doing, all, &f); err != nil {
		return nil, err
	}
	if err := t.checkGroups(ctx, doing, scope, all, &f); err != nil {
		return nil, err
	}
	return f, nil
}

// told is what the server says of itself.
func (t *Target) told(s *server, f *findings) {
	if !s.configured {
		f.tell("it has no ServiceProviderConfig")
		return
	}
	words := map[said]string{unsaid: "says nothing of", yes: "has", no: "has no"}
	paging := "pages by index"
	if s.cursor {
		paging = "pages by cursor"
	}
	f.tell("it %s PATCH, it %s versions (ETag), %s", words[s.patch], words[s.etag], paging)
	if s.users == no {
		f.warn("check url", "its resource types have no users")
	}
}

// checkAttributes holds the names of attributes against the server's schemas.
func (t *Target) checkAttributes(s *server, scope target.Scope, f *findings) {
	for _, name := range scope.Attributes {
		p, err := parsePath(name)
		if err != nil {
			f.broken("docs/targets/scim.md says how attributes are named", "attribute %s: %v", name, err)
			continue
		}
		d, known := s.definition(p)
		switch {
		case known && d.readOnly:
			f.broken("take it out", "attribute %s cannot be written: the server's schema says that it is read-only", name)
		case known && d.hidden:
			f.broken("take it out", "attribute %s cannot be read back: the server's schema says that it is never returned", name)
		case !known && len(s.attributes) > 0:
			f.warn("a server that does not store it is told of when it is written", "attribute %s is in none of the server's schemas", name)
		}
	}
	if t.marks() && slices.Contains(scope.Attributes, externalID) {
		f.broken(`write mark = "none" under dialect, or take externalId out of the attributes`, "externalId is an attribute here, and holds the ownership mark")
	}
	for _, name := range scope.Attributes {
		for _, l := range lists {
			if label, ok := strings.CutPrefix(name, l+"."); ok && label != "" && slices.Contains(scope.Attributes, l) {
				f.broken("keep one of them", "%s are all of them, and %s is one", l, name)
			}
		}
	}
}

// checkFilter looks for somebody who is not there.
func (t *Target) checkFilter(ctx context.Context, doing string, f *findings) error {
	if t.dialect.Filter != on {
		return nil
	}
	nobody := "rosterd-check-" + strings.ToLower(rand.Text())
	found, err := t.pages(ctx, doing, "Users", filterOf(userName, nobody))
	switch class := target.ClassOf(err); {
	case err == nil && len(found) == 0:
		f.tell("it finds accounts by a filter")
		return nil
	case err == nil:
		f.warn(`write filter = "off" under dialect: accounts are then found in a listing`, "asked for somebody who is not there, it answered with %d accounts: it does not know filters", len(found))
		t.noFilter("")
		return nil
	case class == target.Refused || class == target.Missing:
		f.warn(`write filter = "off" under dialect: accounts are then found in a listing`, "it finds no accounts by a filter: %v", err)
		return nil
	}
	return err
}

// checkGroups looks for the groups that entitlements name, and at who is in them.
func (t *Target) checkGroups(ctx context.Context, doing string, scope target.Scope, accounts []resource, f *findings) error {
	if len(scope.Entitlements) == 0 {
		return nil
	}
	ids := make(map[string]bool, len(accounts))
	for _, r := range accounts {
		ids[r.id()] = true
	}
	there, silent := 0, 0
	for _, e := range scope.Entitlements {
		g, err := t.readGroup(ctx, doing, e)
		switch class := target.ClassOf(err); {
		case class == target.Missing || class == target.Refused:
			hint := ""
			if h, ok := err.(interface{ Hint() string }); ok {
				hint = h.Hint()
			}
			f.broken(hint, "%s", strings.TrimPrefix(err.Error(), doing+": "))
			continue
		case err != nil:
			return err
		}
		there++
		if !g.shown {
			silent++
		}
		dangling := 0
		for _, m := range g.members {
			if !ids[m] {
				dangling++
			}
		}
		if dangling > 0 {
			f.warn("", "members of %q who are no accounts: %d", e, dangling)
		}
	}
	if err := t.twoNames(doing, scope.Entitlements); err != nil {
		f.broken("write it in one way", "%s", strings.TrimPrefix(err.Error(), doing+": "))
	}
	if there == len(scope.Entitlements) {
		f.tell("%d of %d groups are there", there, there)
	} else if there > 0 {
		f.tell("groups that are there: %d", there) // those that are not were told
	}
	if t.dialect.Members == membersShown && there > 0 && silent == there {
		f.warn(`if somebody is in them: members = "asked", "user" or "omitted" under dialect`, "no group shows a member")
	}
	if t.dialect.Members == membersOmitted {
		f.warn("", "the dialect says that members cannot be read: nothing that is done in this target is read back")
	}
	return nil
}
