package entries

import (
	"context"
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Update changes the attributes that differ, in one request. Values that are
// added or taken are named one by one, so that what others write at the same time
// stays; where somebody else was quicker, the entry is read once more.
func (t *Accounts) Update(ctx context.Context, account target.Ref, set []target.Value) error {
	return t.with(ctx, fmt.Sprintf("update %q", account.Name), func(s *session) error {
		names := make([]string, len(set))
		for i, v := range set {
			if names[i] = v.Name; t.isName(v.Name) {
				return refused("", "%s: the attribute %s is the name; only a rename changes it", s.doing, v.Name)
			}
		}
		for again := false; ; again = true {
			e, err := s.one(ctx, account, names...)
			if err != nil {
				return err
			}
			if e, err = s.retitle(ctx, e, set); err != nil {
				return err
			}
			if e, err = s.put(ctx, e, set); err != nil {
				return err
			}
			changes := t.steps(e, set)
			if len(changes) == 0 {
				return nil
			}
			if err := s.valuesFree(ctx, set, e.id); err != nil {
				return err
			}
			err = s.modify(ctx, e, changes)
			if !again && (errors.Is(err, ldapwire.ErrTypeOrValueExists) || errors.Is(err, ldapwire.ErrNoSuchAttribute)) {
				continue
			}
			return s.write(err)
		}
	})
}

// steps are what is left to do for the values to be as they should.
func (t *Accounts) steps(e entry, set []target.Value) []ldapwire.Change {
	var out []ldapwire.Change
	change := func(verb ldapwire.Verb, name string, values []string) {
		if len(values) > 0 || verb == ldapwire.ReplaceValues {
			out = append(out, ldapwire.Change{Verb: verb, Name: name, Values: values})
		}
	}
	for _, v := range set {
		actual := e.rec.Values(v.Name)
		switch {
		case t.isRDN(v.Name), isContainer(v.Name): // has been done
		case v.How == target.Merge:
			add, take := v.Steps(actual, target.Description{Same: Same})
			// First out, then in: so an attribute with one value can change it.
			change(ldapwire.DeleteValues, v.Name, take)
			change(ldapwire.AddValues, v.Name, add)
		case v.How == target.Fill && len(actual) > 0:
		case v.How == target.Fill:
			change(ldapwire.AddValues, v.Name, unique(v.Name, v.Values))
		default:
			if values := unique(v.Name, v.Values); !equal(actual, values) {
				change(ldapwire.ReplaceValues, v.Name, values)
			}
		}
	}
	return out
}
