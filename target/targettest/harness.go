// Package targettest is the contract of package target as a suite of tests. A
// kind that passes it keeps every promise of the doc comments there.
package targettest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/target"
)

// Harness is what the suite needs to know of a kind.
type Harness struct {
	// New starts a system without accounts and the target under test on it. It
	// is called once a test; what it starts it stops with t.Cleanup.
	New func(t *testing.T) System
	// Want is what Describe must say, the functions aside.
	Want target.Description
	// Single are two attributes with one value, Multi is one with several.
	// None is the name of the account.
	Single [2]string
	Multi  string
	// Required are the values that every account must have; none of them is
	// in Single or Multi.
	Required func(name string) []target.Value
	// Entitlements are three that the system has.
	Entitlements [3]string
	// NoEntitlement is one that the system lacks; empty where entitlements
	// need not exist before they are granted.
	NoEntitlement string
	// Names are those that an account must survive; nil: the strange ones of
	// the suite.
	Names []string
	// Batches says that the kind is a target.Batcher.
	Batches bool
	// Odd is a name with signs that mean something where names stand in other
	// things; empty: that of the suite.
	Odd string
	// Volatile says that the ID changes with the name.
	Volatile bool
	// Same are attribute values that the system calls equal though they are
	// spelled differently, and Differ some that it tells apart.
	Same, Differ []Pair
	// Weak is a password that the system refuses; empty if it takes every one.
	Weak string
}

// Pair are two spellings of the values of an attribute.
type Pair struct {
	Attribute string
	A, B      []string
}

// System is one running system. Everything but Target goes round the kind.
type System struct {
	Target target.Target
	// Read is the truth: every account with all its attributes and
	// entitlements, and the mark.
	Read func(t *testing.T) []target.Account
	// Put makes an account as somebody else would, and returns its ID.
	Put func(t *testing.T, a target.Account) target.NativeID
	// Set changes one attribute of an account as somebody else would.
	Set func(t *testing.T, id target.NativeID, v target.Value)
	// Requests counts the requests to write that reached the system.
	Requests func() int
	// Login tries a password; nil where nobody can log in.
	Login Logins
}

// bench is a system with what the tests say often.
type bench struct {
	System
	t     *testing.T
	h     Harness
	scope target.Scope
}

func (h Harness) bench(t *testing.T) *bench {
	b := &bench{System: h.New(t), t: t, h: h}
	attributes := []string{h.Single[0], h.Single[1], h.Multi}
	for _, v := range h.required("x") {
		attributes = append(attributes, v.Name)
	}
	slices.Sort(attributes)
	b.scope = target.Scope{Attributes: attributes, Entitlements: h.entitlements()}
	return b
}

func (h Harness) entitlements() []string {
	if !h.Want.Entitlements {
		return nil
	}
	return slices.Sorted(slices.Values(h.Entitlements[:]))
}

func (h Harness) required(name string) []target.Value {
	if h.Required == nil {
		return nil
	}
	return h.Required(name)
}

// names are those that an account must survive.
func (h Harness) names() []string {
	if h.Names != nil {
		return h.Names
	}
	return strange
}

// set are the values of a new account.
func (h Harness) set(name string, more ...target.Value) []target.Value {
	out := append(h.required(name), more...)
	slices.SortFunc(out, func(a, b target.Value) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// odd is a name with signs that have to be escaped.
func (h Harness) odd() string {
	if h.Odd != "" {
		return h.Odd
	}
	return `writer, the "third"`
}

func value(name string, values ...string) target.Value {
	return target.Value{Name: name, Values: values}
}

func (b *bench) create(name string, more ...target.Value) target.Ref {
	b.t.Helper()
	ref, err := b.Target.Create(b.t.Context(), name, b.h.set(name, more...), "mark of "+name)
	if err != nil {
		b.t.Fatalf("create %q: %v", name, err)
	}
	if ref.ID == "" || !b.Target.Describe().EqualName(ref.Name, name) {
		b.t.Fatalf("create %q returned the account %+v", name, ref)
	}
	b.open(ref)
	return ref
}

// put makes an account behind the target's back.
func (b *bench) put(name string, more ...target.Value) target.Ref {
	b.t.Helper()
	a := target.Account{Name: name, Enabled: true, Attributes: map[string][]string{}}
	for _, v := range b.h.set(name, more...) {
		a.Attributes[v.Name] = v.Values
	}
	return target.Ref{ID: b.Put(b.t, a), Name: name}
}

// truth returns the account with the ID from the system itself, or nil.
func (b *bench) truth(id target.NativeID) *target.Account {
	b.t.Helper()
	for _, a := range b.Read(b.t) {
		if a.ID == id {
			return &a
		}
	}
	return nil
}

func (b *bench) must(id target.NativeID) target.Account {
	b.t.Helper()
	a := b.truth(id)
	if a == nil {
		b.t.Fatalf("there is no account with the ID %q", id)
	}
	return *a
}

// look asks one query and wants it answered.
func (b *bench) look(q target.Query) target.Observation {
	b.t.Helper()
	got, err := b.Target.Look(b.t.Context(), b.scope, []target.Query{q})
	if err != nil {
		b.t.Fatalf("look %+v: %v", q, err)
	}
	if len(got) != 1 || !got[0].Read.Valid() {
		b.t.Fatalf("look %+v: %d answers, valid: %v", q, len(got), len(got) > 0 && got[0].Read.Valid())
	}
	return got[0]
}

func (b *bench) byID(id target.NativeID) target.Account {
	b.t.Helper()
	o := b.look(target.Query{ID: id})
	if len(o.Accounts) != 1 {
		b.t.Fatalf("look by ID %q found %d accounts", id, len(o.Accounts))
	}
	return o.Accounts[0]
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) wantClass(err error, want target.Class) {
	b.t.Helper()
	if err == nil || target.ClassOf(err) != want {
		b.t.Fatalf("error %v of class %v, want class %v", err, target.ClassOf(err), want)
	}
}

// wantValues compares an attribute of the truth under the target's rules.
func (b *bench) wantValues(a target.Account, v target.Value) {
	b.t.Helper()
	if !b.Target.Describe().Equal(v.Name, a.Attributes[v.Name], v.Values) {
		b.t.Fatalf("%s of %q is %q, want %q", v.Name, a.Name, a.Attributes[v.Name], v.Values)
	}
}

// quiet says whether f sent no request to write.
func (b *bench) quiet(what string, f func()) {
	b.t.Helper()
	before := b.Requests()
	f()
	if n := b.Requests() - before; n != 0 {
		b.t.Fatalf("%s sent %d requests to write, want none", what, n)
	}
}

// untouched runs f and wants every account but those named as it was.
func (b *bench) untouched(f func(), but ...target.NativeID) {
	b.t.Helper()
	before := b.Read(b.t)
	f()
	after := map[target.NativeID]target.Account{}
	for _, a := range b.Read(b.t) {
		after[a.ID] = a
	}
	for _, a := range before {
		if slices.Contains(but, a.ID) {
			continue
		}
		now, ok := after[a.ID]
		if !ok {
			b.t.Fatalf("account %q is gone, and nobody asked for that", a.Name)
		}
		if got, was := show(now), show(a); got != was {
			b.t.Fatalf("an account that nobody named was touched:\n was %s\n is  %s", was, got)
		}
	}
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
