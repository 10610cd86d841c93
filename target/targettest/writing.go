package targettest

import (
	"errors"
	"slices"

	"github.com/rosterd/rosterd/target"
)

func create(b *bench) {
	one, many := value(b.h.Single[0], "one"), value(b.h.Multi, "z", "y")
	var ref target.Ref
	b.untouched(func() { ref = b.create("writer1", one, many, value(b.h.Single[1])) })
	a := b.must(ref.ID)
	if !a.Enabled || len(a.Entitlements) > 0 || a.Name != "writer1" {
		b.t.Fatalf("created %s", show(a))
	}
	if want := "mark of writer1"; b.h.Want.Marks && a.Mark != want {
		b.t.Fatalf("the mark is %q, want %q", a.Mark, want)
	}
	b.wantValues(a, one)
	b.wantValues(a, many)
	if v := a.Attributes[b.h.Single[1]]; len(v) > 0 {
		b.t.Fatalf("an attribute without values was created with %q", v)
	}
	if other := b.create("writer2"); other.ID == ref.ID {
		b.t.Fatal("two accounts have one ID")
	}
	if _, err := b.Target.Create(b.t.Context(), "", b.h.set("x"), ""); err == nil {
		b.t.Fatal("an account without a name was created")
	}
}

func createExists(b *bench) {
	ours, theirs := b.create("writer1", value(b.h.Single[0], "one")), b.put("outsider")
	b.untouched(func() {
		for _, ref := range []target.Ref{ours, theirs} {
			_, err := b.Target.Create(b.t.Context(), ref.Name, b.h.set(ref.Name, value(b.h.Single[0], "two")), "another mark")
			b.wantClass(err, target.Exists)
		}
	})
}

var strange = []string{"Zoë Äßç", "last, first", `say "hi"`, " leading", "#hash", `back\slash`, "a+b=c;d<e>", "(star*)", "日本語", "Robert'); DROP"}

// strangeNames sends an account with each name through its whole life.
func strangeNames(b *bench) {
	for _, name := range b.h.names() {
		var ref target.Ref
		b.untouched(func() {
			ref = b.create(name, value(b.h.Single[0], "one"))
			a := b.must(ref.ID)
			if !b.Target.Describe().EqualName(a.Name, name) {
				b.t.Fatalf("created as %q, want %q", a.Name, name)
			}
			o := b.look(target.Query{Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: name}}})
			if len(o.Accounts) != 1 || o.Accounts[0].ID != ref.ID {
				b.t.Fatalf("%q: found %+v", name, o.Accounts)
			}
			b.ok(b.Target.Update(b.t.Context(), ref, []target.Value{value(b.h.Single[0], "two")}))
			b.wantValues(b.must(ref.ID), value(b.h.Single[0], "two"))
		})
		if b.h.Want.Entitlements {
			b.granted(b.Target.Grant(b.t.Context(), b.h.Entitlements[0], []target.Ref{ref}))
			if a := b.byID(ref.ID); !slices.Equal(a.Entitlements, b.h.Entitlements[:1]) {
				b.t.Fatalf("%q holds %q", name, a.Entitlements)
			}
		}
		if b.h.Want.CanDisable {
			b.ok(b.Target.Disable(b.t.Context(), ref))
			b.ok(b.Target.Enable(b.t.Context(), ref))
		}
		if b.h.Want.CanRename {
			was := ref
			var err error
			ref, err = b.Target.Rename(b.t.Context(), ref, name+" 2")
			b.ok(err)
			if a := b.must(ref.ID); !b.Target.Describe().EqualName(a.Name, name+" 2") || ref.ID != was.ID && !b.h.Volatile {
				b.t.Fatalf("renamed %q to %q, ID %q to %q", name, a.Name, was.ID, ref.ID)
			}
		}
		if b.h.Want.Entitlements {
			b.granted(b.Target.Revoke(b.t.Context(), b.h.Entitlements[0], []target.Ref{ref}))
			if a := b.must(ref.ID); len(a.Entitlements) > 0 {
				b.t.Fatalf("%q still holds %q", name, a.Entitlements)
			}
		}
		if b.h.Want.CanDelete {
			b.untouched(func() { b.ok(b.Target.Delete(b.t.Context(), ref)) }, ref.ID)
			if b.truth(ref.ID) != nil {
				b.t.Fatalf("%q was not deleted", name)
			}
		}
	}
}

func strangeValues(b *bench) {
	for _, v := range strange {
		ref := b.create("writer1", value(b.h.Single[0], v), value(b.h.Multi, v, "plain"))
		b.wantValues(b.must(ref.ID), value(b.h.Single[0], v))
		b.wantValues(b.must(ref.ID), value(b.h.Multi, "plain", v))
		b.wantSeen(b.byID(ref.ID), b.must(ref.ID), b.scope)
		o := b.look(target.Query{Match: []target.Match{{Attribute: b.h.Single[0], Value: v}}})
		if len(o.Accounts) != 1 {
			b.t.Fatalf("%q found %d accounts", v, len(o.Accounts))
		}
		b.ok(b.Target.Delete(b.t.Context(), ref))
	}
}

func link(b *bench) {
	ref := b.put("outsider", value(b.h.Single[0], "one"))
	b.put("bystander")
	b.untouched(func() { b.ok(b.Target.Link(b.t.Context(), ref, "ours")) }, ref.ID)
	if a := b.must(ref.ID); a.Mark != "ours" || a.Name != "outsider" {
		b.t.Fatalf("linked: %s", show(a))
	}
	b.wantValues(b.must(ref.ID), value(b.h.Single[0], "one"))
	if a := b.byID(ref.ID); a.Mark != "ours" {
		b.t.Fatalf("seen with the mark %q", a.Mark)
	}
	b.quiet("the same link again", func() { b.ok(b.Target.Link(b.t.Context(), ref, "ours")) })
	b.ok(b.Target.Link(b.t.Context(), ref, "ours anew"))
	if a := b.must(ref.ID); a.Mark != "ours anew" {
		b.t.Fatalf("linked anew: %s", show(a))
	}
	b.wantClass(b.Target.Link(b.t.Context(), b.ghost(), "ours"), target.Missing)
}

// ghost is an account that was there.
func (b *bench) ghost() target.Ref {
	b.t.Helper()
	ref := b.create("ghost")
	b.ok(b.Target.Delete(b.t.Context(), ref))
	return ref
}

func updateNamedOnly(b *bench) {
	h := b.h
	ref := b.create("writer1", value(h.Single[0], "one"), value(h.Single[1], "two"), value(h.Multi, "a", "b"))
	b.create("writer2", value(h.Single[0], "one"))
	update := func(set ...target.Value) target.Account {
		b.t.Helper()
		b.untouched(func() { b.ok(b.Target.Update(b.t.Context(), ref, set)) }, ref.ID)
		for _, v := range set {
			b.wantValues(b.must(ref.ID), v)
		}
		return b.must(ref.ID)
	}
	a := update(value(h.Single[0], "three"))
	b.wantValues(a, value(h.Single[1], "two"))
	b.wantValues(a, value(h.Multi, "a", "b"))
	update(value(h.Multi, "b", "c", "d"))
	update(value(h.Multi, "d"))
	a = update(value(h.Multi), value(h.Single[0]))
	b.wantValues(a, value(h.Single[1], "two"))
	update(value(h.Multi, "e"), value(h.Single[0], "four"), value(h.Single[1]))
	// What somebody else set in the meantime stays, but for what is named.
	b.Set(b.t, ref.ID, value(h.Single[1], "theirs"))
	b.Set(b.t, ref.ID, value(h.Multi, "e", "theirs"))
	a = update(value(h.Multi, "ours"))
	b.wantValues(a, value(h.Single[1], "theirs"))
	if a.Mark != "mark of writer1" && h.Want.Marks || !a.Enabled || a.Name != "writer1" {
		b.t.Fatalf("updated: %s", show(a))
	}
}

func updateIdempotent(b *bench) {
	set := []target.Value{value(b.h.Single[0], "one"), value(b.h.Multi, "a", "b"), value(b.h.Single[1])}
	ref := b.create("writer1")
	for range 2 {
		b.ok(b.Target.Update(b.t.Context(), ref, set))
		for _, v := range set {
			b.wantValues(b.must(ref.ID), v)
		}
	}
	// To clear what is clear is a success.
	b.ok(b.Target.Update(b.t.Context(), ref, []target.Value{value(b.h.Single[1])}))
	b.quiet("no attributes", func() { b.ok(b.Target.Update(b.t.Context(), ref, nil)) })
}

func updateMissing(b *bench) {
	ghost := b.ghost()
	// An account that has its name is not it.
	heir := b.put(ghost.Name)
	b.untouched(func() {
		b.wantClass(b.Target.Update(b.t.Context(), ghost, []target.Value{value(b.h.Single[0], "one")}), target.Missing)
		if b.h.Want.CanDisable {
			b.wantClass(b.Target.Disable(b.t.Context(), ghost), target.Missing)
			b.wantClass(b.Target.Enable(b.t.Context(), ghost), target.Missing)
		}
		if b.h.Want.CanRename {
			_, err := b.Target.Rename(b.t.Context(), ghost, "other")
			b.wantClass(err, target.Missing)
		}
		if b.h.Want.CanDelete {
			b.ok(b.Target.Delete(b.t.Context(), ghost))
		}
		if b.h.Want.Entitlements {
			errs := b.Target.Grant(b.t.Context(), b.h.Entitlements[0], []target.Ref{ghost})
			if len(errs) != 1 {
				b.t.Fatalf("a grant to nobody: %v", errs)
			}
			b.wantClass(errs[0], target.Missing)
		}
	})
	b.must(heir.ID)
}

func rename(b *bench) {
	ref := b.create("writer1")
	b.create("writer2")
	var now target.Ref
	b.untouched(func() {
		var err error
		now, err = b.Target.Rename(b.t.Context(), ref, "writer3")
		b.ok(err)
	}, ref.ID)
	if now.Name != "writer3" || now.ID != ref.ID && !b.h.Volatile {
		b.t.Fatalf("renamed %+v to %+v", ref, now)
	}
	if a := b.must(now.ID); a.Name != "writer3" {
		b.t.Fatalf("renamed: %s", show(a))
	}
	if o := b.look(target.Query{Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: "writer1"}}}); len(o.Accounts) > 0 {
		b.t.Fatalf("the old name still finds %+v", o.Accounts)
	}
	again, err := b.Target.Rename(b.t.Context(), now, "writer3")
	b.ok(err)
	if again != now {
		b.t.Fatalf("renamed to its own name: %+v", again)
	}
	// Case is part of a name even where it does not tell two apart.
	if now, err = b.Target.Rename(b.t.Context(), now, "Writer3"); err != nil {
		b.t.Fatal(err)
	}
	if a := b.must(now.ID); a.Name != "Writer3" {
		b.t.Fatalf("renamed: %s", show(a))
	}
	b.create("writer1") // the name is free
	if _, err := b.Target.Rename(b.t.Context(), now, ""); err == nil {
		b.t.Fatal("an account lost its name")
	}
}

func renameExists(b *bench) {
	ref, other := b.create("writer1"), b.put("outsider")
	b.untouched(func() {
		_, err := b.Target.Rename(b.t.Context(), ref, other.Name)
		b.wantClass(err, target.Exists)
	})
}

func renameKeeps(b *bench) {
	ref := b.create("writer1", value(b.h.Single[0], "one"), value(b.h.Multi, "a", "b"))
	bystander := b.create("writer2")
	if b.h.Want.Entitlements {
		for _, e := range b.h.Entitlements[:2] {
			b.granted(b.Target.Grant(b.t.Context(), e, []target.Ref{bystander, ref}))
		}
	}
	before := b.must(ref.ID)
	now, err := b.Target.Rename(b.t.Context(), ref, b.h.odd())
	b.ok(err)
	after := b.must(now.ID)
	before.ID, before.Name = after.ID, after.Name
	if show(before) != show(after) {
		b.t.Fatalf("a rename changed more than the name:\n was %s\n is  %s", show(before), show(after))
	}
	b.wantSeen(b.byID(now.ID), after, b.scope)
}

func enableDisable(b *bench) {
	ref := b.create("writer1", value(b.h.Single[0], "one"))
	b.create("writer2")
	for _, enabled := range []bool{false, false, true, true, false, true} {
		b.untouched(func() {
			if enabled {
				b.ok(b.Target.Enable(b.t.Context(), ref))
			} else {
				b.ok(b.Target.Disable(b.t.Context(), ref))
			}
		}, ref.ID)
		if a := b.must(ref.ID); a.Enabled != enabled {
			b.t.Fatalf("enabled is %v, want %v", a.Enabled, enabled)
		}
		if a := b.byID(ref.ID); a.Enabled != enabled || !slices.Equal(a.Attributes[b.h.Single[0]], []string{"one"}) {
			b.t.Fatalf("seen as %s, want enabled %v", show(a), enabled)
		}
		b.listed(b.scope)
	}
}

// disabledStillOurs: every other write works on a disabled account, and its
// name is not free.
func disabledStillOurs(b *bench) {
	ref := b.create("writer1")
	if b.h.Want.Entitlements {
		b.granted(b.Target.Grant(b.t.Context(), b.h.Entitlements[0], []target.Ref{ref}))
	}
	b.ok(b.Target.Disable(b.t.Context(), ref))
	b.ok(b.Target.Update(b.t.Context(), ref, []target.Value{value(b.h.Single[0], "one")}))
	b.wantValues(b.must(ref.ID), value(b.h.Single[0], "one"))
	if b.h.Want.Entitlements {
		b.granted(b.Target.Revoke(b.t.Context(), b.h.Entitlements[0], []target.Ref{ref}))
		if a := b.must(ref.ID); len(a.Entitlements) > 0 {
			b.t.Fatalf("stripped, and holds %q", a.Entitlements)
		}
		b.granted(b.Target.Grant(b.t.Context(), b.h.Entitlements[1], []target.Ref{ref}))
	}
	if b.h.Want.Marks {
		b.ok(b.Target.Link(b.t.Context(), ref, "ours"))
	}
	_, err := b.Target.Create(b.t.Context(), "writer1", b.h.set("writer1"), "")
	b.wantClass(err, target.Exists)
	if o := b.look(target.Query{Match: []target.Match{{Attribute: b.h.Want.NameAttribute, Value: "writer1"}}}); len(o.Accounts) != 1 || o.Accounts[0].Enabled {
		b.t.Fatalf("by name: %+v", o.Accounts)
	}
	if b.h.Want.CanRename {
		ref, err = b.Target.Rename(b.t.Context(), ref, "writer2")
		b.ok(err)
	}
	if a := b.must(ref.ID); a.Enabled {
		b.t.Fatalf("a write enabled it: %s", show(a))
	}
	b.ok(b.Target.Enable(b.t.Context(), ref))
	if a := b.must(ref.ID); !a.Enabled || b.h.Want.Entitlements && !slices.Equal(a.Entitlements, b.h.Entitlements[1:2]) {
		b.t.Fatalf("enabled again: %s", show(a))
	}
	b.ok(b.Target.Disable(b.t.Context(), ref))
	b.ok(b.Target.Delete(b.t.Context(), ref))
	if b.truth(ref.ID) != nil {
		b.t.Fatal("a disabled account was not deleted")
	}
}

func deleteTwice(b *bench) {
	ref, stays := b.create("writer1"), b.create("writer2")
	if b.h.Want.Entitlements {
		b.granted(b.Target.Grant(b.t.Context(), b.h.Entitlements[0], []target.Ref{ref, stays}))
	}
	for range 2 {
		b.untouched(func() { b.ok(b.Target.Delete(b.t.Context(), ref)) }, ref.ID)
		if b.truth(ref.ID) != nil {
			b.t.Fatal("the account is still there")
		}
	}
	// Its name is free, and what it held does not come back with it.
	if heir := b.must(b.create("writer1").ID); len(heir.Entitlements) > 0 && b.h.Want.Entitlements {
		b.t.Fatalf("a new account of the name inherited %q", heir.Entitlements)
	}
}

func cancelledNeverWrites(b *bench) {
	ctx, w := cancelled(), b.Target
	ref := b.create("writer1", value(b.h.Single[0], "one"))
	before := len(b.Read(b.t))
	b.quiet("a cancelled context", func() {
		b.untouched(func() {
			_, err := w.Create(ctx, "writer2", b.h.set("writer2"), "")
			_, renamed := w.Rename(ctx, ref, "writer3")
			for i, err := range []error{err, w.Update(ctx, ref, []target.Value{value(b.h.Single[0], "two")}), renamed,
				w.Disable(ctx, ref), w.Enable(ctx, ref), w.Link(ctx, ref, "m"), w.Delete(ctx, ref)} {
				if err == nil {
					b.t.Errorf("write %d with a cancelled context succeeded", i)
				} else if target.ClassOf(err) == target.InDoubt {
					b.t.Errorf("write %d was never sent, and is called in doubt: %v", i, err)
				} else if !errors.Is(err, ctx.Err()) && target.ClassOf(err) == target.Transient {
					b.t.Errorf("write %d does not say that it was cancelled: %v", i, err)
				}
			}
			if b.h.Want.Entitlements {
				for _, errs := range [][]error{w.Grant(ctx, b.h.Entitlements[0], []target.Ref{ref}), w.Revoke(ctx, b.h.Entitlements[0], []target.Ref{ref})} {
					if len(errs) != 1 || errs[0] == nil {
						b.t.Errorf("a batch with a cancelled context: %v", errs)
					}
				}
			}
		})
	})
	if after := len(b.Read(b.t)); after != before {
		b.t.Fatalf("%d accounts, were %d", after, before)
	}
}
