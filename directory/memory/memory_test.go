package memory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
)

func clock() time.Time { return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) }

func config() memory.Config {
	return memory.Config{Key: "employeeNumber", Bases: []string{sourcetest.People, sourcetest.Groups}}
}

// world keeps the records apart from the sources, which come later.
type world struct {
	records *memory.Source
	opened  []*memory.Source
}

func (w *world) each(do func(*memory.Source)) {
	do(w.records)
	for _, s := range w.opened {
		do(s)
	}
}

func (w *world) put(r memory.Record) { w.each(func(s *memory.Source) { s.Put(r) }) }

func (w *world) Add(dn string, attributes map[string][]string) error {
	r := memory.Record{Kind: directory.Person, DN: dn, Attributes: attributes, Members: attributes["member"], Logins: attributes["memberUid"]}
	if strings.HasPrefix(dn, "cn=") {
		r.Kind = directory.Group
	}
	r.ID = w.records.Put(r)
	w.put(r)
	return nil
}

func (w *world) edit(dn string, edit func(*memory.Record)) error {
	id := w.records.At(dn)
	if !w.records.Change(id, edit) {
		return fmt.Errorf("no entry %s", dn)
	}
	r, _ := w.records.Get(id)
	w.put(r)
	return nil
}

func (w *world) Set(dn, attribute string, values ...string) error {
	return w.edit(dn, func(r *memory.Record) {
		if attribute == "member" {
			r.Members = values
		}
		r.Attributes[attribute] = values
	})
}

func (w *world) Move(dn, to string) error {
	return w.edit(dn, func(r *memory.Record) { r.DN = to })
}

func (w *world) Delete(dn string) error {
	id := w.records.At(dn)
	w.each(func(s *memory.Source) { s.Remove(id) })
	return nil
}

func (w *world) Open(o sourcetest.Options) (directory.Source, error) {
	cfg := config()
	cfg.Attributes, cfg.Canaries, cfg.Follow = o.Attributes, o.Canaries, true
	s := memory.New("corp", cfg, clock)
	w.opened = append(w.opened, s)
	for _, e := range recordsOf(w.records) {
		s.Put(e)
	}
	return s, nil
}

func recordsOf(s *memory.Source) []memory.Record {
	var stage sourcetest.Stage
	if _, err := s.Read(context.Background(), &stage); err != nil {
		panic(err)
	}
	var out []memory.Record
	for _, e := range stage.Entries() {
		r, _ := s.Get(e.ID)
		out = append(out, r)
	}
	return out
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(*testing.T) sourcetest.World {
		return &world{records: memory.New("all", memory.Config{}, clock)}
	})
}

func few() *memory.Source {
	s := memory.New("corp", config(), clock)
	for i := range 5 {
		dn, attributes := sourcetest.Person(fmt.Sprintf("writer%d", i), "ou=site"+fmt.Sprint(i%2)+","+sourcetest.People)
		s.Put(memory.Record{Kind: directory.Person, DN: dn, Attributes: attributes})
	}
	s.Put(memory.Record{Kind: directory.Group, DN: "cn=writers," + sourcetest.Groups, Members: []string{"uid=writer1," + sourcetest.People}, Logins: []string{"writer2"}})
	return s
}

func TestFaultsOnDemand(t *testing.T) {
	s := few()
	for n := range 7 {
		s.SetFaults(memory.FailRead(n))
		stage := &sourcetest.Stage{}
		err := sourcetest.MustNotRead(t.Context(), t, s, stage)
		if !strings.Contains(err.Error(), fmt.Sprintf("after %d entries", n)) {
			t.Errorf("cut off after %d: %v", n, err)
		}
	}
	s.SetFaults(memory.Hang(2))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := sourcetest.MustNotRead(ctx, t, s, &sourcetest.Stage{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging: %v", err)
	}
	s.SetFaults(memory.FailFind())
	if f, err := s.Find(t.Context(), []directory.Known{{ID: "x"}}); err == nil || f != nil {
		t.Errorf("a look-up that fails answered %v, %v", f, err)
	}
	s.SetFaults(memory.Faults{Server: "another", Bind: "somebody"})
	if _, p := sourcetest.Read(t, s); p.Server() != "another" || p.Bind() != "somebody" {
		t.Errorf("the proof speaks of %s and %s", p.Server(), p.Bind())
	}
	s.SetFaults(memory.Faults{})
	if _, p := sourcetest.Read(t, s); p.People() != 5 || p.Groups() != 1 || p.At() != clock() {
		t.Errorf("without faults: %d people, %d groups, at %v", p.People(), p.Groups(), p.At())
	}
	if s.Reads() != 10 || s.Finds() != 1 {
		t.Errorf("counted %d reads and %d look-ups", s.Reads(), s.Finds())
	}
}

// Lost rights give a listing that is complete and smaller: not an error.
func TestLostRightsAreComplete(t *testing.T) {
	s := few()
	all, _ := sourcetest.Read(t, s)
	hidden := all.Get(t, "uid=writer1,ou=site1,"+sourcetest.People)
	s.SetFaults(memory.HideBelow("ou=site1," + sourcetest.People))
	stage, p := sourcetest.Read(t, s)
	if p.People() != 3 || len(stage.Entries()) != 4 {
		t.Errorf("%d people", p.People())
	}
	f, err := s.Find(t.Context(), []directory.Known{{Kind: directory.Person, ID: hidden.ID}})
	if err != nil || f[0].Found {
		t.Errorf("a hidden entry was found: %v, %v", f, err)
	}
	s.SetFaults(memory.Lose("MAIL", "member"))
	stage, _ = sourcetest.Read(t, s)
	for _, e := range stage.Entries() {
		if _, presence := e.Attributes.Get("mail"); e.Mail != "" || presence != identity.Absent {
			t.Errorf("lost, and read: %+v", e)
		}
		if e.Kind == directory.Group && (len(e.Members) != 1 || e.Members[0].Login != "writer2") {
			t.Errorf("members by DN are lost, those by login are not: %+v", e.Members)
		}
	}
}

// A record that was handed in is the source's own from then on.
func TestRecordsAreCopies(t *testing.T) {
	s := memory.New("corp", memory.Config{}, clock)
	attributes := map[string][]string{"UID": {"writer1"}}
	id := s.Put(memory.Record{Kind: directory.Person, DN: "uid=writer1", Attributes: attributes})
	attributes["UID"][0] = "changed"
	stage, _ := sourcetest.Read(t, s)
	if got := stage.Entries()[0].Login; got != "writer1" {
		t.Errorf("login %q", got)
	}
	stage.Entries()[0].Attributes.List()[0].Values[0] = "changed"
	if r, _ := s.Get(id); r.Attributes["uid"][0] != "writer1" {
		t.Error("the receiver of an entry changed the source")
	}
	if s.Change("nobody", func(*memory.Record) { t.Error("edited nobody") }) {
		t.Error("changed nobody")
	}
}

// A member who is not there any more keeps the name that the group has for it.
func TestRenameLeavesWhoIsGone(t *testing.T) {
	s := memory.New("corp", memory.Config{}, clock)
	in := s.Put(memory.Record{Kind: directory.Container, DN: "ou=site"})
	s.Put(memory.Record{Kind: directory.Person, DN: "uid=here,ou=site"})
	g := s.Put(memory.Record{Kind: directory.Group, DN: "cn=writers", Members: []string{"uid=here,ou=site", "uid=left,ou=site"}})
	s.Rename(in, "ou=moved")
	if r, _ := s.Get(g); strings.Join(r.Members, " ") != "uid=here,ou=moved uid=left,ou=site" {
		t.Errorf("the members are %q", r.Members)
	}
}
