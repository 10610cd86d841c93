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
	shown := w.m.old[w.name]
	if hidden := w.m.odd[w.name].unlisted; hidden != "" {
		all := w.Target
		if shown != nil {
			all = shown
		}
		var err error
		if shown, err = memory.New(memory.Config{}, w.name); err != nil {
			return target.Complete{}, err
		}
		for _, a := range all.Accounts() {
			if a.ID != hidden {
				shown.Put(a)
			}
		}
	} else if shown == nil {
		shown = w.Target
	}
	return shown.List(ctx, scope, func(a target.Account) error { return yield(w.veil(scope, a)) })
}
