package entries

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Check connects and looks for what the configuration names. It cannot tell
// the right to write: LDAP has no question for that.
func (t *Accounts) Check(ctx context.Context, scope target.Scope) ([]target.Note, error) {
	var notes []target.Note
	err := t.with(ctx, "check the target", func(s *session) error {
		notes = nil
		broken := func(hint, format string, args ...any) {
			notes = append(notes, target.Note{Broken: true, Text: fmt.Sprintf(format, args...), Hint: hint})
		}
		server := s.c.Server()
		who := server.AuthzID
		if who == "" {
			who = t.who()
		}
		notes = append(notes, target.Note{Text: fmt.Sprintf("%s, as %s", server.URL, who)})
		if t.cfg.Wire.AllowPlaintext && strings.HasPrefix(strings.ToLower(server.URL), "ldap://") {
			notes = append(notes, target.Note{Text: "the connection is not encrypted", Hint: "leave out allow_plaintext"})
		}
		places := []struct{ key, dn string }{{"base", t.cfg.Base.String()}, {"disable.move_to", t.cfg.MoveTo.String()}, {"groups.base", t.cfg.Groups.Base.String()}}
		for _, p := range places {
			if p.dn == "" {
				continue
			}
			rec, err := s.c.Base(ctx, p.dn, t.cfg.IDAttribute)
			switch {
			case errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry):
				broken("make it, or give "+t.who()+" the right to see it", "%s: %s is not there, or may not be seen", p.key, p.dn)
			case err != nil:
				return s.read(err)
			case p.key == "base" && t.cfg.IDAttribute == EntryUUID && rec.First(EntryUUID) == "":
				broken("give "+t.who()+" the right to read it, or set id_attribute", "%s shows no entryUUID", p.dn)
			}
		}
		if len(notes) > 0 && notes[len(notes)-1].Broken {
			return nil
		}
		if t.cfg.Inspect != nil {
			more, err := t.cfg.Inspect(ctx, s.c)
			if err != nil {
				return s.read(err)
			}
			notes = append(notes, more...)
		}
		if t.cfg.Groups.Base.IsZero() {
			if len(scope.Entitlements) > 0 {
				broken("set the base of groups", "%d entitlements are named, and this target has no groups", len(scope.Entitlements))
			}
			return nil
		}
		groups, err := s.readGroups(ctx, scope.Entitlements, "objectClass")
		if err != nil {
			return err
		}
		for _, e := range scope.Entitlements {
			g, ok := groups[e]
			switch {
			case !ok:
				s.doing = "there is no group " + strconv.Quote(e)
				err := s.noGroup(ctx, e)
				if c := target.ClassOf(err); c != target.Missing && c != target.Refused {
					return err
				}
				broken(hintOf(err), "%s", err)
			case dynamic(g.rec):
				broken(dynamicTip, "the members of the group %q follow from a search, and cannot be given or taken", e)
			}
		}
		if there := len(groups); there == len(scope.Entitlements) {
			notes = append(notes, target.Note{Text: fmt.Sprintf("%d of %d groups are there", there, there)})
		} else if there > 0 { // those that are not were told
			notes = append(notes, target.Note{Text: fmt.Sprintf("groups that are there: %d", there)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return notes, nil
}
