package state

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// flock is a kit of many people and groups: one group has everybody, and the rest are
// a tree, ten below each, with one person in every one of them. Here and there a
// group has the one above it as a member, so that they go in a circle.
func (k *kit) flock(people, groups int) {
	k.Helper()
	k.src = memory.New("corp", memory.Config{Follow: true}, k.clock.now)
	var all []string
	for i := range people {
		uid := fmt.Sprintf("w%06d", i)
		all = append(all, dn(uid))
		k.src.Put(memory.Record{Kind: directory.Person, ID: identity.ID(uid), DN: dn(uid), Attributes: map[string][]string{"uid": {uid}}})
	}
	k.src.Put(memory.Record{Kind: directory.Group, ID: "all", DN: cn("all"), Attributes: called("all"), Members: all})
	for i := range groups {
		members := []string{dn(fmt.Sprintf("w%06d", i%people))}
		for child := 10*i + 1; child <= 10*i+10 && child < groups; child++ {
			members = append(members, cn(tree(child)))
		}
		if i%1000 == 999 {
			members = append(members, cn(tree((i-1)/10)))
		}
		k.src.Put(memory.Record{Kind: directory.Group, ID: identity.ID(tree(i)), DN: cn(tree(i)), Attributes: called(tree(i)), Members: members})
	}
}

func called(name string) map[string][]string { return map[string][]string{"cn": {name}} }

func tree(i int) string { return fmt.Sprintf("tree%06d", i) }

// flocked checks who is in the two groups at the top.
func (k *kit) flocked(people, groups int) []identity.Ordinal {
	k.Helper()
	var named []identity.Ordinal
	for _, p := range must2(k.s.Pins("corp", []string{cn("all"), cn(tree(0))})) {
		named = append(named, p.Group)
	}
	in := map[identity.Ordinal]int{}
	for _, list := range must2(k.s.Memberships(nil, named)) {
		for _, m := range list {
			in[m.Group]++
		}
	}
	if in[named[0]] != people || in[named[1]] != min(people, groups) {
		k.Fatalf("%d are in the one, and %d in the other", in[named[0]], in[named[1]])
	}
	return named
}

func TestManyGroups(t *testing.T) {
	const people, groups = 2500, 2000
	k := newKit(t)
	k.s.db.NoSync = true
	k.flock(people, groups)
	if d := k.read(); d.New != people+groups+1 || d.Dangling != 0 {
		t.Fatalf("%+v", d)
	}
	k.clean()
	k.flocked(people, groups)
	// Who is below the 19th, in which one has the one above it as a member.
	var want []string
	var below func(int)
	below = func(i int) {
		want = append(want, fmt.Sprintf("w%06d", i))
		for child := 10*i + 1; child <= 10*i+10 && child < groups; child++ {
			below(child)
		}
	}
	below(19)
	if len(want) != 100 || !slices.Contains(want, "w001999") {
		t.Fatal(want)
	}
	k.src.Edit(identity.ID(tree(1)), nil, []string{cn(tree(19))})
	k.follow()
	k.wantDirty(want...)
	k.clean()
	k.src.Edit(identity.ID(tree(1)), []string{cn(tree(19))}, nil)
	k.follow()
	k.wantDirty(want...)
	k.flocked(people, groups)
}

// BenchmarkGroups measures what groups of many members, and many groups, cost to load
// and to ask, and what one edge more costs among them.
func BenchmarkGroups(b *testing.B) {
	const people, groups = 100_000, 100_000
	k := &kit{tester: b, path: b.TempDir() + "/s.db", clock: newClock()}
	k.open()
	defer k.s.Close()
	k.flock(people, groups)
	measured := func(b *testing.B, f func()) {
		before, cpuBefore := k.s.Work(), cpu(b)
		f()
		w := k.s.Work().Less(before)
		b.ReportMetric(float64(w.Commits), "commits")
		b.ReportMetric(float64(w.ReadBytes)/1e3, "read-kB")
		b.ReportMetric(float64(w.WrittenBytes)/1e3, "written-kB")
		b.ReportMetric(float64((cpu(b) - cpuBefore).Milliseconds()), "cpu-ms")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
	}
	b.Run("load", func(b *testing.B) { measured(b, func() { k.read() }) })
	k.clean()
	b.Run("unchanged", func(b *testing.B) { measured(b, func() { k.read() }) })
	b.Run("memberships of all", func(b *testing.B) { measured(b, func() { k.flocked(people, groups) }) })
	k.person("late")
	k.follow()
	for what, edge := range map[string]struct {
		group, member string
		marked        int
	}{"one of 100,000": {"all", dn("late"), 1}, "one of a tree": {tree(3), dn("late"), 1}, "a branch": {tree(1), cn(tree(19)), 1111}} {
		b.Run(what, func(b *testing.B) {
			k.clean()
			gains := edge.member == dn("late")
			for b.Loop() {
				p := k.proof() // it is the source's, which looks at everybody
				measured(b, func() {
					c := must2(k.s.Changes("corp", k.src.Coverage()))
					e := directory.Edit{Group: identity.ID(edge.group)}
					list := &e.Lost
					if gains {
						list = &e.Gained
					}
					*list = []directory.Member{{DN: identity.MustDN(edge.member)}}
					ok(b, c.Edit([]directory.Edit{e}))
					k.rules.Now = k.clock.at
					must2(c.Seal(p, k.rules))
					d := must2(k.s.Drain(b.Context()))
					if d.Marked != edge.marked {
						b.Fatalf("%d are marked", d.Marked)
					}
				})
				gains = !gains
			}
		})
	}
}
