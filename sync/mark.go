package sync

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// markPrefix begins every mark.
const markPrefix = "rosterd:"

// mark is what rosterd leaves on an account that it owns: which state owns it, the
// number that the person has there, and who that is in the directory. The number
// means nothing once the state is lost; the other can be made again by whoever reads
// the same directory for the same target.
type mark struct {
	serial string
	number identity.Ordinal
	// who is empty in marks of older versions.
	who string
}

func (m mark) String() string {
	text := fmt.Sprintf("%s%s:%d", markPrefix, m.serial, uint64(m.number))
	if m.who != "" {
		text += ":" + m.who
	}
	return text
}

func parseMark(text string) (mark, bool) {
	rest, is := strings.CutPrefix(text, markPrefix)
	parts := strings.Split(rest, ":")
	if !is || len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
		return mark{}, false
	}
	n, err := strconv.ParseUint(parts[1], 10, 63)
	m := mark{serial: parts[0], number: identity.Ordinal(n)}
	if len(parts) == 3 {
		m.who = strings.ToLower(parts[2])
	}
	return m, err == nil && n > 0
}

// whoIs is a digest of who somebody is in their source, for one target: accounts in
// two targets on one system are told apart, and nobody reads an ID out of it.
func whoIs(name string, p identity.Key) string {
	h := sha256.New()
	var n [8]byte
	for _, text := range []string{"mark", name, p.Source, string(p.ID)} {
		binary.BigEndian.PutUint64(n[:], uint64(len(text)))
		h.Write(n[:])
		h.Write([]byte(text))
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// mark is that of a person's account in the target.
func (a *applier) mark(who identity.Ordinal) string {
	var key identity.Key
	if p := a.person(who); p != nil {
		key = p.Key
	}
	return a.markOf(a.target.Name, who, key).String()
}

func (e *Engine) markOf(name string, who identity.Ordinal, p identity.Key) mark {
	m := mark{serial: e.Store.Serial(), number: who}
	if p.Source != "" {
		m.who = whoIs(name, p)
	}
	return m
}

// readMarks says of the accounts of one target that are nobody's and carry a mark
// whose it says they are.
func (c *cycle) readMarks(t *plan.Target, seen [][]target.Account) error {
	found := map[target.NativeID]mark{}
	accounts := map[target.NativeID]target.Account{}
	for _, list := range seen {
		for _, a := range list {
			m, is := parseMark(a.Mark)
			if !is {
				continue
			}
			_, owned, err := c.Store.LinkOwner(t.Name, a.ID)
			if err != nil {
				return err
			}
			if !owned {
				found[a.ID], accounts[a.ID] = m, a
			}
		}
	}
	if err := c.readShared(t, seen, found); err != nil {
		return err
	}
	clear := true
	if len(found) > 0 {
		r, err := c.markReader(t.Name, found)
		if err != nil {
			return err
		}
		for id, m := range found {
			known, err := r.read(m)
			if err != nil {
				return err
			}
			clear = clear && (known.Ours || !known.Named)
			t.Marked = append(t.Marked, plan.Marked{Account: accounts[id], Mark: known})
		}
	}
	slices.SortFunc(t.Marked, func(a, b plan.Marked) int { return cmp.Compare(a.Account.ID, b.Account.ID) })
	return c.noteListed(t.Name, clear)
}

// readShared finds the accounts that are managed as those of another target, where two
// are of one system. Their marks need not be asked.
func (c *cycle) readShared(t *plan.Target, seen [][]target.Account, found map[target.NativeID]mark) error {
	here, err := c.Store.Target(t.Name)
	if err != nil {
		return err
	}
	for _, other := range c.Targets {
		there, err := c.Store.Target(other.Name)
		if err != nil {
			return err
		}
		if other.Name == t.Name || here.Identity == "" || here.Identity != there.Identity {
			continue
		}
		for _, list := range seen {
			for _, a := range list {
				_, owned, err := c.Store.LinkOwner(other.Name, a.ID)
				if err != nil {
					return err
				}
				if _, mine := t.Owners[a.ID]; !owned || mine {
					continue
				}
				m, _ := parseMark(a.Mark)
				t.Marked = append(t.Marked, plan.Marked{Account: a, Mark: plan.Mark{State: m.serial, Ours: true, Target: other.Name}})
				delete(found, a.ID)
			}
		}
	}
	return nil
}

// noteListed remembers that a whole listing had no account which a state that is lost
// had made for somebody here.
func (c *cycle) noteListed(name string, clear bool) error {
	if _, listed := c.listed[name]; !listed || !clear {
		return nil
	}
	known, err := c.Store.Target(name)
	if err != nil || known.Listed || known.Name == "" {
		return err
	}
	known.Listed = true
	return c.Store.SaveTarget(known)
}

// markReader knows of everybody who is known the digest that their mark has.
type markReader struct {
	*cycle
	// serials are those of this state, with the last number that it gave under each;
	// the present one is not among them.
	serials map[string]uint64
	people  map[string]identity.Ordinal
	// others are the digests for other targets.
	others map[string]string
}

func (c *cycle) markReader(name string, found map[target.NativeID]mark) (markReader, error) {
	r := markReader{cycle: c, people: map[string]identity.Ordinal{}, others: map[string]string{}}
	var err error
	if r.serials, err = c.Store.FormerSerials(); err != nil {
		return r, err
	}
	asked := map[string]bool{}
	for _, m := range found {
		asked[m.who] = m.who != ""
	}
	for _, s := range c.Sources {
		err := c.Store.EachPerson(s.Name(), func(p identity.Person) error {
			if who := whoIs(name, p.Key); asked[who] {
				r.people[who] = p.Ordinal
			}
			for _, other := range c.Targets {
				if who := whoIs(other.Name, p.Key); other.Name != name && asked[who] {
					r.others[who] = other.Name
				}
			}
			return nil
		})
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r markReader) read(m mark) (plan.Mark, error) {
	last, former := r.serials[m.serial]
	out := plan.Mark{State: m.serial, Ours: former || m.serial == r.Store.Serial(), Named: m.who != "", Target: r.others[m.who]}
	if out.Target != "" {
		return out, nil
	}
	if out.Person = r.people[m.who]; out.Person.Valid() {
		return out, nil
	}
	// Who came back under another ID has their number still.
	if former && uint64(m.number) <= last || out.Ours && !former {
		there, err := r.Store.Knows(m.number)
		if err != nil {
			return out, err
		}
		if there {
			out.Person = m.number
		}
	}
	return out, nil
}
