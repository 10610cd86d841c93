package targettest

import (
	"testing"

	"github.com/rosterd/rosterd/target"
)

// Run holds a kind against the contract.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		need bool
		test func(*bench)
	}{
		{"Describe", true, describe},
		{"Identity", true, identity},
		{"Law01ListIsCompleteWithProof", true, listComplete},
		{"Law01ListFailsWhole", true, listFails},
		{"ListKeepsToTheScope", true, listScope},
		{"LookByID", true, lookByID},
		{"LookByMatch", true, lookByMatch},
		{"LookIsAnsweredInOrder", true, lookOrder},
		{"LookAgreesWithListing", true, lookListing},
		{"LookSeesWhatWasWritten", true, lookAfterWrites},
		{"WhatIsYieldedIsTheCallers", true, lookIsACopy},
		{"LookFailsWhole", true, lookFails},
		{"Create", true, create},
		{"CreateExists", true, createExists},
		{"CreateAll", h.Batches, createMany},
		{"CreateAllStops", h.Batches, createAllStops},
		{"CreateAllMixed", h.Batches, createAllMixed},
		{"CreateAllCancelled", h.Batches, createAllCancelled},
		{"StrangeNames", true, strangeNames},
		{"StrangeValues", true, strangeValues},
		{"LinkPutsTheMark", h.Want.Marks, link},
		{"UpdateNamedOnly", true, updateNamedOnly},
		{"UpdateIdempotent", true, updateIdempotent},
		{"UpdateFillsWhatIsEmpty", true, updateFills},
		{"UpdateMergesBesideOthers", true, updateMerges},
		{"UpdateMissing", true, updateMissing},
		{"Rename", h.Want.CanRename, rename},
		{"RenameExists", h.Want.CanRename, renameExists},
		{"RenameKeepsEverything", h.Want.CanRename, renameKeeps},
		{"EnableDisable", h.Want.CanDisable, enableDisable},
		{"DisabledStillOurs", h.Want.CanDisable, disabledStillOurs},
		{"DeleteTwice", h.Want.CanDelete, deleteTwice},
		{"GrantRevoke", h.Want.Entitlements, grantRevoke},
		{"GrantMixed", h.Want.Entitlements, grantMixed},
		{"GrantWhatIsNotThere", h.Want.Entitlements && h.NoEntitlement != "", grantNoEntitlement},
		{"LastHolder", h.Want.Entitlements, lastHolder},
		{"SetPassword", h.Want.Passwords, setPassword},
		{"PasswordOfDisabled", h.Want.Passwords && h.Want.CanDisable, passwordOfDisabled},
		{"PasswordMustChange", h.Want.MustChange, passwordMustChange},
		{"PasswordFails", h.Want.Passwords, passwordFails},
		{"CreatedShutWithoutPassword", h.Want.PasswordFirst, createdShut},
		{"Concurrent", true, concurrent},
		{"CancelledNeverWrites", true, cancelledNeverWrites},
		{"ReadsNeverWrite", true, readsNeverWrite},
	} {
		if !c.need {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.test(h.bench(t)) })
	}
}

func describe(b *bench) {
	got, want := b.Target.Describe(), b.h.Want
	got.Same, got.SameName, want.Same, want.SameName = nil, nil, nil, nil
	if got.Kind != want.Kind || got.NameAttribute != want.NameAttribute || got.CanRename != want.CanRename ||
		got.CanDisable != want.CanDisable || got.CanDelete != want.CanDelete || got.Entitlements != want.Entitlements ||
		got.ReadBack != want.ReadBack || got.Marks != want.Marks ||
		got.Passwords != want.Passwords || got.MustChange != want.MustChange || got.PasswordFirst != want.PasswordFirst {
		b.t.Fatalf("describe says %+v, want %+v", got, want)
	}
	if _, can := b.Target.(target.Passworder); want.Passwords && !can {
		b.t.Fatal("describe says that passwords can be set, and the target cannot")
	}
	if _, is := b.Target.(target.Batcher); is != b.h.Batches {
		b.t.Fatalf("makes many accounts at once: %v, want %v", is, b.h.Batches)
	}
	d := b.Target.Describe()
	pairs := []Pair{
		{b.h.Multi, []string{"x", "y"}, []string{"y", "x"}},
		{b.h.Multi, nil, []string{}},
	}
	for _, p := range append(pairs, b.h.Same...) {
		if !d.Equal(p.Attribute, p.A, p.B) || !d.Equal(p.Attribute, p.B, p.A) {
			b.t.Errorf("%s: %q and %q are not the same", p.Attribute, p.A, p.B)
		}
	}
	pairs = []Pair{
		{b.h.Multi, []string{"x"}, []string{"y"}},
		{b.h.Multi, []string{"x"}, []string{"x", "y"}},
		{b.h.Multi, []string{"x"}, nil},
	}
	for _, p := range append(pairs, b.h.Differ...) {
		if d.Equal(p.Attribute, p.A, p.B) || d.Equal(p.Attribute, p.B, p.A) {
			b.t.Errorf("%s: %q and %q are taken for the same", p.Attribute, p.A, p.B)
		}
	}
	if !d.EqualName("writer1", "writer1") || d.EqualName("writer1", "writer2") {
		b.t.Error("account names are compared wrongly")
	}
}

func identity(b *bench) {
	first, err := b.Target.Identity(b.t.Context())
	b.ok(err)
	again, err := b.Target.Identity(b.t.Context())
	b.ok(err)
	if first == "" || first != again {
		b.t.Fatalf("the identity is %q and then %q", first, again)
	}
	if _, err := b.Target.Identity(cancelled()); err == nil {
		b.t.Fatal("a cancelled question after the identity was answered")
	}
	b.create("writer1")
	if again, err = b.Target.Identity(b.t.Context()); err != nil || first != again {
		b.t.Fatalf("after a write the identity is %q, was %q (%v)", again, first, err)
	}
}

func readsNeverWrite(b *bench) {
	ref := b.create("writer1")
	b.quiet("reading", func() {
		_, err := target.Collect(b.t.Context(), b.Target, b.scope)
		b.ok(err)
		b.byID(ref.ID)
		if c, ok := b.Target.(target.Checker); ok {
			notes, err := c.Check(b.t.Context(), b.scope)
			b.ok(err)
			for _, n := range notes {
				if n.Broken {
					b.t.Errorf("check says of a system in order: %s", n.Text)
				}
			}
		}
	})
}
