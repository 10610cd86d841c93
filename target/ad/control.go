package ad

import (
	"strconv"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target/internal/entries"
)

const userAccountControl = "userAccountControl"

// Bits of userAccountControl ([MS-ADTS], 2.2.16).
const (
	bitDisabled  = 0x2
	bitNormal    = 0x200
	bitSmartcard = 0x40000
)

// control closes and opens an account by one bit of userAccountControl. All others
// stay as they are: the value that was read is taken out and the new one put in, in
// one request, so that where somebody changed a bit meanwhile nothing is written.
func control() entries.Switch {
	return entries.Switch{
		Attributes: []string{userAccountControl},
		Always:     true,
		On:         func(rec ldapwire.Record) bool { return bits(rec)&bitDisabled == 0 },
		Turn: func(rec ldapwire.Record, on bool) []ldapwire.Change {
			now := bits(rec) | bitDisabled
			if on {
				now &^= bitDisabled
			}
			return []ldapwire.Change{
				{Verb: ldapwire.DeleteValues, Name: userAccountControl, Values: rec.Values(userAccountControl)},
				{Verb: ldapwire.AddValues, Name: userAccountControl, Values: []string{strconv.FormatInt(now, 10)}},
			}
		},
	}
}

// bits are those of an account.
func bits(rec ldapwire.Record) int64 { return bitsOf(rec.First(userAccountControl)) }

func bitsOf(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return bitNormal | bitDisabled // no controller sends that
	}
	return n
}
