package ldap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// timestamp finds changed entries by the time that the server writes into them:
// entryCSN where there is one, else modifyTimestamp. It sees no deletions.
//
// Times come from several clocks, and a change may be shown after another with a
// later time. So it looks back from the latest time that it saw, and knows by
// their stamps those that it told before. A replica can bring changes that are
// older still; where contextCSN says from when on, it looks back to there.
type timestamp struct {
	s    *Source
	conn *ldapwire.Conn
	was  stampToken
	now  *stamps // what the gate saw
	seen directory.Knowledge
}

const (
	// overlap is how far it looks back: what clocks may differ, what a replica may
	// be late, and how long one write may take.
	overlap = 10 * time.Minute
	// aSecond and a bit: after that nothing gets the same modifyTimestamp again.
	aSecond = 1100 * time.Millisecond

	stampSeconds = "20060102150405"
	firstDay     = "19700101000000"
	csnStart     = ".000000Z#000000#000#000000"
)

func newTimestamp(s *Source, conn *ldapwire.Conn) engine { return &timestamp{s: s, conn: conn} }

func (t *timestamp) deletes() bool { return false }

// like: another server has another clock, and other changes come late to it.
func (t *timestamp) like() string { return strings.ToLower(t.conn.Server().URL) }

// stampToken is the token, as JSON.
type stampToken struct {
	Attribute string   `json:"attribute"`
	Roots     []string `json:"roots"`
	// From is the time from which on entries are looked at, in seconds.
	From string `json:"from"`
	// Told are the stamps that were told.
	Told stampSet `json:"told"`
	// Shown is what the server had seen.
	Shown directory.Knowledge `json:"shown,omitempty"`
	// Says is that with each change it has seen more.
	Says bool `json:"says,omitempty"`
}

// from is the value from which on to look, for a server that has seen so much.
func (t stampToken) from(seen directory.Knowledge) string {
	if t.Attribute == modifyTimestamp {
		return t.From + "Z"
	}
	from := t.From + csnStart
	for place, now := range seen {
		// What came from there since then is later than what came before.
		if shown := t.Shown[place]; shown != now {
			from = min(from, cmp.Or(shown, firstDay+csnStart))
		}
	}
	return from
}

const (
	modifyTimestamp = "modifyTimestamp"
	entryCSN        = "entryCSN"
)

func (t *timestamp) start(ctx context.Context) ([]byte, error) {
	roots, err := t.s.roots(ctx, t.conn)
	if err != nil {
		return nil, err
	}
	token := stampToken{Attribute: entryCSN, Shown: t.s.knowledge(ctx, t.conn, false)}
	for _, r := range roots {
		token.Roots = append(token.Roots, r.String())
	}
	last, err := t.latest(ctx, token)
	if err == nil && last == "" {
		token.Attribute = modifyTimestamp
		last, err = t.latest(ctx, token)
	}
	if err != nil {
		return nil, err
	}
	if last == "" {
		return nil, &unfitError{"no entry is found by " + modifyTimestamp, fmt.Sprintf("let %s search by it and read it", orAnybody(t.conn.Server().BindDN))}
	}
	if token.Attribute == entryCSN {
		if token.Says, err = t.says(ctx); err != nil {
			return nil, err
		}
	}
	token.From = t.back(last)
	found, err := t.look(ctx, token, token.Shown)
	if err != nil {
		return nil, err
	}
	token.Told = found.set()
	return t.write(ctx, token)
}

// latest is the latest time, in seconds, of all entries; "" if none shows one. It
// is looked for in ever longer spans, so that a directory that is at work need
// not list everything.
func (t *timestamp) latest(ctx context.Context, token stampToken) (last string, err error) {
	now := t.s.cfg.Now().UTC()
	for _, token.From = range []string{now.Add(-time.Hour).Format(stampSeconds), now.AddDate(0, 0, -7).Format(stampSeconds), firstDay} {
		found, err := t.look(ctx, token, token.Shown)
		if err != nil || found.past != "" {
			return found.past, err
		}
		last = found.last
	}
	return last, nil
}

// back is where to look back to. A time in the future is of a clock that was
// wrong once: with that nothing would be seen until then.
func (t *timestamp) back(last string) string {
	at, err := time.Parse(stampSeconds, last)
	if err != nil {
		return firstDay
	}
	if now := t.s.cfg.Now().UTC(); at.After(now) {
		at = now
	}
	return at.Add(-overlap).Format(stampSeconds)
}

// look lists the stamps from a time on.
func (t *timestamp) look(ctx context.Context, token stampToken, seen directory.Knowledge) (stamps, error) {
	out := stamps{of: map[identity.ID]stamp{}, now: t.s.cfg.Now().UTC().Format(stampSeconds)}
	name, id, bases := strings.ToLower(token.Attribute), canonical(t.s.cfg.IDAttribute), t.s.bases()
	every := strings.EqualFold(id, t.s.profile.id)
	filter := fmt.Sprintf("(%s>=%s)", token.Attribute, token.from(seen))
	for _, root := range token.Roots {
		_, err := t.conn.Search(ctx, ldapwire.Request{Base: root, Scope: ldapwire.ScopeSubtree, Filter: filter, Attributes: []string{token.Attribute, t.s.cfg.IDAttribute},
			PageSize: t.s.cfg.PageSize, IgnoreReferrals: t.s.cfg.IgnoreReferrals}, func(e *ldapwire.Entry) error {
			return out.add(e, name, id, every, bases)
		})
		if err != nil {
			return stamps{}, err
		}
	}
	if out.odd != "" {
		return stamps{}, &unfitError{why: out.odd}
	}
	return out, nil
}

// write makes a token that stands once nothing can get a stamp any more that was
// told: entries are read after that.
func (t *timestamp) write(ctx context.Context, token stampToken) ([]byte, error) {
	if token.Attribute == modifyTimestamp {
		if err := t.s.cfg.Pause(ctx, aSecond); err != nil {
			return nil, err
		}
	}
	out, err := json.Marshal(token)
	if err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return out, nil
}

func (t *timestamp) moved(ctx context.Context, token []byte, seen directory.Knowledge) (bool, error) {
	t.seen, t.was = seen, stampToken{}
	if err := json.Unmarshal(token, &t.was); err != nil || len(t.was.Roots) == 0 || len(t.was.From) != len(stampSeconds) {
		return false, &directory.LostError{Why: "the token is not one of this engine", Err: err}
	}
	says := t.was.Says && len(seen) > 0
	if says && maps.Equal(seen, t.was.Shown) {
		return false, nil
	}
	found, err := t.look(ctx, t.was, seen)
	if errors.Is(err, ldapwire.ErrNoSuchObject) {
		return false, &directory.LostError{Why: "the root of the tree is not seen any more", Err: err}
	}
	if err != nil {
		return false, err
	}
	t.now = &found
	if found.last == "" {
		// The entries with the latest times were deleted, or none is found any more.
		last, err := t.latest(ctx, t.was)
		if err != nil {
			return false, err
		}
		if last == "" {
			return false, &directory.LostError{Why: "no entry is found by " + t.was.Attribute + " any more"}
		}
	}
	// Where only what the server has seen is later, that is written down, so that the
	// next time it is not looked for again.
	return says || !found.set().equal(t.was.Told), nil
}

// says asks whether the server says of every root what it has seen, at each change:
// a database that answers to content synchronisation does. Others may show for
// ever what they were loaded with.
func (t *timestamp) says(ctx context.Context) (bool, error) {
	_, err := newSyncrepl(t.s, t.conn).start(ctx)
	if err != nil && (!t.conn.Alive() || ctx.Err() != nil) {
		return false, err
	}
	return err == nil, nil
}

func (t *timestamp) news(ctx context.Context, _ []byte, n *news) ([]byte, error) {
	for id, s := range t.now.of {
		if t.was.Told.has(id, s.text) {
			continue
		}
		if !s.inside {
			n.touchOutside(id)
		} else if err := n.touch(id); err != nil {
			return nil, err
		}
	}
	next := t.was
	next.Told, next.Shown = t.now.set(), t.seen
	if last := t.now.latest(); last != "" {
		next.From = max(next.From, t.back(last))
	}
	return t.write(ctx, next)
}
