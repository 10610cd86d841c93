package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// private says whether nothing of what is sent can be read on the way, whichever
// server takes it: else no password is sent.
func (c Config) private() bool {
	for _, u := range c.URLs {
		if c.AllowPlaintext && strings.HasPrefix(strings.ToLower(u), "ldap://") {
			return false
		}
	}
	return true
}

// setPassword leaves it to the server to hash the password, to judge it, and to say
// whether who logs in with it has to choose another (pwdMustChange of ppolicy,
// passwordMustChange of 389 Directory Server): for it this is a reset by somebody
// else. A new
// password takes the lock of ppolicy away: whoever was closed is closed again at
// once, and nobody knows the password yet by which they could have got in.
func (c Config) setPassword(ctx context.Context, conn *ldapwire.Conn, account ldapwire.Record, p target.Password) error {
	err := conn.SetPassword(ctx, account.DN, p.Text.Reveal())
	if errors.Is(err, ldapwire.ErrNoSuchObject) {
		return unnameable(ctx, conn, account, err)
	}
	if err != nil {
		return err
	}
	if lock := c.Disable.byAttribute(); c.Disable.Preset == PPolicy && !lock.On(account) {
		return conn.Modify(ctx, account.DN, lock.Turn(account, false))
	}
	return nil
}

// unnameable says of an entry that is there, though this one operation does not find
// it, that it is the name. 389 Directory Server 2.3 folds a digraph in title case (ǅ,
// ǈ, ǋ, ǲ) in the names of its entries and not in the name that is asked for here.
func unnameable(ctx context.Context, conn *ldapwire.Conn, account ldapwire.Record, err error) error {
	if _, gone := conn.Base(ctx, account.DN, "objectClass"); gone != nil {
		return err
	}
	return &target.Error{Class: target.Refused, Tip: "give it a name, and a container, that is spelled otherwise: only small letters are safe",
		Err: fmt.Errorf("the server does not find %s, which is there, when a password is to be set", account.DN)}
}
