package ldap

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/moment"
)

// The attributes by which servers say when an account may be used. Most are
// operational: a server shows them only to who asks for them by name, so each
// is asked for by its name, and a server that does not know it passes over it.
//
// A lock-out by failed passwords and an expired password are none of these: the
// lock-out bit of userAccountControl, any moment in pwdAccountLockedTime.
var accountDecoders = map[string]struct {
	// name is how it is written.
	name string
	// read adds to the validity what a value says; values are not blank.
	read func(v *identity.Validity, by, value string) error
}{
	"useraccountcontrol":     {"userAccountControl", readControl},            // Active Directory
	"accountexpires":         {"accountExpires", until(moment.FileTime)},     // likewise
	"nsaccountlock":          {"nsAccountLock", readSwitch},                  // 389 Directory Server, FreeIPA
	"krbprincipalexpiration": {"krbPrincipalExpiration", until(generalTime)}, // FreeIPA, MIT Kerberos
	"pwdaccountlockedtime":   {"pwdAccountLockedTime", readLockedTime},       // OpenLDAP
	"pwdstarttime":           {"pwdStartTime", readStart},                    // likewise
	"pwdendtime":             {"pwdEndTime", until(generalTime)},             // likewise
	"shadowexpire":           {"shadowExpire", readShadow},                   // posix accounts anywhere
	"logindisabled":          {"loginDisabled", readSwitch},                  // eDirectory
	"loginexpirationtime":    {"loginExpirationTime", until(generalTime)},    // likewise
}

// believed are the attributes, of those named or of all if that is nil, under
// their usual names, sorted.
func believed(names []string) []string {
	out := []string{}
	for lower, d := range accountDecoders {
		if names == nil || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, lower) }) {
			out = append(out, d.name)
		}
	}
	slices.Sort(out)
	return out
}

// validity is what the entry says, by the attributes that are believed, of when
// its account may be used. An attribute that every person there has, and this one
// does not show, was not read.
func validity(e *ldapwire.Entry, believed, always []string) identity.Validity {
	var out identity.Validity
	for _, name := range always {
		if slices.Contains(believed, name) && len(e.Values(strings.ToLower(name))) == 0 {
			out.Unread = append(out.Unread, name+" is not shown: the bind user may not read it")
		}
	}
	for i := range e.Attributes {
		a := &e.Attributes[i]
		d, is := accountDecoders[a.Name]
		if !is || len(a.Options) > 0 || !slices.Contains(believed, d.name) {
			continue
		}
		said := map[string]bool{}
		for _, value := range a.Values {
			if text := strings.TrimSpace(string(value)); text != "" {
				said[text] = true
			}
		}
		for _, text := range slices.Sorted(maps.Keys(said)) {
			var one identity.Validity
			if err := d.read(&one, d.name, text); err != nil {
				one.Unread = []string{d.name + ": " + err.Error()}
			}
			out = out.And(one)
		}
	}
	return out
}

// readControl reads the bits of userAccountControl. Only ACCOUNTDISABLE (0x2)
// closes an account: LOCKOUT (0x10) and PASSWORD_EXPIRED (0x800000) are not kept
// there by Active Directory, and would not count. Samba and Active Directory
// write the number as a signed one.
func readControl(v *identity.Validity, by, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < -1<<31 || n >= 1<<32 {
		return fmt.Errorf("%q is no number of 32 bits", value)
	}
	if n&0x2 != 0 {
		v.ClosedBy = by
	}
	return nil
}

// readSwitch reads an attribute that closes the account where it is true.
func readSwitch(v *identity.Validity, by, value string) error {
	switch strings.ToLower(value) {
	case "true":
		v.ClosedBy = by
	case "false":
	default:
		return fmt.Errorf("%q is neither TRUE nor FALSE", value)
	}
	return nil
}

// lockedSince is how a moment in the year 0 begins: by that an administrator
// locks an account for good (draft-behera-ldap-password-policy, 5.3.3). Any
// other moment is a lock-out by failed passwords.
const lockedSince = "000001010000"

func readLockedTime(v *identity.Validity, by, value string) error {
	if strings.HasPrefix(value, lockedSince) {
		v.ClosedBy = by
	}
	return nil
}

// readShadow takes 0 and 1 for what administrators mean by them: closed.
func readShadow(v *identity.Validity, by, value string) error {
	at, never, err := moment.ShadowExpire(value)
	switch {
	case err != nil || never:
		return err
	case at.Before(time.Unix(2*86400, 0)):
		v.ClosedBy = by
	default:
		v.Until = identity.Bound{At: at, By: by}
	}
	return nil
}

func readStart(v *identity.Validity, by, value string) error {
	at, _, err := generalTime(value)
	if err == nil {
		v.From = identity.Bound{At: at, By: by}
	}
	return err
}

// until reads a moment at which the account is over.
func until(read func(string) (time.Time, bool, error)) func(*identity.Validity, string, string) error {
	return func(v *identity.Validity, by, value string) error {
		at, never, err := read(value)
		if err == nil && !never {
			v.Until = identity.Bound{At: at, By: by}
		}
		return err
	}
}

// generalTime reads a generalizedTime; of those none is never.
func generalTime(value string) (time.Time, bool, error) {
	at, err := moment.Generalized(value)
	return at, false, err
}

// viewOf is an entry that was read by itself.
func viewOf(r ldapwire.Record) *ldapwire.Entry {
	e := &ldapwire.Entry{DN: []byte(r.DN)}
	for _, a := range r.Attributes {
		v := ldapwire.Attribute{Name: a.Name, Options: a.Options}
		for _, text := range a.Values {
			v.Values = append(v.Values, []byte(text))
		}
		e.Attributes = append(e.Attributes, v)
	}
	return e
}
