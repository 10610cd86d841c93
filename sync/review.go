package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
)

// review lets whoever asked see the judged report before the first write.
func (c *cycle) review() error {
	if c.ask.Review == nil {
		return nil
	}
	allow, err := c.ask.Review(c.report)
	c.ask.Allow = allow
	return err
}

// nameHeld notes who is in the holds and not in the plan.
func (c *cycle) nameHeld() error {
	for _, h := range c.report.Holds {
		for _, k := range h.Keys {
			if _, named := c.report.logins[k.Person]; named || !k.Person.Valid() {
				continue
			}
			p, err := c.Store.People(k.Person)
			if errors.Is(err, state.ErrNoPerson) {
				continue
			}
			if err != nil {
				return err
			}
			c.report.logins[k.Person] = p[0].Login
		}
	}
	return nil
}

// describe notes in the report who the people of the plan are, and what it
// rests on for each.
func (c *cycle) describe() error {
	c.report.PolicyHash = c.hash()
	c.report.logins = make(map[identity.Ordinal]string, len(c.input.People))
	for _, t := range c.input.Targets {
		c.report.targets = append(c.report.targets, t.Name)
	}
	if c.report.Policy != nil {
		for who, login := range c.report.Policy.logins {
			c.report.logins[who] = login
		}
	}
	if c.ask.Fingerprints {
		c.report.Fingerprints = make(map[identity.Ordinal]string, len(c.input.People))
	}
	for _, p := range c.input.People {
		c.report.logins[p.Ordinal] = p.Login
		if !c.ask.Fingerprints {
			continue
		}
		print, err := fingerprint(p)
		if err != nil {
			return fmt.Errorf("fingerprint %s: %w", p.Ordinal, err)
		}
		c.report.Fingerprints[p.Ordinal] = print
	}
	return nil
}

// fingerprint is a digest of all that a person's part of the plan rests on: the
// entry as read, what the policy makes of it, and the links.
func fingerprint(p plan.Person) (string, error) {
	type link struct{ Target, Account, Name, Phase string }
	basis := struct {
		DN, Standing string
		Attributes   []identity.Attribute
		Accounts     []mapping.Account
		Links        map[string]link
	}{p.DN.String(), p.Desired.Standing.String(), p.Attributes.List(), p.Desired.Accounts, map[string]link{}}
	for name, s := range p.Seen {
		if s.Link != nil {
			basis.Links[name] = link{name, string(s.Link.Account), s.Link.Name, s.Link.Phase.String()}
		}
	}
	text, err := json.Marshal(basis)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
