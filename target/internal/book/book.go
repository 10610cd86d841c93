// Package book keeps accounts in memory with the meaning that the contract of
// target gives each write. The kinds memory and file stand on it.
//
// A Book does no I/O and no locking. Accounts in it are never changed in place:
// a write puts a new value there, so a copy of the list is a snapshot.
package book

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// Book is a set of accounts in the order in which they came.
type Book struct {
	nameAttribute string
	list          []*target.Account
	at            map[target.NativeID]int
	names         map[string]int // how many accounts have the name
	index         map[string]map[string][]*target.Account
}

// New makes an empty book. The name of an account can also be reached as the
// value of nameAttribute.
func New(nameAttribute string) *Book {
	return &Book{nameAttribute: nameAttribute, at: map[target.NativeID]int{}, names: map[string]int{}}
}

// Len is the number of accounts.
func (b *Book) Len() int { return len(b.list) }

// Accounts is a snapshot. Nobody may change what it points at.
func (b *Book) Accounts() []*target.Account { return slices.Clone(b.list) }

// Get returns the account with the ID, or nil.
func (b *Book) Get(id target.NativeID) *target.Account {
	if i, ok := b.at[id]; ok {
		return b.list[i]
	}
	return nil
}

// Put adds the account, or replaces the one with its ID. It is how accounts
// come that were not made by a write of ours.
func (b *Book) Put(a target.Account) {
	b.index = nil
	if i, ok := b.at[a.ID]; ok {
		b.forget(b.list[i].Name)
		b.list[i] = &a
	} else {
		b.at[a.ID] = len(b.list)
		b.list = append(b.list, &a)
	}
	b.names[a.Name]++
}

func (b *Book) forget(name string) {
	if b.names[name]--; b.names[name] == 0 {
		delete(b.names, name)
	}
}

// Create adds an enabled account without entitlements.
func (b *Book) Create(id target.NativeID, name string, set []target.Value, mark string) error {
	if name == "" {
		return refused("create an account: the name is empty")
	}
	if b.names[name] > 0 {
		return &target.Error{Class: target.Exists, Err: fmt.Errorf("create %q: an account of that name exists", name)}
	}
	a := target.Account{ID: id, Name: name, Enabled: true, Attributes: map[string][]string{}, Mark: mark}
	for _, v := range set {
		if v.Name == b.nameAttribute {
			if len(v.Values) != 1 || v.Values[0] != name {
				return refused("create %q: the attribute %s is the name and cannot differ from it", name, v.Name)
			}
			continue
		}
		if values := unique(v.Values); len(values) > 0 {
			a.Attributes[v.Name] = values
		}
	}
	b.Put(a)
	return nil
}

// Link puts the mark on the account.
func (b *Book) Link(ref target.Ref, mark string) (changed bool, err error) {
	return b.change("link", ref, func(a *target.Account) bool {
		changed := a.Mark != mark
		a.Mark = mark
		return changed
	})
}

// Update gives the named attributes other values.
func (b *Book) Update(ref target.Ref, set []target.Value) (changed bool, err error) {
	for _, v := range set {
		if v.Name == b.nameAttribute {
			return false, refused("update %q: the attribute %s is the name; only a rename changes it", ref.Name, v.Name)
		}
	}
	return b.change("update", ref, func(a *target.Account) bool {
		changed := false
		attributes := make(map[string][]string, len(a.Attributes)+len(set))
		for name, values := range a.Attributes {
			attributes[name] = values
		}
		for _, v := range set {
			values := unique(v.On(attributes[v.Name], target.Description{}))
			if (target.Description{}).Equal(v.Name, attributes[v.Name], values) {
				continue
			}
			changed = true
			if len(values) == 0 {
				delete(attributes, v.Name)
			} else {
				attributes[v.Name] = values
			}
		}
		a.Attributes = attributes
		return changed
	})
}

// Rename gives the account another name.
func (b *Book) Rename(ref target.Ref, name string) (changed bool, err error) {
	if name == "" {
		return false, refused("rename %q: the new name is empty", ref.Name)
	}
	if a := b.Get(ref.ID); a != nil && a.Name != name && b.names[name] > 0 {
		return false, &target.Error{Class: target.Exists, Err: fmt.Errorf("rename %q to %q: an account of that name exists", ref.Name, name)}
	}
	return b.change("rename", ref, func(a *target.Account) bool {
		changed := a.Name != name
		a.Name = name
		return changed
	})
}

// Enable opens or closes the account.
func (b *Book) Enable(ref target.Ref, enabled bool) (changed bool, err error) {
	verb := "disable"
	if enabled {
		verb = "enable"
	}
	return b.change(verb, ref, func(a *target.Account) bool {
		changed := a.Enabled != enabled
		a.Enabled = enabled
		return changed
	})
}

// Entitle gives or takes one entitlement.
func (b *Book) Entitle(ref target.Ref, entitlement string, give bool) (changed bool, err error) {
	verb := "revoke " + entitlement + " from"
	if give {
		verb = "grant " + entitlement + " to"
	}
	if entitlement == "" {
		return false, refused("%s%q: the entitlement is empty", verb, ref.Name)
	}
	return b.change(verb, ref, func(a *target.Account) bool {
		i, has := slices.BinarySearch(a.Entitlements, entitlement)
		switch {
		case give && !has:
			a.Entitlements = slices.Insert(slices.Clone(a.Entitlements), i, entitlement)
		case !give && has:
			a.Entitlements = slices.Delete(slices.Clone(a.Entitlements), i, i+1)
		default:
			return false
		}
		return true
	})
}

// Delete removes the account; one that is not there is no change.
func (b *Book) Delete(id target.NativeID) (changed bool) {
	i, ok := b.at[id]
	if !ok {
		return false
	}
	b.index = nil
	b.forget(b.list[i].Name)
	delete(b.at, id)
	b.list = slices.Delete(b.list, i, i+1)
	for j := i; j < len(b.list); j++ {
		b.at[b.list[j].ID] = j
	}
	return true
}

func (b *Book) change(verb string, ref target.Ref, edit func(*target.Account) bool) (bool, error) {
	old := b.Get(ref.ID)
	if old == nil {
		return false, &target.Error{Class: target.Missing, Err: fmt.Errorf("%s %q: there is no account with the ID %q", verb, ref.Name, ref.ID)}
	}
	a := *old
	if !edit(&a) {
		return false, nil
	}
	b.Put(a)
	return true, nil
}

func refused(format string, args ...any) error {
	return &target.Error{Class: target.Refused, Err: fmt.Errorf(format, args...)}
}

// unique copies the values without repetitions, in their order.
func unique(values []string) []string {
	var out []string
	for _, v := range values {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
