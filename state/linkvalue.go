package state

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// linkForm 1 had neither added values nor the name that was given; 2 not what others
// refer to the account by; 3 nothing of passwords; 4 not what it awaits; 5 not
// what was taken and not read back.
const linkForm = 6

// encodeLink writes a link without its person and target, which are its key.
// The phase stands at the front, where counting finds it.
func encodeLink(l ledger.Link) []byte {
	w := writer{}
	w.byte(linkForm)
	w.byte(byte(l.Phase))
	w.byte(byte(l.Owner))
	w.text(string(l.Account))
	w.text(l.Name)
	w.text(l.By)
	w.text(l.Cause)
	w.time(l.PhaseSince)
	w.time(l.Verified)
	w.uint(uint64(len(l.Written)))
	for _, name := range slices.Sorted(maps.Keys(l.Written)) {
		d := l.Written[name]
		w.text(name)
		w.raw(d[:])
	}
	w.uint(uint64(len(l.Granted)))
	for _, g := range l.Granted {
		w.text(g.Entitlement)
		w.time(g.Since)
		w.uint(uint64(len(g.Roles)))
		for _, r := range g.Roles {
			w.text(r)
		}
	}
	w.uint(uint64(len(l.Added)))
	for _, name := range slices.Sorted(maps.Keys(l.Added)) {
		w.text(name)
		w.texts(l.Added[name])
	}
	w.text(l.Called)
	w.text(l.Reference)
	w.bool(l.Owed)
	w.time(l.Handed)
	w.texts(l.Awaits)
	w.texts(l.Taken)
	return w.b
}

func decodeLink(person identity.Ordinal, name string, b []byte) (ledger.Link, error) {
	r := reader{b: b}
	form := r.forms(1, linkForm)
	l := ledger.Link{Person: person, Target: name}
	l.Phase, l.Owner = ledger.Phase(r.byte()), ledger.Owner(r.byte())
	l.Account = target.NativeID(r.text())
	l.Name, l.By, l.Cause = r.text(), r.text(), r.text()
	l.PhaseSince, l.Verified = r.time(), r.time()
	if n := r.count(); n > 0 {
		l.Written = make(map[string]ledger.Digest, min(n, 64))
		for range n {
			attribute := r.text()
			var d ledger.Digest
			r.fixed(d[:])
			l.Written[attribute] = d
		}
	}
	for range r.count() {
		g := ledger.Granted{Entitlement: r.text(), Since: r.time()}
		for range r.count() {
			g.Roles = append(g.Roles, r.text())
		}
		l.Granted = append(l.Granted, g)
	}
	if form < 2 {
		return l, r.end()
	}
	if n := r.count(); n > 0 {
		l.Added = make(map[string][]string, min(n, 64))
		for range n {
			attribute := r.text()
			l.Added[attribute] = r.texts()
		}
	}
	l.Called = r.text()
	if form >= 3 {
		l.Reference = r.text()
	}
	if form >= 4 {
		l.Owed, l.Handed = r.bool(), r.time()
	}
	if form >= 5 {
		l.Awaits = r.texts()
	}
	if form >= 6 {
		l.Taken = r.texts()
	}
	return l, r.end()
}
