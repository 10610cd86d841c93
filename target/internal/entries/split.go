package entries

import (
	"context"
	"errors"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

const (
	// MembersPerWrite is how many members one request adds or removes.
	MembersPerWrite = 500
	// bytesPerWrite is how long their names may be in all: a server that takes no
	// longer request than this takes none of those that it was made for (slapd's
	// sockbuf_max_incoming, that of strangers even, is twice that).
	bytesPerWrite = 128 << 10
)

// cut takes the members of the next request off the list.
func cut(todo []string, most int) (part, rest []string) {
	n, bytes := 0, 0
	for n < len(todo) && n < most {
		if bytes += len(todo[n]); n > 0 && bytes > bytesPerWrite {
			break
		}
		n++
	}
	return todo[:n], todo[n:]
}

// tooLong says whether a request that had no answer is one to be sent again in halves:
// a server hangs up on one that is longer than it takes, and says nothing. One that
// is silent, or a call that was ended, is another matter.
func tooLong(ctx context.Context, err error, members int) bool {
	return members > 1 && ctx.Err() == nil && target.ClassOf(err) == target.InDoubt && !errors.Is(err, ldapwire.ErrIdle)
}

// redial goes on with a new connection.
func (s *session) redial(ctx context.Context) error {
	c, err := ldapwire.Dial(ctx, s.t.cfg.Wire)
	if err != nil {
		return s.read(err)
	}
	s.c.Close() //nolint:errcheck // it is broken
	s.c = c
	return nil
}
