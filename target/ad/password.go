package ad

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"unicode/utf16"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

const (
	unicodePwd = "unicodePwd"
	pwdLastSet = "pwdLastSet"
)

// setPassword resets the password. The connection is always encrypted: the kind has no
// setting to leave that out, and the domain would refuse it.
func setPassword(ctx context.Context, c *ldapwire.Conn, account ldapwire.Record, password target.Password) error {
	changes := []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: unicodePwd, Values: []string{quoted(password.Text.Reveal())}}}
	if password.MustChange {
		changes = append(changes, ldapwire.Change{Verb: ldapwire.ReplaceValues, Name: pwdLastSet, Values: []string{"0"}})
	}
	return c.Modify(ctx, account.DN, changes)
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
