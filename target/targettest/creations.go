package targettest

import (
	"context"
	"fmt"
	"sync"

	"github.com/rosterd/rosterd/target"
)

// createAll makes the accounts and wants each told once, and one at a time.
func (b *bench) createAll(ctx context.Context, accounts []target.Creation) []target.Created {
	b.t.Helper()
	made := make([]target.Created, len(accounts))
	told := make([]int, len(accounts))
	var one sync.Mutex
	b.Target.(target.Batcher).CreateAll(ctx, accounts, func(i int, c target.Created) bool {
		if !one.TryLock() {
			b.t.Error("two were told at once")
			return false
		}
		defer one.Unlock()
		made[i] = c
		told[i]++
		return true
	})
	for i, n := range told {
		if n != 1 {
			b.t.Fatalf("account %d, %q, was told %d times", i, accounts[i].Name, n)
		}
	}
	return made
}

// createAllStops: nothing leaves once the caller has enough, and what left is
// told.
func createAllStops(b *bench) {
	const many, enough = 230, 5
	var accounts []target.Creation
	for i := range many {
		name := fmt.Sprintf("writer%d", i)
		accounts = append(accounts, target.Creation{Name: name, Set: b.h.set(name), Mark: "mark of " + name})
	}
	told := map[target.NativeID]bool{}
	n := 0
	b.Target.(target.Batcher).CreateAll(b.t.Context(), accounts, func(_ int, c target.Created) bool {
		b.ok(c.Err)
		told[c.Account.ID] = true
		n++
		return n < enough
	})
	truth := b.Read(b.t)
	if len(truth) != n || len(told) != n || n < enough || n > many/2 {
		b.t.Fatalf("%d accounts are there and %d were told after a stop at %d of %d", len(truth), n, enough, many)
	}
	for _, a := range truth {
		if !told[a.ID] {
			b.t.Fatalf("%q was made and not told", a.Name)
		}
	}
	b.listed(b.scope)
}

// createMany: many are made at once, each with what is its own, and nobody else
// is touched.
func createMany(b *bench) {
	b.put("outsider")
	// More than one search or page of any kind.
	const many = 230
	var accounts []target.Creation
	for i := range many {
		name := fmt.Sprintf("writer%d", i)
		accounts = append(accounts, target.Creation{Name: name, Set: b.h.set(name, value(b.h.Single[0], "title of "+name)), Mark: "mark of " + name})
	}
	for i, name := range b.h.names() {
		accounts[i*7+3] = target.Creation{Name: name, Set: b.h.set(name, value(b.h.Single[0], "title of "+name)), Mark: "mark of " + name}
	}
	var made []target.Created
	b.untouched(func() { made = b.createAll(b.t.Context(), accounts) })
	truth := map[target.NativeID]target.Account{}
	for _, a := range b.Read(b.t) {
		truth[a.ID] = a
	}
	if len(truth) != many+1 {
		b.t.Fatalf("%d accounts are there, want %d", len(truth), many+1)
	}
	seen := map[target.NativeID]bool{}
	for i, m := range made {
		b.ok(m.Err)
		a, there := truth[m.Account.ID]
		switch {
		case !there || seen[m.Account.ID]:
			b.t.Fatalf("%q was made as %+v, which is not there, or another's", accounts[i].Name, m.Account)
		case !b.Target.Describe().EqualName(a.Name, accounts[i].Name), !b.Target.Describe().EqualName(m.Account.Name, accounts[i].Name):
			b.t.Fatalf("%q was made as %q, and is told as %q", accounts[i].Name, a.Name, m.Account.Name)
		case a.Enabled == b.h.Want.PasswordFirst, len(a.Entitlements) > 0, b.h.Want.Marks && a.Mark != accounts[i].Mark:
			b.t.Fatalf("made %s", show(a))
		}
		seen[a.ID] = true
		b.wantValues(a, value(b.h.Single[0], "title of "+accounts[i].Name))
	}
	b.listed(b.scope)
	b.createAll(b.t.Context(), nil)
}

// createAllMixed: one that cannot be made does not keep the others back, and the
// answer says which one it was.
func createAllMixed(b *bench) {
	ours, theirs := b.create("writer1", value(b.h.Single[0], "one")), b.put("outsider")
	creation := func(name string) target.Creation {
		return target.Creation{Name: name, Set: b.h.set(name, value(b.h.Single[0], "two")), Mark: "another mark"}
	}
	wish := []struct {
		name  string
		class target.Class
	}{{"writer2", 0}, {ours.Name, target.Exists}, {"writer3", 0}, {"", target.Refused}, {theirs.Name, target.Exists},
		{"writer4", 0}, {"writer3", target.Exists}, {"writer5", 0}}
	var accounts []target.Creation
	for _, w := range wish {
		accounts = append(accounts, creation(w.name))
	}
	var made []target.Created
	b.untouched(func() { made = b.createAll(b.t.Context(), accounts) })
	for i, m := range made {
		if got := target.ClassOf(m.Err); got != wish[i].class {
			b.t.Errorf("account %d, %q: class %v, want %v: %v", i, wish[i].name, got, wish[i].class, m.Err)
		}
		if (m.Err == nil) != (m.Account.ID != "") {
			b.t.Errorf("account %d, %q: made as %+v with the error %v", i, wish[i].name, m.Account, m.Err)
		}
	}
	if n := len(b.Read(b.t)); n != 6 {
		b.t.Fatalf("%d accounts, want 6", n)
	}
	b.listed(b.scope)
}

func createAllCancelled(b *bench) {
	accounts := []target.Creation{{Name: "writer1", Set: b.h.set("writer1")}, {Name: "writer2", Set: b.h.set("writer2")}}
	told := 0
	b.quiet("a cancelled batch", func() {
		b.Target.(target.Batcher).CreateAll(cancelled(), accounts, func(_ int, c target.Created) bool {
			b.wantClass(c.Err, target.Transient)
			told++
			return true
		})
	})
	if n := len(b.Read(b.t)); n != 0 || told == 0 {
		b.t.Fatalf("%d accounts after a cancelled batch, of which %d were told", n, told)
	}
}
