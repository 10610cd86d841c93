package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Decree is an exception that somebody decides by hand.
type Decree struct {
	ledger.Exception
	// Was is the earlier decision that it took the place of, or that was taken back;
	// zero if there was none.
	Was ledger.Exception
}

// Except keeps an exception about a person and carries out what follows for them.
// It is judged like any other change.
func (e *Engine) Except(ctx context.Context, d *Decree, ask Request) (*Report, error) {
	if strings.TrimSpace(d.Reason) == "" {
		return nil, fmt.Errorf("%s: say why, with --reason", d.Kind)
	}
	if d.Kind == ledger.Grant {
		if !slices.Contains(e.Current().Policy.Roles(), d.Role) {
			return nil, fmt.Errorf("grant: there is no role %q", d.Role)
		}
		if !d.Until.Set() {
			return nil, errors.New("grant: say until when, with --until")
		}
	}
	if d.Until.Set() && !e.Now().Before(d.Until.At) {
		return nil, fmt.Errorf("%s: it would be over already: %s", d.Kind, d.End())
	}
	was, _, err := e.Store.Except(d.Exception)
	if err != nil {
		return nil, err
	}
	d.Was = was
	ask.People = []identity.Ordinal{d.Person}
	return e.Cycle(ctx, ask)
}

// Unexcept takes back an exception that was decided by hand, and carries out what
// follows. Without one it does nothing: Was is then zero.
func (e *Engine) Unexcept(ctx context.Context, d *Decree, by, reason string, ask Request) (*Report, error) {
	was, had, err := e.Store.Unexcept(d.Exception, by, reason)
	if err != nil || !had {
		return nil, err
	}
	d.Was = was
	ask.People = []identity.Ordinal{d.Person}
	return e.Cycle(ctx, ask)
}
