package sync_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

var errAway = errors.New("the directory is away")

// datedWorld has a policy with first and last days, in a zone that is ahead.
func datedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	if err := w.engine.Store.Close(); err != nil {
		t.Fatal(err)
	}
	w.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "hireDate", "contractEnd"}, Key: "employeeNumber",
		Bases: []string{people, groups}}, func() time.Time { return w.now })
	for _, g := range []string{"writers", "managers"} {
		w.source.Put(source.Record{Kind: directory.Group, DN: "cn=" + g + "," + groups})
	}
	w.config.Zone = time.FixedZone("CET", 3600)
	corp := w.config.Sources["corp"]
	corp.Start, corp.End = "hireDate", "contractEnd"
	w.config.Sources["corp"] = corp
	w.open()
	return w
}

// on moves the clock to a moment of the zone.
func (w *world) on(when string) {
	w.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", when, w.config.Zone)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = at.UTC()
}

// silent is a cycle that has nobody to look at and writes nothing.
func (w *world) silent() {
	w.t.Helper()
	before := len(w.wiki.Writes())
	if r := w.sync(); r.Exit() != 0 || len(r.Plan.Subjects) != 0 || len(w.wiki.Writes()) != before {
		w.t.Fatalf("exit %d with %d writes, and somebody is looked at\n%s", r.Exit(), len(w.wiki.Writes())-before, text(r))
	}
}

// is checks what explain says of somebody.
func (w *world) is(login string, want plan.Situation, why string) {
	w.t.Helper()
	x, err := w.engine.Explain(w.person(login))
	if err != nil {
		w.t.Fatal(err)
	}
	if s := x.Subjects[0]; s.Situation != want || !strings.Contains(s.Why, why) {
		w.t.Errorf("%s is %s (%s), want %s (%s)", login, s.Situation, s.Why, want, why)
	}
}

// Nobody has an account before the first day, and on it they have one, though
// nothing changes in the directory.
func TestDatesAPrehire(t *testing.T) {
	w := datedWorld(t)
	w.set(w.join("early"), "hireDate", "2026-03-10")
	w.set(w.join("over"), "contractEnd", "2026-03-01")
	w.join("here")
	w.members("writers", "early", "over", "here")
	w.synced()
	if len(w.wiki.Accounts()) != 1 {
		t.Fatalf("%+v", w.wiki.Accounts())
	}
	w.is("early", plan.None, "starts 2026-03-10 (hireDate)")
	w.is("over", plan.None, "ended 2026-03-01 (contractEnd)")
	w.on("2026-03-09 23:59")
	w.silent()
	w.on("2026-03-10 00:00")
	if r := w.sync(); r.Exit() != 0 || r.Done[target.Create] != 1 {
		t.Fatalf("%s", text(r))
	}
	w.has("early", true, "Writers")
	w.silent()
	w.quiet()
}

// A rehire's account of before stays closed until the day, and is opened again
// then; the end closes it on the day after, once.
func TestDatesARehire(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.members("writers", "p0003")
	w.synced()
	w.leave(ids[3])
	w.synced()
	w.has("p0003", false)
	w.set(ids[3], "employeeType", "staff")
	w.set(ids[3], "hireDate", "2026-03-10")
	w.set(ids[3], "contractEnd", "20260320")
	w.synced()
	w.has("p0003", false)
	w.is("p0003", plan.Disabled, "starts 2026-03-10")
	account := w.account("p0003").ID
	w.on("2026-03-10 00:00")
	if r := w.sync(); r.Exit() != 0 || r.Done[target.Enable] != 1 {
		t.Fatalf("%s", text(r))
	}
	w.has("p0003", true, "Writers")
	w.on("2026-03-20 23:59")
	w.silent()
	w.on("2026-03-21 00:00")
	if r := w.sync(); r.Exit() != 0 || r.Done[target.Disable] != 1 {
		t.Fatalf("%s", text(r))
	}
	w.has("p0003", false)
	w.is("p0003", plan.Disabled, "ended 2026-03-20 (contractEnd)")
	if w.account("p0003").ID != account {
		t.Error("another account")
	}
	w.on("2027-03-20 12:00")
	w.silent()
	w.quiet()
}

// A first day that is put off to one that is to come closes what was opened.
func TestDatesAFirstDayPutOff(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.synced()
	w.set(ids[3], "hireDate", "2026-03-10")
	w.synced()
	w.has("p0003", false)
	w.on("2026-03-10 08:00")
	w.sync()
	w.has("p0003", true)
}

// The snapshot knows the dates: the day comes while the directory is away.
func TestDatesWhileTheSourceIsAway(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.set(ids[3], "contractEnd", "2026-03-09")
	w.set(w.join("early"), "hireDate", "2026-03-10")
	w.source.Change(ids[4], func(r *source.Record) {
		r.Validity.Until = identity.Bound{At: time.Date(2026, 3, 9, 21, 0, 0, 0, time.UTC), By: "accountExpires"}
	})
	w.synced()
	w.source.SetFaults(source.Faults{Read: func(context.Context, int) error { return errAway }})
	w.on("2026-03-09 21:59")
	if r := w.sync(); r.Exit() != 1 || w.enabled() != 8 {
		t.Fatalf("%d enabled\n%s", w.enabled(), text(r))
	}
	w.on("2026-03-10 00:00")
	if r := w.sync(); r.Exit() != 1 {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.has("p0003", false)
	w.has("p0004", false)
	w.has("early", true)
	w.is("p0004", plan.Disabled, "ended 2026-03-09 22:00 CET (accountExpires)")
}

// A date that is moved moves what is due; the day that it no longer names wakes
// nobody.
func TestDatesThatMove(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.set(ids[3], "contractEnd", "2026-03-09")
	w.set(ids[4], "contractEnd", "2026-03-09")
	w.set(ids[5], "contractEnd", "2026-03-20")
	w.synced()
	w.set(ids[3], "contractEnd", "2026-03-15")
	w.set(ids[4], "contractEnd")
	w.set(ids[5], "contractEnd", "2026-03-09")
	w.sync()
	w.on("2026-03-10 00:00")
	if r := w.sync(); len(r.Plan.Subjects) != 1 || r.Done[target.Disable] != 1 {
		t.Fatalf("%s", text(r))
	}
	w.has("p0005", false)
	w.on("2026-03-16 00:00")
	if r := w.sync(); len(r.Plan.Subjects) != 1 || r.Done[target.Disable] != 1 {
		t.Fatalf("%s", text(r))
	}
	w.has("p0003", false)
	w.on("2026-03-21 00:00")
	w.silent()
	// An end that is put off after it came brings back.
	w.set(ids[3], "contractEnd", "2026-03-31")
	w.sync()
	w.has("p0003", true)
	w.on("2026-04-01 00:00")
	w.sync()
	w.has("p0003", false)
}

// A mass of ends is held, like any other removal; those that are put off drop out.
func TestDatesOfManyAreHeld(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 20)
	for _, id := range ids[:10] {
		w.set(id, "contractEnd", "2026-03-09")
	}
	w.synced()
	w.on("2026-03-10 00:05")
	if r := w.sync(); r.Exit() != 4 || w.enabled() != 20 {
		t.Fatalf("exit %d with %d enabled\n%s", r.Exit(), w.enabled(), text(r))
	}
	if h := w.onlyHold(); len(h.Keys) != 10 {
		t.Fatalf("%+v", h)
	}
	for _, id := range ids[:8] {
		w.set(id, "contractEnd", "2026-12-31")
	}
	if r := w.sync(); r.Exit() != 4 || len(w.onlyHold().Keys) != 2 {
		t.Fatalf("%s", text(r))
	}
	if _, err := w.approve(w.onlyHold()); err != nil {
		t.Fatal(err)
	}
	w.has("p0008", false)
	w.has("p0009", false)
	w.has("p0000", true)
}

// Law 10 and law 2: a date that cannot be read is neither over nor never. Whoever
// had an account keeps it, whoever had none gets none, and everybody else goes on.
func TestLaw10ADateThatCannotBeRead(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.set(ids[5], "contractEnd", "2026-03-01")
	w.members("writers", "p0003", "p0004")
	w.synced()
	for i, text := range map[int]string{3: "soon", 5: "??"} {
		w.set(ids[i], "contractEnd", text)
	}
	w.set(ids[4], "contractEnd", "2026-03-01")
	w.source.Change(ids[6], func(r *source.Record) { r.Validity.Unread = []string{"accountExpires: ?"} })
	w.set(w.join("new"), "hireDate", "0")
	w.join("other")
	r := w.sync()
	if r.Exit() != 5 || r.Done[target.Disable] != 1 || r.Done[target.Create] != 1 || r.Done[target.Enable] != 0 {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.has("p0003", true, "Writers")
	w.has("p0004", false)
	w.has("p0006", true)
	w.has("other", true)
	w.is("p0003", plan.Invalid, `contractEnd: "soon" is no date`)
	w.is("p0005", plan.Invalid, "contractEnd")
	w.is("p0006", plan.Invalid, "accountExpires: ?")
	w.is("new", plan.Invalid, "hireDate")
	if w.account("new") != nil || w.account("p0005") != nil {
		t.Error("an account is made on a date that cannot be read")
	}
	w.on("2027-01-01 00:00")
	w.sync()
	w.has("p0003", true, "Writers")
	// Mended, it is as it says.
	w.set(ids[3], "contractEnd", "2027-06-30")
	w.set(ids[5], "contractEnd")
	w.source.Change(ids[6], func(r *source.Record) { r.Validity = identity.Validity{} })
	w.set(w.source.At("uid=new,"+people), "hireDate", "2027-01-01")
	w.synced()
	w.has("p0003", true, "Writers")
	w.has("new", true)
}

// A clock that is set back over the day and comes forward again changes nothing
// by itself. A resync in between goes by its clock, and the day is not forgotten
// by that: it comes once more.
func TestDatesUnderAClockThatIsSetBack(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.set(ids[3], "contractEnd", "2026-03-09")
	w.synced()
	w.on("2026-03-10 00:05")
	w.sync()
	w.has("p0003", false)
	w.on("2026-03-09 23:05")
	w.silent()
	w.on("2026-03-10 00:10")
	w.silent()

	w.on("2026-03-09 23:05")
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.has("p0003", true)
	w.silent()
	w.on("2026-03-10 00:05")
	if r := w.sync(); r.Done[target.Disable] != 1 {
		t.Fatalf("%s", text(r))
	}
	w.has("p0003", false)
}

// What only looks does not use a day up, nor does a cycle for others.
func TestDatesAreNotUsedUpByALook(t *testing.T) {
	w := datedWorld(t)
	ids := w.joinMany("p", 8)
	w.set(ids[3], "contractEnd", "2026-03-09")
	w.synced()
	w.on("2026-03-10 00:05")
	if r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true}); len(r.Plan.Subjects) != 1 {
		t.Fatalf("%s", text(r))
	}
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.person("p0001")}, Named: true})
	w.has("p0003", true)
	w.engine.Store.Close()
	w.open()
	w.sync()
	w.has("p0003", false)
}

// An edit that names dates is judged like any other: whom it ends is the impact.
func TestDatesThatAnEditNames(t *testing.T) {
	w := datedWorld(t)
	corp := w.config.Sources["corp"]
	corp.Start, corp.End = "", ""
	w.config.Sources["corp"] = corp
	w.engine.Policy = w.compile()
	ids := w.joinMany("p", 20)
	for _, id := range ids[:10] {
		w.set(id, "contractEnd", "2026-03-01")
	}
	w.synced()
	w.edit(func(c *mapping.Config, _ *rostersync.Engine) {
		c.Sources = maps.Clone(c.Sources)
		s := c.Sources["corp"]
		s.End = "contractEnd"
		c.Sources["corp"] = s
	})
	if r := w.sync(); r.Exit() != 4 || w.enabled() != 20 {
		t.Fatalf("exit %d with %d enabled\n%s", r.Exit(), w.enabled(), text(r))
	}
	if h := w.policyHold(); len(h.Keys) < 10 {
		t.Fatalf("%+v", h)
	}
}
