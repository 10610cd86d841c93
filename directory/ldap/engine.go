package ldap

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// engine finds what changed on a server. What it says is a hint: the frame reads
// afresh whom it names. It is made for one connection, and used once: for a
// start, or for a gate and the news after it.
type engine interface {
	// deletes says that it tells who was deleted.
	deletes() bool
	// like is what a token of it depends on beside what all depend on; "" is
	// nothing more.
	like() string
	// start gives the token from which on all changes are told. It comes before
	// the first page of a listing. A server or a bind user that it cannot work
	// with is an *unfitError.
	start(ctx context.Context) (token []byte, err error)
	// moved is the gate: false only where nothing at all changed. Seen is what the
	// server says that it has seen.
	moved(ctx context.Context, token []byte, seen directory.Knowledge) (bool, error)
	// news tells all that changed since the token, and gives the next one. Only
	// without an error is it complete. A token that does not hold is a
	// *directory.LostError.
	news(ctx context.Context, token []byte, n *news) (next []byte, err error)
}

// news is what an engine found.
type news struct {
	// touched are to be read afresh, whatever they are: true, or only if they are
	// known: false.
	touched map[identity.ID]bool
	// at are the names under which entries were met, where an engine shows them.
	at map[identity.ID]identity.DN
	// gone are deleted, with what proves it. They are looked up all the same.
	gone map[identity.ID]string
	// hidden are those that the server does not show any more: deleted, or hidden. By
	// what that is evidence, where others are seen in the same container.
	hidden map[identity.ID]string
	// present are those of a part of the tree that are there; others are looked for.
	present []presence
	// edits are what groups gained and lost. Those groups are not read again for
	// that.
	edits []directory.Edit
	// edited says that the engine tells by edits when the server changes the
	// members of groups because a member was renamed or deleted.
	edited bool
	// sweep says why a listing of IDs must come next.
	sweep string
	count int
}

// presence is who is there below a name.
type presence struct {
	root string
	ids  map[identity.ID]bool
}

func newNews() *news {
	return &news{touched: map[identity.ID]bool{}, gone: map[identity.ID]string{}, at: map[identity.ID]identity.DN{}, hidden: map[identity.ID]string{}}
}

// tooMany is above how many changed entries everything is read instead: a hundred
// a search, that is slower than a listing, and no cheaper for the server.
const tooMany = 20000

func (n *news) touch(id identity.ID) error {
	if !n.touched[id] {
		n.touched[id] = true
		n.count++
	}
	if n.count > tooMany {
		return &directory.LostError{Why: fmt.Sprintf("more than %d entries changed", tooMany)}
	}
	return nil
}

// lost is of an entry that the server does not show any more: looked at if it is
// known.
func (n *news) lost(id identity.ID, by string) {
	n.hidden[id] = by
	n.touchOutside(id)
}

// touchOutside is of an entry that lies below no base: only who is known matters.
func (n *news) touchOutside(id identity.ID) {
	if !n.touched[id] {
		n.touched[id] = false
	}
}

const engineTimestamp = "timestamp"

// engines makes them by name.
var engines = map[string]func(*Source, *ldapwire.Conn) engine{
	engineSyncrepl:  newSyncrepl,
	engineTimestamp: newTimestamp,
	engineUSN:       newUSN,
	engineDirSync:   newDirSync,
}

// unfitError: an engine cannot work here.
type unfitError struct{ why, hint string }

func (e *unfitError) Error() string { return e.why }
func (e *unfitError) Hint() string  { return e.hint }

// choices are the engines to try, the best first, and why there are none.
func (s *Source) choices() (names []string, why string) {
	switch c := s.cfg.Changes; {
	case c == changesFull:
		return nil, `changes = "full"`
	case s.computes() != "":
		return nil, fmt.Sprintf("%s is needed, and the server does not tell when it changes", s.computes())
	case c == changesAuto:
		return s.profile.engines, "no way to follow changes is known here"
	default:
		return []string{c}, ""
	}
}

const (
	changesAuto = "auto"
	changesFull = "full"
)

// started is a cursor before it has a time.
type started struct {
	cursor directory.Cursor
	// declined are the engines that do not fit, with the reason.
	declined []declined
}

type declined struct {
	engine string
	err    error
}

func (s started) since(at time.Time) directory.Cursor {
	c := s.cursor
	if !c.IsZero() {
		c.At = at
	}
	return c
}

// start begins to follow with the first engine that fits.
func (s *Source) start(ctx context.Context, conn *ldapwire.Conn) (started, error) {
	var out started
	names, why := s.choices()
	for _, name := range names {
		e := engines[name](s, conn)
		token, err := e.start(ctx)
		// An answer of the server declines the engine; whether it is worse than that
		// the listing finds out.
		if unfit := (*unfitError)(nil); errors.As(err, &unfit) || err != nil && conn.Alive() && ctx.Err() == nil {
			out.declined = append(out.declined, declined{name, err})
			continue
		}
		if err != nil {
			return out, fmt.Errorf("begin to follow changes (%s): %w", name, err)
		}
		if token, err = (bookmark{Engine: token}).text(); err != nil {
			return started{}, err
		}
		out.cursor = directory.Cursor{Engine: name, Like: s.like(conn.Server(), name, e), Token: token, Deletes: e.deletes()}
		return out, nil
	}
	if len(names) == 0 {
		out.declined = []declined{{"", &unfitError{why: why}}}
	}
	return out, nil
}

// like is a digest of all that a cursor depends on.
func (s *Source) like(server ldapwire.Server, name string, e engine) string {
	p := s.cfg.Person
	parts := []string{name, s.profile.name, bindIdentity(server), s.scope, strings.Join(s.coverage.Names(), " "), e.like(),
		// What is made of the attributes that were read.
		p.Login, p.Mail, p.Name, p.Key, s.cfg.Groups.Name}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return fmt.Sprintf("%s:%x", name, sum[:12])
}

// resume is the engine that made a cursor, if what it depends on is as it was.
func (s *Source) resume(conn *ldapwire.Conn, since directory.Cursor) (engine, error) {
	names, why := s.choices()
	switch {
	case since.IsZero():
		return nil, &directory.LostError{Why: "changes were not followed before"}
	case len(names) == 0:
		return nil, &directory.LostError{Why: why}
	case !slices.Contains(names, since.Engine):
		return nil, &directory.LostError{Why: fmt.Sprintf("changes were followed by %s, which is not on offer any more", since.Engine)}
	}
	e := engines[since.Engine](s, conn)
	if since.Like != s.like(conn.Server(), since.Engine, e) {
		return nil, &directory.LostError{Why: "the server, the bind identity, or what is read is not what it was"}
	}
	return e, nil
}
