package moment

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// FileTime reads a moment as Active Directory counts: in steps of 100 ns since
// 1601. Zero, the greatest number and whatever lies behind the year 9999 are
// never.
func FileTime(text string) (at time.Time, never bool, err error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false, fmt.Errorf("%s is no file time: steps of 100 ns since 1601", shown(text))
	}
	const second, to1970 = 10_000_000, 11_644_473_600
	at = time.Unix(n/second-to1970, n%second*100).UTC()
	if n == 0 || n == math.MaxInt64 || at.Year() > 9999 {
		return time.Time{}, true, nil
	}
	return at, false, nil
}

// ShadowExpire reads the day on which an account is over, as shadow(5) counts:
// days since 1970, in UTC; -1 is never. Zero is over: the manual warns of it,
// and the login of Linux (pam_unix) and those who write it mean that.
func ShadowExpire(text string) (at time.Time, never bool, err error) {
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil || n < -1 || n > maxDays:
		return time.Time{}, false, fmt.Errorf("%s is no number of days since 1970", shown(text))
	case n == -1:
		return time.Time{}, true, nil
	}
	return time.Unix(n*86400, 0).UTC(), false, nil
}

// maxDays is the end of the year 9999.
const maxDays = 2932896
