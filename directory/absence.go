package directory

import (
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// MinContainer is how many known entries a container must have held for its
// silence to say something.
const MinContainer = 5

// Sighting names a complete listing as far as two of them must agree to
// confirm an absence. Like is a digest text of server, bind identity, scope
// and coverage; At is when the read began. The zero value is none.
type Sighting struct {
	At   time.Time
	Like string
}

// IsZero says whether there was no listing.
func (s Sighting) IsZero() bool { return s.At.IsZero() }

// Absence is what is known of an entry that a complete listing did not show
// and a look-up by ID did not find.
type Absence struct {
	// First is the complete listing that first did not show it; zero if this
	// is the first, or if what came in between took that back.
	First Sighting
	// Now is this listing.
	Now Sighting
	// Silent says that the nearest container that held MinContainer known
	// entries shows none of them any more. Container is its name.
	Silent    bool
	Container string
	// VanishAfter is how much later the second listing must have begun.
	VanishAfter time.Duration
}

// Verdict is what an absence means.
type Verdict struct {
	Standing identity.Standing
	Doubt    identity.Doubt
	Why      string
	// First is to be remembered for the next listing; zero: nothing.
	First Sighting
	// Due is when another listing can confirm the absence; zero: none can.
	Due time.Time
}

// Classify says what an absence means. It is pure. Nobody is presumed gone but
// by two complete listings that agree in everything but their time.
func Classify(a Absence) Verdict {
	if a.Silent {
		return Verdict{Standing: identity.Unknown, Doubt: identity.Blackout,
			Why: "everybody under " + a.Container + " vanished in one read"}
	}
	after := max(a.VanishAfter, time.Second)
	first, again := a.First, !a.First.IsZero()
	// A listing of another kind, or a clock that went back, begins afresh.
	if !again || first.Like != a.Now.Like || a.Now.At.Before(first.At) {
		first, again = a.Now, false
	}
	due := first.At.Add(after)
	if !again || a.Now.At.Before(due) {
		return Verdict{Standing: identity.Unknown, Doubt: identity.SecondLook, First: first, Due: due,
			Why: "absent from a complete read; another one decides"}
	}
	return Verdict{Standing: identity.PresumedGone, First: first,
		Why: "absent from two complete reads, and not found by ID"}
}

// Census counts, for the containers of entries that vanished, how many known
// entries they held and how many of those they still show. The zero value is
// not usable.
type Census struct{ held map[string]*tally }

type tally struct {
	name         string
	known, shown int
}

// NewCensus prepares the census for the containers of the absent.
func NewCensus(absent []identity.DN) *Census {
	c := &Census{held: map[string]*tally{}}
	for _, dn := range absent {
		for p := dn; !p.IsZero(); {
			p = p.Parent()
			if _, ok := c.held[p.Key()]; ok {
				break // and so are those above
			}
			c.held[p.Key()] = &tally{name: p.String()}
		}
	}
	return c
}

// Held counts a known entry that was under dn and is not seen.
func (c *Census) Held(dn identity.DN) {
	for key, more := above(dn.Key()); more; key, more = above(key) {
		if t := c.held[key]; t != nil {
			t.known++
		}
	}
}

// Shown counts a known entry that was under was and is seen under now. It
// speaks for the containers that it was in and is still in.
func (c *Census) Shown(was, now identity.DN) {
	for key, more := above(was.Key()); more; key, more = above(key) {
		t := c.held[key]
		if t == nil {
			continue
		}
		t.known++
		if within(now.Key(), key) {
			t.shown++
		}
	}
}

// Silent says whether the nearest container of dn that held MinContainer known
// entries shows none of them, and names it.
func (c *Census) Silent(dn identity.DN) (container string, silent bool) {
	for key, more := above(dn.Key()); more; key, more = above(key) {
		if t := c.held[key]; t != nil && t.known >= MinContainer {
			return t.name, t.shown == 0
		}
	}
	return "", false
}

// Dark says whether the container of dn held others, and shows none of them any more.
func (c *Census) Dark(dn identity.DN) bool {
	t := c.held[dn.Parent().Key()]
	return t != nil && t.known > 1 && t.shown == 0
}

// above is the key of the parent, and false for that of the root.
func above(key string) (string, bool) {
	if key == "" {
		return "", false
	}
	_, rest, _ := strings.Cut(key, ",")
	return rest, true
}

// within compares keys of names as DN.Within does: below, not the same.
func within(key, container string) bool {
	return container == "" || strings.HasSuffix(key, container) && len(key) > len(container) && key[len(key)-len(container)-1] == ','
}
