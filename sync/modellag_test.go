package sync_test

import (
	"context"
	"maps"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// lag lets a target list its accounts as they are now from here on, while a look shows
// them as they are: its search index is behind.
func (m *model) lag() {
	name := m.aTarget()
	old, err := memory.New(memory.Config{}, name)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, a := range m.member[name].Accounts() {
		a.Attributes = maps.Clone(a.Attributes)
		old.Put(a)
	}
	m.say("%s: listings lag behind", name)
	m.old[name], m.faulty, m.hand = old, true, true
}

func (w *watched) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	if old := w.m.old[w.name]; old != nil {
		return old.List(ctx, scope, yield)
	}
	return w.Target.List(ctx, scope, yield)
}
