package directory

import (
	"fmt"
	"time"
)

// Informed is a stage that says what the snapshot was taken from. A source with
// several servers leaves one that has seen less for the next.
type Informed interface{ Known() Knowledge }

// KnownTo is what the snapshot behind a stage was taken from; nothing, if it does
// not say.
func KnownTo(s Stage) Knowledge {
	if i, is := s.(Informed); is {
		return i.Known()
	}
	return nil
}

// Current refuses a server that has seen less than what is known: it is complete,
// and wrong.
func Current(server string, seen, known Knowledge) error {
	place, saw := seen.Behind(known)
	if place == "" {
		return nil
	}
	return &BehindError{Server: server, Place: place, Seen: saw, Known: known[place]}
}

// BehindError: the server has seen less than the snapshot was taken from, as a
// replica that stopped following, or one restored from a backup. Nothing that
// it shows is believed.
type BehindError struct {
	Server string
	// Place is where the changes were made of which later ones are known; Seen
	// is the last that this server knows, empty if it does not say, and Known
	// the last that the snapshot has.
	Place, Seen, Known string
}

func (e *BehindError) Error() string {
	if e.Seen == "" {
		return fmt.Sprintf("%s does not say how much it has seen of %s, and changes up to %s are known: it may be behind", e.Server, e.Place, e.Known)
	}
	return fmt.Sprintf("%s is behind%s: it has seen %s of %s, and changes up to %s are known", e.Server, e.lag(), e.Seen, e.Place, e.Known)
}

// lag is how far behind, where that can be told.
func (e *BehindError) lag() string {
	const form = "20060102150405"
	if len(e.Seen) < len(form) || len(e.Known) < len(form) {
		return ""
	}
	seen, err := time.Parse(form, e.Seen[:len(form)])
	known, err2 := time.Parse(form, e.Known[:len(form)])
	if err != nil || err2 != nil {
		return ""
	}
	return " by " + known.Sub(seen).Round(time.Second).String()
}

// Hint is what to do.
func (e *BehindError) Hint() string {
	return "let it catch up, or read from another server; if the directory was restored from a backup: rosterd sync --accept-older"
}
