package sync

import (
	"github.com/rosterd/rosterd/identity"
)

// exceptions finds out whom the exceptions of the policy mean, and reads those that
// were decided by hand.
func (c *cycle) exceptions(k *knowledge) error {
	var err error
	if k.decided, err = c.Store.Exceptions(); err != nil {
		return err
	}
	meanings, err := c.Store.Meant(c.Policy.People())
	if err != nil {
		return err
	}
	k.meant, k.rivals = map[identity.Ordinal][]string{}, map[identity.Ordinal][]string{}
	for _, m := range meanings {
		for _, who := range m.People {
			if len(m.People) == 1 {
				k.meant[who] = append(k.meant[who], m.Text)
			} else {
				k.rivals[who] = append(k.rivals[who], m.Text)
			}
		}
	}
	return nil
}

// pinPeople ties the texts by which the policy's exceptions name people to whom
// they mean now: whoever is called so later is not meant. Only the policy in force
// does, and only what acts by it.
func (c *cycle) pinPeople() error {
	if c.lane || c.ask.DryRun || c.Frozen != "" {
		return nil
	}
	return c.Store.PinMeant(c.Policy.Exceptions())
}
