package sync_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// placed is a target in which an account is named by where it stands, and can be moved.
type placed struct {
	*memory.Target
	at map[target.NativeID]string
}

func (p placed) Describe() target.Description {
	d := p.Target.Describe()
	d.References = true
	return d
}

func (p placed) reference(a target.Account) string { return "uid=" + a.Name + p.at[a.ID] }

func (p placed) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	return p.Target.List(ctx, scope, func(a target.Account) error {
		a.Reference = p.reference(a)
		return yield(a)
	})
}

func (p placed) Look(ctx context.Context, scope target.Scope, q []target.Query) ([]target.Observation, error) {
	out, err := p.Target.Look(ctx, scope, q)
	for i := range out {
		for k, a := range out[i].Accounts {
			out[i].Accounts[k].Reference = p.reference(a)
		}
	}
	return out, err
}

// move puts an account elsewhere; a target that keeps references itself follows in the
// accounts that refer to it.
func (p placed) move(id target.NativeID, to string, follows bool) {
	was, is := "", ""
	for _, a := range p.Accounts() {
		if a.ID == id {
			was = p.reference(a)
			p.at[id] = to
			is = p.reference(a)
		}
	}
	for _, a := range p.Accounts() {
		if i := slices.Index(a.Attributes["boss"], was); i >= 0 && follows {
			a.Attributes["boss"] = []string{is}
			p.Put(a)
		}
	}
}

// An account that somebody moved in a target is referred to as it was seen: where the
// target follows by itself nothing is written, else the new name, once, and never the old.
func TestReferencesFollowWhatWasSeen(t *testing.T) {
	for _, follows := range []bool{true, false} {
		t.Run(fmt.Sprintf("follows=%v", follows), func(t *testing.T) {
			w := referring(t, boss)
			wiki := placed{w.wiki, map[target.NativeID]string{}}
			w.engine.Targets[0].Target = wiki
			w.under("a", "top")
			w.under("b", "top")
			w.under("top", "top")
			w.settles()
			wiki.move(w.account("top").ID, ",ou=elsewhere", follows)
			before := len(w.wiki.Writes())
			r := w.cycle(rostersync.Request{Verb: "sync", Full: true})
			if r.Exit() != 0 {
				t.Fatalf("exit %d\n%s", r.Exit(), text(r))
			}
			want := 3
			if follows {
				want = 0
			}
			writes := w.wiki.Writes()[before:]
			if len(writes) != want || r.Then != nil {
				t.Errorf("%d writes, want %d; a second pass: %v\n%s", len(writes), want, r.Then != nil, text(r))
			}
			for _, login := range []string{"a", "b", "top"} {
				w.wantBoss(login, "?uid=top,ou=elsewhere")
			}
			w.quiet()
		})
	}
}

// So it is where only one of them is worked on, and whoever is not looked at follows in
// the second pass.
func TestReferencesFollowWhatOneLookSaw(t *testing.T) {
	w := referring(t, boss)
	wiki := placed{w.wiki, map[target.NativeID]string{}}
	w.engine.Targets[0].Target = wiki
	a := w.under("a", "top")
	w.under("b", "top")
	top := w.under("top")
	w.settles()
	wiki.move(w.account("top").ID, ",ou=elsewhere", false)
	w.set(a, "sn", "a title")
	w.set(top, "sn", "a title")
	before := len(w.wiki.Writes())
	w.settles()
	if n := len(w.wiki.Writes()) - before; n != 3 {
		t.Errorf("%d writes, want 3: a's title and manager, b's manager, the title of whom they refer to", n)
	}
	w.wantBoss("a", "?uid=top,ou=elsewhere")
	w.wantBoss("b", "?uid=top,ou=elsewhere")
}
