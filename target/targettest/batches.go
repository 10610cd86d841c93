package targettest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rosterd/rosterd/target"
)

func (b *bench) holders(entitlement string) (out []target.NativeID) {
	b.t.Helper()
	for _, a := range b.Read(b.t) {
		if slices.Contains(a.Entitlements, entitlement) {
			out = append(out, a.ID)
		}
	}
	slices.Sort(out)
	return out
}

func ids(refs ...target.Ref) (out []target.NativeID) {
	for _, r := range refs {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

func (b *bench) wantHolders(entitlement string, refs ...target.Ref) {
	b.t.Helper()
	if got := b.holders(entitlement); !slices.Equal(got, ids(refs...)) {
		b.t.Fatalf("%s is held by %q, want %q", entitlement, got, ids(refs...))
	}
	for _, r := range refs {
		if a := b.byID(r.ID); !slices.Contains(a.Entitlements, entitlement) {
			b.t.Fatalf("%q holds %s and is seen with %q", r.Name, entitlement, a.Entitlements)
		}
	}
}

func grantRevoke(b *bench) {
	ctx, e := b.t.Context(), b.h.Entitlements
	refs := []target.Ref{b.create("writer1", value(b.h.Single[0], "one")), b.create("writer2"), b.create(b.h.odd()), b.put("outsider")}
	b.granted(b.Target.Grant(ctx, e[0], refs))
	b.wantHolders(e[0], refs...)
	b.granted(b.Target.Grant(ctx, e[1], refs[:2]))
	b.granted(b.Target.Grant(ctx, e[2], refs[1:3]))
	b.untouched(func() { b.granted(b.Target.Revoke(ctx, e[0], refs[1:3])) }, ids(refs[1:3]...)...)
	b.wantHolders(e[0], refs[0], refs[3])
	b.wantHolders(e[1], refs[:2]...)
	b.wantHolders(e[2], refs[1:3]...)
	// What is so already is a success, alone and among others.
	b.granted(b.Target.Grant(ctx, e[0], refs))
	b.wantHolders(e[0], refs...)
	b.granted(b.Target.Grant(ctx, e[0], refs))
	b.granted(b.Target.Revoke(ctx, e[1], refs))
	b.wantHolders(e[1])
	b.granted(b.Target.Revoke(ctx, e[1], refs))
	b.wantHolders(e[0], refs...)
	if errs := b.Target.Grant(ctx, e[0], nil); len(errs) > 0 {
		b.t.Fatalf("a grant to no account: %v", errs)
	}
	b.wantValues(b.must(refs[0].ID), value(b.h.Single[0], "one"))
	b.listed(b.scope)
}

// grantMixed: one that fails does not stop the others, and the answer says
// which one it was.
func grantMixed(b *bench) {
	ctx, e := b.t.Context(), b.h.Entitlements[0]
	ghost := b.ghost()
	refs := []target.Ref{b.create("writer1"), ghost, b.create("writer2"), b.create("writer3")}
	b.granted(b.Target.Grant(ctx, e, refs[3:]))
	errs := b.Target.Grant(ctx, e, refs)
	if len(errs) != len(refs) {
		b.t.Fatalf("%d answers to %d accounts: %v", len(errs), len(refs), errs)
	}
	for i, err := range errs {
		if (i == 1) != (err != nil) {
			b.t.Fatalf("account %d: %v", i, err)
		}
	}
	b.wantClass(errs[1], target.Missing)
	b.wantHolders(e, refs[0], refs[2], refs[3])

	errs = b.Target.Revoke(ctx, e, refs[:3])
	for i, err := range errs { // nobody holds nothing: nil or Missing will do
		if err != nil && (i != 1 || target.ClassOf(err) != target.Missing) {
			b.t.Fatalf("account %d: %v", i, err)
		}
	}
	b.wantHolders(e, refs[3])
}

func grantNoEntitlement(b *bench) {
	refs := []target.Ref{b.create("writer1"), b.create("writer2")}
	b.untouched(func() {
		errs := b.Target.Grant(b.t.Context(), b.h.NoEntitlement, refs)
		if len(errs) != len(refs) {
			b.t.Fatalf("answers to %d accounts: %v", len(refs), errs)
		}
		for _, err := range errs {
			b.wantClass(err, target.Missing)
			if hint, ok := err.(interface{ Hint() string }); !ok || hint.Hint() == "" {
				b.t.Errorf("no hint: %v", err)
			}
		}
	})
}

// lastHolder: the last one can go, and nobody else is seen to hold anything.
func lastHolder(b *bench) {
	ctx, e := b.t.Context(), b.h.Entitlements[0]
	ref := b.create("writer1")
	for range 2 {
		b.granted(b.Target.Grant(ctx, e, []target.Ref{ref}))
		b.wantHolders(e, ref)
		b.granted(b.Target.Revoke(ctx, e, []target.Ref{ref}))
		b.wantHolders(e)
		b.listed(b.scope)
	}
	other := b.create("writer2")
	b.granted(b.Target.Grant(ctx, e, []target.Ref{ref}))
	b.granted(b.Target.Grant(ctx, e, []target.Ref{other}))
	b.granted(b.Target.Revoke(ctx, e, []target.Ref{ref, other}))
	b.wantHolders(e)
}

// concurrent: calls for different accounts at the same time do not disturb
// each other.
func concurrent(b *bench) {
	const workers, rounds = 8, 4
	ctx := b.t.Context()
	refs := make([]target.Ref, workers*rounds)
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			errs[w] = func() error {
				for r := range rounds {
					name := fmt.Sprintf("writer%d-%d", w, r)
					ref, err := b.Target.Create(ctx, name, b.h.set(name, value(b.h.Single[0], "one")), "m "+name)
					if err != nil {
						return err
					}
					refs[w*rounds+r] = ref
					if err := b.Target.Update(ctx, ref, []target.Value{value(b.h.Single[0], name)}); err != nil {
						return err
					}
					if b.h.Want.Entitlements {
						for i, e := range b.h.Entitlements {
							if errs := b.Target.Grant(ctx, e, []target.Ref{ref}); errs != nil {
								return errs[0]
							}
							if i == 2 || w%2 == 0 {
								if errs := b.Target.Revoke(ctx, e, []target.Ref{ref}); errs != nil {
									return errs[0]
								}
							}
						}
					}
					got, err := b.Target.Look(ctx, b.scope, []target.Query{{ID: ref.ID}})
					if err != nil {
						return err
					}
					if len(got[0].Accounts) != 1 || !slices.Equal(got[0].Accounts[0].Attributes[b.h.Single[0]], []string{name}) {
						return fmt.Errorf("%s is seen as %+v", name, got[0].Accounts)
					}
				}
				return nil
			}()
		})
	}
	group.Wait()
	b.granted(errs)
	if got := len(b.Read(b.t)); got != len(refs) {
		b.t.Fatalf("%d accounts, want %d", got, len(refs))
	}
	if b.h.Want.Entitlements {
		var odd []target.Ref
		for i, ref := range refs {
			if i/rounds%2 == 1 {
				odd = append(odd, ref)
			}
		}
		b.wantHolders(b.h.Entitlements[0], odd...)
		b.wantHolders(b.h.Entitlements[1], odd...)
		b.wantHolders(b.h.Entitlements[2])
	}
	b.listed(b.scope)
}
