package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

func findInOrder(t *testing.T, w World) {
	stays := addPerson(t, w, "stays", People)
	moves := addPerson(t, w, "moves", People)
	dies := addPerson(t, w, "dies", People)
	group := addGroup(t, w, "writers", stays)
	source := open(t, w, Options{})
	stage, _ := Read(t, source)
	known := func(dn string) directory.Known {
		e := stage.Get(t, dn)
		return directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN}
	}
	ask := []directory.Known{
		known(dies), known(moves), known(group),
		{Kind: directory.Person, ID: "ffffffff-ffff-4fff-bfff-ffffffffffff", DN: identity.MustDN("uid=never," + People)},
		known(stays), known(moves),
	}
	moved := "uid=moves," + Elsewhere
	must(t, w.Move(moves, moved))
	must(t, w.Delete(dies))
	got, err := source.Find(context.Background(), ask)
	must(t, err)
	want := []string{"", moved, group, "", stays, moved}
	if len(got) != len(want) {
		t.Fatalf("%d answers to %d questions", len(got), len(want))
	}
	for i, f := range got {
		if f.ID != ask[i].ID || f.Kind != ask[i].Kind {
			t.Errorf("answer %d is for %s %s, the question was %s %s", i, f.Kind, f.ID, ask[i].Kind, ask[i].ID)
		}
		if f.Found != (want[i] != "") || f.Found && !f.DN.Equal(identity.MustDN(want[i])) {
			t.Errorf("answer %d: found %v at %q, want %q", i, f.Found, f.DN, want[i])
		}
		if f.Listed != (want[i] == group || want[i] == stays) {
			t.Errorf("answer %d: at %q, and listed there: %v", i, f.DN, f.Listed)
		}
	}
	after, _ := Read(t, source)
	for _, e := range after.Entries() {
		if e.DN.Equal(identity.MustDN(moved)) {
			t.Error("what was moved out of the bases is still listed")
		}
	}
}

func findMany(t *testing.T, w World) {
	const people = 250
	for i := range people {
		addPerson(t, w, fmt.Sprintf("writer%03d", i), People)
	}
	source := open(t, w, Options{})
	stage, _ := Read(t, source)
	var ask []directory.Known
	for i, e := range stage.Entries() {
		ask = append(ask, directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN},
			directory.Known{Kind: e.Kind, ID: identity.ID(fmt.Sprintf("00000000-0000-4000-b000-%012d", i)), DN: e.DN})
	}
	got, err := source.Find(context.Background(), ask)
	must(t, err)
	if len(got) != 2*people {
		t.Fatalf("%d answers to %d questions", len(got), 2*people)
	}
	for i, f := range got {
		if f.ID != ask[i].ID || f.Found != (i%2 == 0) || f.Found && !f.DN.Equal(ask[i].DN) {
			t.Fatalf("answer %d: %+v to %+v", i, f, ask[i])
		}
	}
	if got, err := source.Find(context.Background(), nil); err != nil || len(got) != 0 {
		t.Errorf("asked for nobody: %v, %v", got, err)
	}
}

func cancelled(t *testing.T, w World) {
	dn := addPerson(t, w, "writer1", People)
	source := open(t, w, Options{})
	stage, _ := Read(t, source)
	e := stage.Get(t, dn)

	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := MustNotRead(over, t, source, &Stage{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not say that it was cancelled: %v", err)
	}
	if f, err := source.Find(over, []directory.Known{{Kind: e.Kind, ID: e.ID, DN: e.DN}}); err == nil || f != nil {
		t.Errorf("a cancelled look-up answered %v, %v", f, err)
	}
	if _, err := source.Check(over); err == nil {
		t.Error("a cancelled check has no error")
	}

	// Cancelled with the last entry: all came, and yet it is no listing.
	late, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := MustNotRead(late, t, source, &Stage{Before: func([]directory.Entry) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not say that it was cancelled: %v", err)
	}
	Read(t, source)
}

func stageError(t *testing.T, w World) {
	addPerson(t, w, "writer1", People)
	source := open(t, w, Options{})
	full := errors.New("no space left")
	err := MustNotRead(context.Background(), t, source, &Stage{Before: func([]directory.Entry) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("the error of the stage is lost: %v", err)
	}
	Read(t, source)
}

func canary(t *testing.T, w World) {
	dn := addPerson(t, w, "canary", People)
	addPerson(t, w, "writer1", People)
	source := open(t, w, Options{Canaries: []string{strings.ToUpper(dn)}})
	Read(t, source)
	must(t, w.Move(dn, "uid=canary,"+Elsewhere))
	if err := MustNotRead(context.Background(), t, source, &Stage{}); !strings.Contains(strings.ToLower(err.Error()), dn) {
		t.Errorf("the error does not name the canary: %v", err)
	}
}

func check(t *testing.T, w World) {
	dn := addPerson(t, w, "canary", People)
	one := addPerson(t, w, "writer1", People)
	addGroup(t, w, "writers", one)
	source := open(t, w, Options{Canaries: []string{dn}})
	report, err := source.Check(context.Background())
	must(t, err)
	if report.Server == "" {
		t.Error("the report names no server")
	}
	for _, n := range report.Notes {
		if n.Level == directory.Broken {
			t.Errorf("a sound source is called broken: %s", n.Text)
		}
	}
	must(t, w.Delete(dn))
	report, err = source.Check(context.Background())
	must(t, err)
	broken := false
	for _, n := range report.Notes {
		broken = broken || n.Level == directory.Broken && strings.Contains(strings.ToLower(n.Text), "canary")
	}
	if !broken {
		t.Errorf("a canary that is gone is not reported: %+v", report.Notes)
	}
}
