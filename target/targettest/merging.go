package targettest

import (
	"slices"

	"github.com/rosterd/rosterd/target"
)

// updateFills: a value that came there after we looked is not written over.
func updateFills(b *bench) {
	ref := b.create("writer1", value(b.h.Multi, "a"))
	b.create("writer2")
	fill := func(name string, values ...string) {
		b.t.Helper()
		v := value(name, values...)
		v.How = target.Fill
		b.untouched(func() { b.ok(b.Target.Update(b.t.Context(), ref, []target.Value{v})) }, ref.ID)
	}
	fill(b.h.Single[0], "ours")
	b.wantValues(b.must(ref.ID), value(b.h.Single[0], "ours"))
	b.Set(b.t, ref.ID, value(b.h.Single[0], "theirs"))
	b.quiet("to fill what is full", func() {
		fill(b.h.Single[0], "ours anew")
		fill(b.h.Multi, "b", "c")
	})
	b.wantValues(b.must(ref.ID), value(b.h.Single[0], "theirs"))
	b.wantValues(b.must(ref.ID), value(b.h.Multi, "a"))
	b.Set(b.t, ref.ID, value(b.h.Multi))
	fill(b.h.Multi, "b", "c")
	b.wantValues(b.must(ref.ID), value(b.h.Multi, "b", "c"))
}

// updateMerges: others' values stay, whenever they came.
func updateMerges(b *bench) {
	m := value(b.h.Multi, "ours")
	m.How = target.Merge
	ref := b.create("writer1", m)
	b.create("writer2", value(b.h.Multi, "ours"))
	b.wantValues(b.must(ref.ID), value(b.h.Multi, "ours"))
	merge := func(add, take []string, more ...target.Value) {
		b.t.Helper()
		v := target.Value{Name: b.h.Multi, Values: add, How: target.Merge, Without: take}
		b.untouched(func() { b.ok(b.Target.Update(b.t.Context(), ref, append(more, v))) }, ref.ID)
	}
	want := func(values ...string) {
		b.t.Helper()
		b.wantValues(b.must(ref.ID), value(b.h.Multi, values...))
	}
	b.Set(b.t, ref.ID, value(b.h.Multi, "ours", "theirs"))
	merge([]string{"ours", "new"}, nil)
	want("new", "ours", "theirs")
	merge([]string{"new", "newer"}, []string{"ours"}, value(b.h.Single[0], "one"))
	want("new", "newer", "theirs")
	b.wantValues(b.must(ref.ID), value(b.h.Single[0], "one"))
	b.quiet("what is so already", func() { merge([]string{"new", "newer"}, []string{"ours", "nobody's"}) })
	want("new", "newer", "theirs")
	merge(nil, []string{"new", "newer"})
	want("theirs")
	merge([]string{"theirs"}, []string{"theirs"}) // what is to be there stays
	want("theirs")
	merge(nil, []string{"theirs"})
	want()
	merge([]string{"ours"}, []string{"theirs"})
	want("ours")
	for _, p := range b.h.Same {
		if p.Attribute != b.h.Multi || len(p.A) != 1 || len(p.B) != 1 {
			continue
		}
		b.Set(b.t, ref.ID, value(b.h.Multi, p.A[0], "theirs"))
		b.quiet("a value in another spelling", func() { merge(p.B, nil) })
		merge(nil, p.B)
		want("theirs")
	}
	a := b.byID(ref.ID)
	if !slices.Equal(a.Attributes[b.h.Single[0]], []string{"one"}) {
		b.t.Fatalf("seen as %s", show(a))
	}
}
