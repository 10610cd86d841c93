package state

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
)

// calledBy collects what people are called, now and in the journal.
type calledBy struct {
	who map[identity.Ordinal]bool
	// names tell one person; shared may be those of others too.
	names, shared map[string]bool
}

func newCalledBy(who []identity.Ordinal) *calledBy {
	c := &calledBy{who: map[identity.Ordinal]bool{}, names: map[string]bool{}, shared: map[string]bool{}}
	for _, o := range who {
		c.who[o] = true
	}
	return c
}

func (c *calledBy) add(list ...string) {
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			c.names[s] = true
		}
	}
}

func (c *calledBy) dn(text string) {
	c.add(text)
	if dn, err := identity.ParseDN(text); err == nil && !dn.IsZero() {
		c.add(dn.String(), dn.Key())
	}
}

// inJournal collects what the journal calls them, for instance before a rename.
func (c *calledBy) inJournal(s *Store) error {
	return s.walkJournal(nil, func(_ uint64, raw []byte) error {
		people, err := journal.People(raw)
		if err != nil {
			return err
		}
		theirs := false
		for _, p := range people {
			theirs = theirs || c.who[identity.Ordinal(p)]
		}
		if !theirs {
			return nil
		}
		r, err := journal.Decode(raw)
		if err != nil {
			return err
		}
		for _, p := range r.Parts {
			if c.who[identity.Ordinal(p.Person)] {
				c.part(p)
			}
		}
		return nil
	})
}

// part collects what one personal part calls whom it is about.
func (c *calledBy) part(p journal.Part) {
	var w struct {
		ID, DN, Login string
		Event         account
	}
	if json.Unmarshal(p.Event(), &w) != nil {
		return
	}
	c.dn(w.DN)
	c.add(w.ID, w.Login, w.Event.Name, w.Event.OldName)
	c.dn(string(w.Event.Account))
	for _, v := range w.Event.Set {
		for _, text := range slices.Concat(v.Values, v.Without) {
			if strings.Contains(text, "@") && !strings.Contains(text, " ") {
				c.add(text)
			}
		}
	}
}

// inState collects what they are called now, and leaves out what is somebody
// else's name by now: a login that was given again belongs to who has it.
func (c *calledBy) inState(tx *txn) error {
	for o := range c.who {
		v := tx.Bucket(bPeople).Get(ordKey(o))
		if v == nil {
			continue
		}
		p, err := decodeLean(v)
		if err != nil {
			return err
		}
		c.dn(p.dn)
		c.add(p.login, p.mail, string(p.id))
		c.shared[p.name], c.shared[p.rehireKey] = true, true
	}
	accounts := map[string]bool{} // of others
	if err := tx.Bucket(bLinks).ForEach(func(k, v []byte) error {
		l, err := decodeLink(identity.Ordinal(fromU64(k)), string(k[8:]), v)
		switch {
		case err != nil:
			return err
		case c.who[l.Person]:
			c.add(l.Name)
			c.dn(string(l.Account))
			c.dn(l.Reference)
		case l.Phase != ledger.Deleted:
			for _, name := range []string{l.Name, string(l.Account), l.Reference} {
				accounts[strings.ToLower(name)] = true
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for name := range c.names {
		others, err := findOrdinals(tx, name)
		if err != nil {
			return err
		}
		taken := accounts[strings.ToLower(name)]
		for _, o := range others {
			taken = taken || !c.who[o] && (tx.Bucket(bPeople).Get(ordKey(o)) != nil || tx.Bucket(bGroups).Get(ordKey(o)) != nil)
		}
		if taken {
			delete(c.names, name)
		}
	}
	delete(c.shared, "")
	return nil
}

// sharedWithWords makes names shared that are also those of a target or a source:
// what is said of others speaks of that.
func (c *calledBy) sharedWithWords(tx *txn) {
	for name := range c.names {
		for _, b := range [][]byte{bTargets, bSources} {
			if v := tx.Bucket(b).Get([]byte(strings.ToLower(name))); v != nil {
				c.shared[name] = true
				delete(c.names, name)
			}
		}
	}
}

// refs are how groups write them as members.
func (c *calledBy) refs() map[string]bool {
	out := map[string]bool{}
	for name := range c.names {
		out[byLogin+name] = true
		if dn, err := identity.ParseDN(name); err == nil && !dn.IsZero() {
			out[byDN+dn.Key()] = true
		}
	}
	return out
}
