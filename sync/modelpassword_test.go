package sync_test

import (
	"context"
	"errors"
	"fmt"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/internal/handover"
	"github.com/rosterd/rosterd/target"
)

// courier hands over the passwords of one target, until it is dead.
type courier struct {
	*handover.Desk
	m    *model
	name string
}

func newCouriers(t *rapid.T, m *model) map[string]*courier {
	out := map[string]*courier{}
	for _, name := range []string{"chat", "wiki"} {
		desk, err := handover.New(handover.Config{Command: []string{"/bin/false"}})
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &courier{Desk: desk, m: m, name: name}
	}
	return out
}

func (c *courier) Way() string { return "by hand" }

func (c *courier) Give(_ context.Context, l handover.Letter) error {
	c.m.crash.Lock()
	defer c.m.crash.Unlock()
	c.m.carried++
	if c.m.dead || c.m.loses > 0 && c.m.carried%c.m.loses == 0 {
		return &handover.Error{Err: errors.New("as asked")}
	}
	c.m.letters[c.name] = append(c.m.letters[c.name], l)
	return nil
}

// courierFault loses every n-th letter.
func (m *model) courierFault() {
	m.loses = rapid.IntRange(1, 3).Draw(m.t, "every")
	m.say("every %d. letter is lost", m.loses)
	m.faulty = true
}

// unread says where somebody has an open account that we made, and no letter that lets
// them in.
func (m *model) unread() string {
	if !m.with["passwords"] {
		return ""
	}
	for _, name := range []string{"chat", "wiki"} {
		w, made := m.member[name], map[target.NativeID]bool{}
		for _, x := range w.Writes() {
			made[x.Account.ID] = made[x.Account.ID] || x.Verb == target.Create && x.Done
			if x.Verb == target.SetPassword && x.Done && !made[x.Account.ID] {
				return fmt.Sprintf("%s in %s got a password, and we did not make it", x.Account.Name, name)
			}
		}
		for _, a := range w.Accounts() {
			if !made[a.ID] || !a.Enabled {
				continue
			}
			in := false
			for _, l := range m.letters[name] {
				got, _ := w.Login(a.ID, l.Password.Reveal())
				in = in || got
			}
			if !in {
				return fmt.Sprintf("nobody has the password of %s in %s", a.Name, name)
			}
		}
	}
	return ""
}
