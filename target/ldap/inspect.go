package ldap

import (
	"context"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// oidPasswordPolicy is the control by which a server says that it knows password
// policies (draft-behera-ldap-password-policy).
const oidPasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1"

// inspect says whether the server closes accounts as the configuration wants it.
func (c Config) inspect(ctx context.Context, conn *ldapwire.Conn) ([]target.Note, error) {
	server := conn.Server()
	var (
		root     = server.RootDSE
		is389    = strings.Contains(root.First("vendorName")+root.First("vendorVersion"), "389")
		openLDAP = root.Has("objectClass", "OpenLDAProotDSE")
	)
	broken := func(format string, args ...any) []target.Note {
		return []target.Note{{Broken: true, Text: "disable: " + fmt.Sprintf(format, args...), Hint: disableError{}.Hint()}}
	}
	switch c.Disable.Preset {
	case NSAccountLock:
		switch {
		case openLDAP:
			return broken("nsAccountLock closes nobody on OpenLDAP"), nil
		case !is389:
			return []target.Note{{Text: "disable: it cannot be seen whether this server heeds nsAccountLock", Hint: "disable a test account, and try to log in"}}, nil
		}
	case PPolicy:
		if is389 || server.Known() && !server.HasControl(oidPasswordPolicy) {
			return broken("this server has no overlay ppolicy, so its lock would close nobody"), nil
		}
		return c.inspectPolicies(ctx, conn)
	}
	return nil, nil
}

// inspectPolicies looks for a password policy under which a lock means something:
// where pwdLockout is not TRUE the overlay heeds none.
func (c Config) inspectPolicies(ctx context.Context, conn *ldapwire.Conn) ([]target.Note, error) {
	base, err := identity.ParseDN(c.Base)
	if err != nil {
		return nil, err
	}
	seen, locking := 0, 0
	for _, nc := range conn.Server().NamingContexts() {
		if top, err := identity.ParseDN(nc); err != nil || !base.Within(top) {
			continue
		}
		recs, _, err := conn.Collect(ctx, ldapwire.Request{Base: nc, Scope: ldapwire.ScopeSubtree, Filter: "(objectClass=pwdPolicy)", Attributes: []string{"pwdLockout"}})
		if err != nil && (ctx.Err() != nil || ldapwire.IsTransient(err)) {
			return nil, err
		}
		for _, rec := range recs {
			if seen++; strings.EqualFold(rec.First("pwdLockout"), "TRUE") {
				locking++
			}
		}
	}
	switch {
	case seen == 0:
		return []target.Note{{Text: "disable: a lock of ppolicy holds only where the policy of the account says pwdLockout: TRUE, which cannot be seen from here",
			Hint: "disable a test account, and try to log in"}}, nil
	case locking == 0:
		return []target.Note{{Broken: true, Text: fmt.Sprintf("disable: none of the %d password policies says pwdLockout: TRUE, so a lock would close nobody", seen),
			Hint: "set pwdLockout: TRUE in the policy of the accounts"}}, nil
	}
	return []target.Note{{Text: fmt.Sprintf("disable: %d of %d password policies say pwdLockout: TRUE; a lock holds for accounts under them", locking, seen)}}, nil
}
