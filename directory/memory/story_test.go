package memory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/sync/followtest"
)

const (
	storyBase = "ou=people,dc=lab,dc=example"
	storyAway = "ou=elsewhere,dc=lab,dc=example"
	storyIn   = "ou=groups,dc=lab,dc=example"
)

// storyWorld is the directory in memory as the story changes it.
type storyWorld struct {
	*memory.Source
	crowd []string
}

func newStoryWorld(crowd int, mute bool) *storyWorld {
	w := &storyWorld{Source: memory.New("corp", memory.Config{Attributes: []string{"title", "description"}, Key: "employeeNumber",
		Bases: []string{storyBase, storyIn}, Follow: true, Mute: mute}, time.Now)}
	w.Put(memory.Record{Kind: directory.Container, DN: storyBase})
	w.Put(memory.Record{Kind: directory.Container, DN: "ou=crowd," + storyBase})
	for i := range crowd {
		login := fmt.Sprintf("reader%04d", i)
		dn := "uid=" + login + ",ou=crowd," + storyBase
		w.crowd = append(w.crowd, dn)
		w.add(dn, login)
	}
	return w
}

func (w *storyWorld) Base() string                    { return storyBase }
func (w *storyWorld) Groups() string                  { return storyIn }
func (w *storyWorld) Elsewhere() string               { return storyAway }
func (w *storyWorld) PersonRDN(login string) string   { return "uid=" + login }
func (w *storyWorld) GroupRDN(name string) string     { return "cn=" + name }
func (w *storyWorld) ContainerRDN(name string) string { return "ou=" + name }
func (w *storyWorld) Title() string                   { return "title" }
func (w *storyWorld) Many() string                    { return "description" }
func (w *storyWorld) Crowd() []string                 { return w.crowd }
func (w *storyWorld) Restart() error                  { return nil }

func (w *storyWorld) Open() (directory.Source, error)    { return w.Source, nil }
func (w *storyWorld) Listing() (directory.Source, error) { return w.Source, nil }

func (w *storyWorld) add(dn, login string) {
	w.Put(memory.Record{Kind: directory.Person, DN: dn, Attributes: map[string][]string{"uid": {login}, "cn": {login}, "mail": {login + "@lab.example"}, "employeeNumber": {"n-" + login}}})
}

func (w *storyWorld) AddPerson(dn, login string) error {
	w.add(dn, login)
	return nil
}

func (w *storyWorld) AddGroup(dn, name string, members ...string) error {
	w.Put(memory.Record{Kind: directory.Group, DN: dn, Attributes: map[string][]string{"cn": {name}}, Members: members})
	return nil
}

func (w *storyWorld) AddContainer(dn, _ string) error {
	w.Put(memory.Record{Kind: directory.Container, DN: dn})
	return nil
}

func (w *storyWorld) change(dn string, edit func(*memory.Record)) error {
	if id := w.At(dn); id == "" || !w.Change(id, edit) {
		return errors.New("there is no " + dn)
	}
	return nil
}

func (w *storyWorld) Set(dn, attribute string, values ...string) error {
	return w.change(dn, func(r *memory.Record) { r.Attributes[strings.ToLower(attribute)] = values })
}

func (w *storyWorld) SetAll(dns []string, attribute, value string) error {
	for i := range dns {
		// The crowd came first, in this order, after two containers.
		id := identity.ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i+3))
		if !w.Change(id, func(r *memory.Record) { r.Attributes[attribute] = []string{value} }) {
			return errors.New("there is no " + string(id))
		}
	}
	return nil
}

func (w *storyWorld) Members(group string, gained, lost []string) error {
	return w.change(group, func(r *memory.Record) {
		r.Members = append(slices.DeleteFunc(r.Members, func(m string) bool { return slices.Contains(lost, m) }), gained...)
	})
}

func (w *storyWorld) Move(dn, to string) error {
	id := w.At(dn)
	w.Rename(id, to)
	rdn := identity.MustDN(to).RDN()[0]
	return w.change(to, func(r *memory.Record) {
		if r.Kind != directory.Container {
			r.Attributes[rdn.Type] = []string{rdn.Value}
		}
	})
}

func (w *storyWorld) Delete(dn string) error {
	id := w.At(dn)
	if id == "" {
		return errors.New("there is no " + dn)
	}
	w.Remove(id)
	return nil
}

func (w *storyWorld) Close(dn string, closed bool) error {
	return w.change(dn, func(r *memory.Record) { r.Disabled = closed })
}

func TestStory(t *testing.T) {
	for name, traits := range map[string]followtest.Traits{
		"tells deletions": {Engine: "memory", Deletes: true, Proves: true, Now: time.Now}, "does not": {Engine: "memory", Now: time.Now}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followtest.Run(t, func(*testing.T) followtest.World { return newStoryWorld(0, !traits.Deletes) }, traits)
		})
	}
	t.Run("of many", func(t *testing.T) {
		t.Parallel()
		followtest.RunBig(t, func(*testing.T) followtest.World { return newStoryWorld(500, false) }, followtest.Traits{Engine: "memory", Deletes: true, Proves: true, Now: time.Now})
	})
}

func TestWalk(t *testing.T) {
	for name, traits := range map[string]followtest.Traits{
		"tells deletions": {Engine: "memory", Deletes: true, Proves: true, Now: time.Now}, "does not": {Engine: "memory", Now: time.Now}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed, operations := followtest.Drawn(t, uint64(time.Now().UnixNano()))
			followtest.Walk(t, func(*testing.T) followtest.World { return newStoryWorld(0, !traits.Deletes) }, traits, seed, operations)
		})
	}
}
