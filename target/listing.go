package target

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/target/internal/proof"
)

// Listing is every account in the managed scope of a target. One exists only
// after a complete read.
type Listing struct {
	accounts []Account
	byID     map[NativeID]int
	rules    Description
	index    map[string]map[string][]int // attribute → folded value → accounts
}

// Collect lists a target whole, or not at all.
func Collect(ctx context.Context, t Target, scope Scope) (Listing, error) {
	l := Listing{byID: map[NativeID]int{}, rules: t.Describe(), index: map[string]map[string][]int{}}
	done, err := t.List(ctx, scope, func(a Account) error {
		if a.ID == "" {
			return fmt.Errorf("list accounts: %q has no ID", a.Name)
		}
		if _, twice := l.byID[a.ID]; twice {
			return fmt.Errorf("list accounts: ID %q came twice", a.ID)
		}
		l.byID[a.ID] = len(l.accounts)
		l.accounts = append(l.accounts, a)
		return nil
	})
	switch {
	case err != nil:
		return Listing{}, err
	case ctx.Err() != nil:
		return Listing{}, ctx.Err()
	case !done.Valid():
		return Listing{}, errors.New("list accounts: the target did not prove that the listing is complete")
	case done.Accounts() != len(l.accounts):
		return Listing{}, fmt.Errorf("list accounts: %d came where the target counted %d", len(l.accounts), done.Accounts())
	}
	return l, nil
}

// Accounts returns every account. The caller must not change the slice.
func (l *Listing) Accounts() []Account { return l.accounts }

// Look answers a query from the listing, as the target itself would.
func (l *Listing) Look(q Query) Observation {
	o := Observation{Read: proof.Looked()}
	if q.ID != "" {
		if i, ok := l.byID[q.ID]; ok {
			o.Accounts = []Account{l.accounts[i]}
		}
		return o
	}
	for _, m := range q.Match {
		if found := l.find(m); len(found) > 0 {
			o.Accounts, o.By = found, m
			return o
		}
	}
	return o
}

// find uses an index of folded values to find candidates and the target's own
// rules to confirm them.
func (l *Listing) find(m Match) []Account {
	if m.Value == "" {
		return nil
	}
	if l.index[m.Attribute] == nil {
		index := map[string][]int{}
		for i, a := range l.accounts {
			for _, v := range l.values(a, m.Attribute) {
				index[fold(v)] = append(index[fold(v)], i)
			}
		}
		l.index[m.Attribute] = index
	}
	var out []Account
	for _, i := range l.index[m.Attribute][fold(m.Value)] {
		a := l.accounts[i]
		for _, v := range l.values(a, m.Attribute) {
			if l.rules.Equal(m.Attribute, []string{v}, []string{m.Value}) {
				out = append(out, a)
				break
			}
		}
	}
	return out
}

func (l *Listing) values(a Account, attribute string) []string {
	if attribute == l.rules.NameAttribute {
		return []string{a.Name}
	}
	return a.Attributes[attribute]
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// Equal compares the values of an attribute as sets, under the target's rules.
func (d Description) Equal(attribute string, a, b []string) bool {
	if attribute == d.NameAttribute && d.SameName != nil {
		return len(a) == len(b) && (len(a) == 0 || len(a) == 1 && d.SameName(a[0], b[0]))
	}
	if d.Same != nil {
		return d.Same(attribute, a, b)
	}
	return sameSet(a, b)
}

// EqualName compares account names under the target's rules.
func (d Description) EqualName(a, b string) bool {
	if d.SameName != nil {
		return d.SameName(a, b)
	}
	return a == b
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	count := make(map[string]int, len(a))
	for _, v := range a {
		count[v]++
	}
	for _, v := range b {
		if count[v]--; count[v] < 0 {
			return false
		}
	}
	return true
}
