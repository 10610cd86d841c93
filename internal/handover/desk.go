package handover

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/rosterd/rosterd/internal/span"
)

// Desk makes passwords and hands them over. Its methods may be called from several
// goroutines.
type Desk struct {
	way     way
	timeout time.Duration
	random  io.Reader
}

// way is one way of handing over.
type way interface {
	give(ctx context.Context, text []byte, l Letter) error
	// String says it in a few words: "by …".
	String() string
	// ready says what is wrong before anything is given.
	ready() (string, error)
}

// New makes a desk of a valid configuration.
func New(c Config) (*Desk, error) {
	d := &Desk{timeout: time.Duration(c.Timeout), random: rand.Reader}
	if d.timeout == 0 {
		d.timeout = DefaultTimeout
	}
	if len(c.Command) > 0 {
		d.way = command(c.Command)
		return d, nil
	}
	keys, err := recipients(c.Age)
	if err != nil {
		return nil, fmt.Errorf("hand over passwords: %w", err)
	}
	d.way = &sealed{folder: c.Folder, keys: keys}
	return d, nil
}

// Way says how passwords are handed over.
func (d *Desk) Way() string { return d.way.String() }

// Ready looks whether one could be handed over, and says what was found.
func (d *Desk) Ready() (string, error) { return d.way.ready() }

// Give hands a letter over. Without an error it was taken; with one nobody knows, and
// the password in it is to be replaced.
func (d *Desk) Give(ctx context.Context, l Letter) error {
	text, err := l.text()
	if err != nil {
		return fmt.Errorf("hand over a password: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	err = d.way.give(limited, text, l)
	clear(text)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = fmt.Errorf("it did not end within %s", span.Duration(d.timeout))
	}
	if err != nil {
		return &Error{Err: fmt.Errorf("the password was set and not handed over %s: %w", d.Way(), err)}
	}
	return nil
}

// Error is a password that was not handed over.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what to do about it.
func (e *Error) Hint() string {
	return "another one is set and handed over at the next attempt; mend the way first, see: rosterd check"
}
