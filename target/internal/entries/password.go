package entries

import (
	"context"
	"fmt"

	"github.com/rosterd/rosterd/target"
)

// SetPassword gives the account another password, in the way of the kind.
func (t *Accounts) SetPassword(ctx context.Context, account target.Ref, password target.Password) error {
	return t.with(ctx, fmt.Sprintf("set the password of %q", account.Name), func(s *session) error {
		if t.cfg.SetPassword == nil {
			return refused("", "%s: this target cannot", s.doing)
		}
		e, err := s.one(ctx, account)
		if err != nil {
			return err
		}
		return s.write(t.cfg.SetPassword(ctx, s.c, e.rec, password))
	})
}
