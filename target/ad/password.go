package ad

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"unicode/utf16"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

const (
	unicodePwd = "unicodePwd"
	pwdLastSet = "pwdLastSet"
)

// SetPassword resets the password. The connection is always encrypted: the kind has no
// setting to leave that out, and the domain would refuse it.
func (t *Target) SetPassword(ctx context.Context, account target.Ref, password target.Password) error {
	return t.Amend(ctx, fmt.Sprintf("set the password of %q", account.Name), account, func(ldapwire.Record) []ldapwire.Change {
		out := []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: unicodePwd, Values: []string{quoted(password.Text.Reveal())}}}
		if password.MustChange {
			out = append(out, ldapwire.Change{Verb: ldapwire.ReplaceValues, Name: pwdLastSet, Values: []string{"0"}})
		}
		return out
	})
}

// quoted is a password as the domain takes it: in quotes, in UTF-16 with the least
// octet first ([MS-ADTS], 3.1.1.3.1.5).
func quoted(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(`"` + text + `"`)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// initial is what a new account begins with: closed until it has a password, or open
// with one that nobody knows.
func (c Config) initial() []ldapwire.Values {
	if c.WithoutPassword == "" {
		return []ldapwire.Values{{Name: userAccountControl, Values: []string{strconv.Itoa(bitNormal | bitDisabled)}}}
	}
	bits := bitNormal
	if c.WithoutPassword == withSmartcard {
		bits |= bitSmartcard
	}
	var octets [48]byte
	rand.Read(octets[:]) //nolint:errcheck // crypto/rand.Read never fails
	return []ldapwire.Values{
		{Name: userAccountControl, Values: []string{strconv.Itoa(bits)}},
		{Name: unicodePwd, Values: []string{quoted("aA1-" + base64.RawStdEncoding.EncodeToString(octets[:]))}},
	}
}
