package scim

import (
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// retries is how often a call is tried again without being told when.
	retries = 4
	// maxWait is how long one call waits for its turn, all in all. Longer is the
	// next cycle's.
	maxWait = 5 * time.Minute
	// maxLeave bounds for how long a server is believed that it wants no requests.
	maxLeave = time.Hour
)

// retryAfter reads when a server wants to be asked again: Retry-After as seconds
// or as a date (RFC 9110, 10.2.3), and the names that others have for it. What
// cannot be read, or is past, is not said.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	for _, name := range []string{"Retry-After", "X-Retry-After", "Retry-After-Ms", "X-RateLimit-Reset", "RateLimit-Reset"} {
		text := strings.TrimSpace(h.Get(name))
		if text == "" {
			continue
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(n) {
			switch {
			case strings.HasSuffix(name, "-Ms"):
				n /= 1000
			case strings.HasSuffix(name, "Reset") && n > 1e9: // a moment, not a length
				n -= float64(now.Unix())
			}
			if n < 0 {
				continue
			}
			return time.Duration(min(n, maxLeave.Seconds()) * float64(time.Second)), true
		}
		if at, err := http.ParseTime(text); err == nil {
			if d := at.Sub(now); d > 0 {
				return min(d, maxLeave), true
			}
		}
	}
	return 0, false
}

// backoff is how long to wait where nobody says: half a second and twice as long
// each time, spread so that not all come back at once.
func backoff(try int) time.Duration {
	most := longest(try)
	return most/2 + rand.N(most/2)
}

func longest(try int) time.Duration { return min(30*time.Second, 500*time.Millisecond<<min(try, 10)) }
