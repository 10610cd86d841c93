package entries

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Create adds an entry below the base. A name that an entry anywhere in the
// containers of accounts has is taken, that of a disabled one too.
func (t *Accounts) Create(ctx context.Context, name string, set []target.Value, mark string) (target.Ref, error) {
	var made target.Created
	t.CreateAll(ctx, []target.Creation{{Name: name, Set: set, Mark: mark}}, func(_ int, c target.Created) bool {
		made = c
		return true
	})
	return made.Account, made.Err
}

// CreateAll adds many, with one search for names that are taken, one for what
// groups still say of somebody who was there before, and an add for each.
func (t *Accounts) CreateAll(ctx context.Context, accounts []target.Creation, told func(int, target.Created) bool) {
	for at := 0; at < len(accounts); at += idsPerFilter {
		part := accounts[at:min(at+idsPerFilter, len(accounts))]
		c := creating{t: t, tell: func(i int, ref target.Ref, err error) bool {
			if err != nil {
				ref = target.Ref{}
			}
			return told(at+i, target.Created{Account: ref, Err: err})
		}}
		if !c.run(ctx, part) {
			return
		}
	}
}

// newcomer is an account that is to be made.
type newcomer struct {
	at         int
	name       string
	set        []target.Value
	place, dn  identity.DN
	attributes []ldapwire.Values
	taken      error    // who has the name, or what is wrong with the place
	stale      []string // groups that name somebody who was there before
	id         target.NativeID
	told       bool
}

func (n *newcomer) doing() string { return fmt.Sprintf("create %q", n.name) }

// newcomer says what is to be added, or why that cannot be.
func (t *Accounts) newcomer(a target.Creation) (*newcomer, error) {
	n := &newcomer{name: a.Name, set: a.Set}
	if err := t.fitName(n.doing(), a.Name); err != nil {
		return nil, err
	}
	title, err := t.titleOf(n.doing(), a.Name, a.Set)
	if err != nil {
		return nil, err
	}
	if n.place, err = t.placeOf(n.doing(), a.Set); err != nil {
		return nil, err
	}
	n.dn = identity.JoinRDN(t.cfg.RDN, title, n.place)
	n.attributes, err = t.fresh(n.doing(), a.Name, title, a.Set, a.Mark)
	return n, err
}

// creating is one part of a CreateAll under way.
type creating struct {
	t    *Accounts
	tell func(int, target.Ref, error) bool
	all  []*newcomer // but for those that were refused before anything was sent
	// unread were added and not shown, stale were added and are to be stripped, and
	// the titles of met are another's, it seems.
	unread, stale []*newcomer
	met           map[*newcomer]error
	enough        bool // whoever is told wants no more sent
	doubted       bool // somebody was told that it is in doubt
}

// run makes the accounts, and says whether the target can be asked for more.
func (c *creating) run(ctx context.Context, part []target.Creation) bool {
	names := map[string]bool{}
	for i, a := range part {
		n, err := c.t.newcomer(a)
		if err == nil && names[Canon(c.t.cfg.Name, n.name)] {
			err = &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: another that is made at the same time has that name", n.doing())}
		}
		if err != nil {
			if !c.tell(i, target.Ref{}, err) {
				return false
			}
			continue
		}
		n.at = i
		names[Canon(c.t.cfg.Name, n.name)] = true
		c.all = append(c.all, n)
	}
	if len(c.all) == 0 {
		return true
	}
	doing := c.all[0].doing()
	if len(c.all) > 1 {
		doing = fmt.Sprintf("create %q and %d more", c.all[0].name, len(c.all)-1)
	}
	err := c.t.with(ctx, doing, func(s *session) error { return c.make(ctx, s) })
	if err == nil {
		return !c.enough
	}
	if !c.doubted { // nothing was on its way: one is told what is the matter
		for _, n := range c.all {
			if !n.told {
				c.say(n, "", err)
				break
			}
		}
	}
	return false
}

// make does it on a connection.
func (c *creating) make(ctx context.Context, s *session) error {
	if err := s.namesFree(ctx, c.all); err != nil {
		return err
	}
	var free []*newcomer
	for _, n := range c.all {
		if n.taken == nil {
			free = append(free, n)
		}
	}
	free, err := s.placed(ctx, free)
	if err != nil {
		return err
	}
	if err := s.staleGroups(ctx, free); err != nil {
		return err
	}
	free = slices.DeleteFunc(free, func(n *newcomer) bool { return n.taken != nil })
	s.final = true // what comes is told
	c.met = map[*newcomer]error{}
	for _, n := range c.all {
		if n.taken != nil && !c.say(n, "", n.taken) {
			return nil
		}
	}
	additions := make([]ldapwire.Addition, len(free))
	for i, n := range free {
		additions[i] = ldapwire.Addition{DN: n.dn.String(), Attributes: n.attributes}
	}
	broken := s.c.AddAll(ctx, additions, func(i int, rec ldapwire.Record, err error) bool {
		return c.answered(s, free[i], rec, err)
	}, s.t.attributes()...)
	c.finish(ctx, s)
	return s.read(broken)
}

// answered takes the answer to one add. One that is to be stripped, or that was
// not shown, is told later: the connection is in use.
func (c *creating) answered(s *session, n *newcomer, rec ldapwire.Record, err error) bool {
	if err != nil {
		s.doing = n.doing()
		err = s.write(err)
		c.doubted = c.doubted || target.ClassOf(err) == target.InDoubt
		var e *target.Error
		if err = c.t.vanished(n.place, err); errors.As(err, &e) && e.Class == target.Missing {
			e.Class, e.Tip = target.Denied, "check the configuration: the base "+c.t.cfg.Base.String()+" is not there"
		}
		if c.t.titled() && target.ClassOf(err) == target.Exists {
			c.met[n] = err
			return !c.enough
		}
		return c.say(n, "", err)
	}
	if rec.First(c.t.cfg.IDAttribute) == "" {
		c.unread = append(c.unread, n)
		return !c.enough
	}
	e, err := c.t.entry(rec)
	if err != nil {
		return c.say(n, "", c.after(n, err))
	}
	return c.added(n, e)
}

// added is an entry that is there and was seen.
func (c *creating) added(n *newcomer, e entry) bool {
	c.t.remember(e)
	if len(n.stale) > 0 {
		n.id = e.id
		c.stale = append(c.stale, n)
		return !c.enough
	}
	return c.say(n, e.id, nil)
}

// finish reads the entries that the server did not show with its answers, and
// takes those whose place somebody had before out of that one's groups. Only now
// is it sure that those memberships were nobody's.
func (c *creating) finish(ctx context.Context, s *session) {
	if len(c.unread) > 0 {
		found, err := s.byNames(ctx, c.unread)
		for _, n := range c.unread {
			e, there := found[n.dn.Key()]
			switch {
			case err != nil:
				c.say(n, "", c.after(n, err))
			case !there:
				c.say(n, "", c.after(n, errors.New("it is not to be seen")))
			default:
				c.added(n, e)
			}
		}
	}
	for _, n := range c.all {
		if err := c.met[n]; err != nil {
			c.say(n, "", s.titleTaken(ctx, n.dn, err))
		}
	}
	for _, n := range c.stale {
		s.doing = n.doing()
		if err := s.stripFrom(ctx, n.stale, s.t.standsFor(n)); err != nil {
			c.say(n, "", c.after(n, err))
			continue
		}
		c.say(n, n.id, nil)
	}
}

// after is an error from when the entry was there already.
func (c *creating) after(n *newcomer, err error) error {
	c.doubted = true
	return &target.Error{Class: target.InDoubt, Err: fmt.Errorf("%s: it was added, and then: %w", n.doing(), err), Tip: hintOf(err)}
}

func (c *creating) say(n *newcomer, id target.NativeID, err error) bool {
	n.told = true
	goOn := c.tell(n.at, target.Ref{ID: id, Name: n.name}, err)
	c.enough = c.enough || !goOn
	return !c.enough
}
