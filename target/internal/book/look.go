package book

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// View is the account as a reader with the scope sees it. It shares nothing
// with the book.
func (b *Book) View(a *target.Account, scope target.Scope) target.Account {
	out := *a
	out.Attributes = make(map[string][]string, len(scope.Attributes))
	for _, name := range scope.Attributes {
		if values := b.values(a, name); len(values) > 0 {
			out.Attributes[name] = slices.Clone(values)
		}
	}
	out.Entitlements = nil
	for _, e := range a.Entitlements {
		if slices.Contains(scope.Entitlements, e) {
			out.Entitlements = append(out.Entitlements, e)
		}
	}
	return out
}

// Find returns the accounts that answer the query, and by which match.
func (b *Book) Find(q target.Query) (found []*target.Account, by target.Match) {
	if q.ID != "" {
		if a := b.Get(q.ID); a != nil {
			found = append(found, a)
		}
		return found, by
	}
	for _, m := range q.Match {
		if m.Value == "" {
			continue
		}
		found := b.by(m.Attribute)[m.Value]
		if q.Alike {
			found = b.alike()[identity.Fold(m.Value)]
		}
		if len(found) > 0 {
			return found, m
		}
	}
	return nil, by
}

func (b *Book) by(attribute string) map[string][]*target.Account {
	if index := b.index[attribute]; index != nil {
		return index
	}
	index := map[string][]*target.Account{}
	for _, a := range b.list {
		for _, v := range b.values(a, attribute) {
			index[v] = append(index[v], a)
		}
	}
	if b.index == nil {
		b.index = map[string]map[string][]*target.Account{}
	}
	b.index[attribute] = index
	return index
}

// alike are the accounts by their names, as they are compared where case and blanks make
// no difference.
func (b *Book) alike() map[string][]*target.Account {
	const names = "" // no attribute is called so
	if index := b.index[names]; index != nil {
		return index
	}
	index := map[string][]*target.Account{}
	for _, a := range b.list {
		folded := identity.Fold(a.Name)
		index[folded] = append(index[folded], a)
	}
	if b.index == nil {
		b.index = map[string]map[string][]*target.Account{}
	}
	b.index[names] = index
	return index
}

func (b *Book) values(a *target.Account, attribute string) []string {
	if attribute == b.nameAttribute {
		return []string{a.Name}
	}
	return a.Attributes[attribute]
}
