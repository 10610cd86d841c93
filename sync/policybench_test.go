package sync_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

const (
	benchRoles   = 50
	benchTargets = 5
)

// policyOf50 has 40 roles by groups and 10 by conditions, and five targets in which
// each of them gives something, with an edit.
func policyOf50(tb testing.TB, edit func(*mapping.Config)) *mapping.Policy {
	c := mapping.Config{Roles: map[string]mapping.Role{}, Targets: map[string]mapping.Target{},
		Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Mail: "mail", Name: "cn", Key: "employeeNumber", Required: []string{"employeeType"}, Disabled: `person.employeeType == "former"`}}}
	for i := range benchRoles {
		r := mapping.Role{Groups: []string{fmt.Sprintf("cn=g%d,%s", i, groups)}}
		if i%5 == 0 {
			r = mapping.Role{When: fmt.Sprintf(`person.employeeType == "staff" and person.departmentNumber in ["%d", "%d"]`, i, i+1)}
		}
		c.Roles[fmt.Sprintf("role%02d", i)] = r
	}
	for i := range benchTargets {
		t := mapping.Target{NameAttribute: "name", Account: mapping.TargetAccount{Match: []string{"name"}}, Entitlements: map[string][]string{},
			Attributes: mapping.Attributes{"name": {From: "${lower(person.uid)}"}, "mail": {From: "${lower(person.mail)}"}, "title": {From: "${person.title ?? ''}"},
				"displayName": {From: "${person.givenName} ${person.sn}"}}}
		for r := i; r < benchRoles; r += benchTargets {
			t.Entitlements[fmt.Sprintf("role%02d", r)] = []string{fmt.Sprintf("Right%02d", r), "Everybody"}
		}
		c.Targets[fmt.Sprintf("app%d", i)] = t
	}
	if edit != nil {
		edit(&c)
	}
	p := mapping.Compile(c, nil, nil)
	if p == nil {
		tb.Fatal("the policy does not compile")
	}
	return p
}

// rightAndTitle takes one right and types a value otherwise.
func rightAndTitle(c *mapping.Config) {
	c.Targets["app1"].Entitlements["role11"] = []string{"Everybody"}
	retyped(c)
}

func retyped(c *mapping.Config) {
	c.Targets["app1"].Attributes["title"] = mapping.AttributeRule{From: "${upper(person.title ?? '')}"}
}

// regrouped has the role follow another group.
func regrouped(group string) func(*mapping.Config) {
	return func(c *mapping.Config) {
		c.Roles["role11"] = mapping.Role{Groups: []string{"cn=" + group + "," + groups}}
	}
}

func roleless(c *mapping.Config) {
	delete(c.Roles, "role11")
	delete(c.Targets["app1"].Entitlements, "role11")
}

func badged(c *mapping.Config) {
	r := c.Roles["role11"]
	r.When = `person.badge != ""`
	c.Roles["role11"] = r
}

// people50 is a state of so many people, with the accounts that the policy gives them.
// Neither the source nor a target can be asked. Every tenth is a guest.
func people50(b *testing.B, n int) *rostersync.Engine {
	now := time.Now()
	clock := func() time.Time { return now }
	src := source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "givenName", "title", "departmentNumber"}, Key: "employeeNumber", Bases: []string{people, groups}}, clock)
	members := make([][]string, benchRoles)
	for i := range n {
		dn := fmt.Sprintf("uid=p%07d,ou=%s,%s", i, map[bool]string{true: "guests", false: "staff"}[i%10 == 0], people)
		src.Put(source.Record{Kind: directory.Person, DN: dn, Attributes: map[string][]string{"uid": {dn[4:12]}, "cn": {"Person " + dn[5:12]}, "mail": {dn[4:12] + "@Corp.example"},
			"sn": {dn[5:12]}, "givenname": {"Person"}, "employeetype": {"staff"}, "employeenumber": {dn[5:12]}, "title": {"Writer"}, "departmentnumber": {fmt.Sprint(i % 60)}}})
		for _, g := range []int{i % benchRoles, (i*7 + 3) % benchRoles} {
			members[g] = append(members[g], dn)
		}
	}
	for g, list := range members {
		src.Put(source.Record{Kind: directory.Group, DN: fmt.Sprintf("cn=g%d,%s", g, groups), Members: list})
	}
	members = nil
	store, err := state.Open(filepath.Join(b.TempDir(), "state.db"), state.Options{Now: clock})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	e := &rostersync.Engine{Store: store, Now: clock, Policy: policyOf50(b, nil), Hash: "one", Sources: []rostersync.Source{{Source: silent{src}, VanishAfter: time.Minute, MinPeople: 0.9, MaxRekey: 5}}}
	for i := range benchTargets {
		t, err := memory.New(memory.Config{}, fmt.Sprintf("app%d", i))
		if err != nil {
			b.Fatal(err)
		}
		rules := plan.DefaultRules()
		rules.Guard.First = "apply"
		e.Targets = append(e.Targets, rostersync.Target{Name: fmt.Sprintf("app%d", i), Target: mute{is: t.Describe()}, Rules: rules, Concurrency: 1})
	}
	stage, err := store.Stage("corp", src.Coverage())
	if err != nil {
		b.Fatal(err)
	}
	proof, err := src.Read(b.Context(), stage)
	if err == nil {
		_, err = stage.Seal(proof, state.SealRules{Now: now})
	}
	if err == nil {
		_, err = store.Drain(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	// The entries are not needed any more; what is measured has the memory to itself.
	e.Sources[0].Source = reads50(clock, people)
	src = nil
	links := 0
	each(b, e, func(chunk []mapping.Desired) {
		var list []ledger.Link
		for _, d := range chunk {
			for _, a := range d.Accounts {
				if !a.Entitled {
					continue
				}
				l := ledger.Link{Person: d.Person, Target: a.Target, Account: target.NativeID(a.Name), Name: a.Name, Owner: ledger.Created, Phase: ledger.Open, PhaseSince: now, Written: map[string]ledger.Digest{}}
				for _, v := range a.Attributes {
					l.Written[v.Name] = ledger.DigestOf(v.Values)
				}
				for _, x := range a.Entitlements {
					l.Granted = append(l.Granted, ledger.Granted{Entitlement: x.Name, Roles: x.Roles, Since: now})
				}
				list = append(list, l)
			}
		}
		links += len(list)
		if err := store.PutLinks(list); err != nil {
			b.Fatal(err)
		}
	})
	if links < n {
		b.Fatalf("only %d accounts of %d people", links, n)
	}
	return e
}

// reads50 is a source that nobody may ask, which would read who is in a container.
func reads50(clock func() time.Time, base string) silent {
	return silent{source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "givenName", "title", "departmentNumber"}, Key: "employeeNumber", Bases: []string{base, groups}}, clock)}
}

// each resolves everybody of the snapshot, in chunks.
func each(tb testing.TB, e *rostersync.Engine, f func([]mapping.Desired)) {
	pins, err := e.Store.Pins("corp", e.Policy.Groups())
	if err != nil {
		tb.Fatal(err)
	}
	var named []identity.Ordinal
	for _, p := range pins {
		named = append(named, p.Group)
	}
	all, err := e.Store.Ordinals("corp")
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(all); i += 5000 {
		who := all[i:min(i+5000, len(all))]
		list, err := e.Store.People(who...)
		if err != nil {
			tb.Fatal(err)
		}
		in, err := e.Store.Memberships(who, named)
		if err != nil {
			tb.Fatal(err)
		}
		out := make([]mapping.Desired, len(list))
		for i, p := range list {
			out[i] = e.Policy.Resolve(mapping.Subject{Person: p, Now: e.Now(), Memberships: in[p.Ordinal], Pins: pins})
		}
		if f != nil {
			f(out)
		}
	}
}

// cost is what something took of processor and memory: what it allocated, and how
// much more was in use at once than before.
type cost struct {
	wall, cpu       time.Duration
	allocated, peak uint64
}

func costOf(f func()) (c cost) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapAlloc))
			}
		}
	}()
	began, cpu := time.Now(), processor()
	f()
	c.wall, c.cpu = time.Since(began), processor()-cpu
	close(done)
	<-watched
	runtime.ReadMemStats(&after)
	c.allocated = after.TotalAlloc - before.TotalAlloc
	c.peak = max(peak.Load(), after.HeapAlloc) - min(before.HeapAlloc, max(peak.Load(), after.HeapAlloc))
	return c
}

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c cost) report(b *testing.B, what string, n int) {
	fmt.Printf("%-8s %9d people: %8.0f people/s of processor, %8.0f of time, %6d B/person allocated, %6d B/person at most in use beside the rest\n",
		what, n, float64(n)/c.cpu.Seconds(), float64(n)/c.wall.Seconds(), c.allocated/uint64(n), c.peak/uint64(n))
	b.ReportMetric(float64(c.cpu.Nanoseconds())/float64(n), what+"-ns/person")
}

// BenchmarkPolicy measures what 50 roles and five targets cost for each of -many
// people: resolving everybody of the snapshot, and what-if of an edit.
func BenchmarkPolicy(b *testing.B) {
	e := people50(b, *many)
	next := &rostersync.Engine{Store: e.Store, Now: e.Now, Policy: policyOf50(b, rightAndTitle), Hash: "two", Sources: e.Sources, Targets: e.Targets}
	// The first pass brings the file into memory; what is measured is the second.
	each(b, e, nil)
	costOf(func() { each(b, e, nil) }).report(b, "resolve", *many)
	var got *rostersync.WhatIf
	costOf(func() {
		var err error
		if got, err = e.WhatIf(b.Context(), next, rostersync.WhatIfRequest{}); err != nil {
			b.Fatal(err)
		}
	}).report(b, "what-if", *many)
	for _, l := range got.Impact {
		fmt.Printf("         %s %s of %d people\n", l.Target, l.What, len(l.People))
	}
	// Whom the edit concerns follows from how the crowd was made: everybody is named.
	if n := *many; len(got.Impact) != 2 || len(got.Unread) > 0 || n%benchRoles == 0 && (len(got.Impact[0].People) != n/25 || len(got.Impact[1].People) != n/5*2) {
		b.Fatalf("%d lines of %d people, not known: %v", len(got.Impact), n, got.Unread)
	}
	if *many <= 100000 {
		named50(b, e, *many)
	}
}

// named50 asks what-if of one edit at a time: everybody whom it concerns is named, and
// nobody else. Nobody is asked for it.
func named50(b *testing.B, e *rostersync.Engine, n int) {
	for _, c := range []struct {
		what                 string
		base                 string
		edit                 func(*mapping.Config)
		named, outside, have int // -1: whatever
		unknown              bool
	}{
		{"a narrower filter", "ou=staff," + people, nil, -1, n / 10, 0, false},
		{"a group renamed to one that was read", people, regrouped("g12"), n / 25 * 2, 0, 0, false},
		{"a group renamed to one that is not there", people, regrouped("g99"), n / 25, 0, 0, true},
		{"a deleted role", people, roleless, n / 25, 0, 0, false},
		{"a retyped value", people, retyped, n / 5 * 2, 0, 0, false},
		{"a wider scope", "dc=corp,dc=example", nil, 0, 0, 0, true},
		{"an attribute that nobody read", people, badged, 0, 0, -1, true},
	} {
		next := &rostersync.Engine{Store: e.Store, Now: e.Now, Policy: policyOf50(b, c.edit), Hash: "two", Sources: slices.Clone(e.Sources), Targets: e.Targets}
		next.Sources[0].Source = reads50(e.Now, c.base)
		got, err := e.WhatIf(b.Context(), next, rostersync.WhatIfRequest{})
		if err != nil {
			b.Fatal(err)
		}
		named, have := map[string]bool{}, map[string]bool{}
		for _, l := range got.Impact {
			for _, who := range l.People {
				named[who] = true
			}
		}
		for _, g := range got.Unread {
			for _, who := range g.Have {
				have[who] = true
			}
		}
		// Exit 6 says that part of it cannot be known, which a hold goes before.
		if unknown := len(got.Unread) > 0; unknown != c.unknown || unknown && c.named == 0 && got.Exit() != rostersync.ExitUnknown || !unknown && got.Exit() != rostersync.ExitHeld && got.Exit() != rostersync.ExitPending {
			b.Errorf("%s: exit %d, not known: %v", c.what, got.Exit(), got.Unread)
		}
		fmt.Printf("         %s: %d people named, %d outside, of %d it is not known\n", c.what, len(named), len(got.Outside), len(have))
		if n%benchRoles == 0 {
			if c.named >= 0 && len(named) != c.named || len(got.Outside) != c.outside || c.have >= 0 && len(have) != c.have {
				b.Errorf("%s: %d people named, %d outside, of %d it is not known; want %d, %d, %d", c.what, len(named), len(got.Outside), len(have), c.named, c.outside, c.have)
			}
		}
	}
}
