package memory

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/targettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func make1(t *testing.T) *Target {
	t.Helper()
	m, err := New(Config{}, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestContract(t *testing.T) { targettest.Run(t, harness(make1)) }

func TestContractPasswordFirst(t *testing.T) {
	h := harness(func(t *testing.T) *Target { return make1(t).PasswordFirst() })
	h.Want.PasswordFirst = true
	targettest.Run(t, h)
}

func harness(made func(*testing.T) *Target) targettest.Harness {
	return targettest.Harness{
		New: func(t *testing.T) targettest.System {
			m := made(t)
			return targettest.System{
				Target: m,
				Read:   func(*testing.T) []target.Account { return m.Accounts() },
				Put:    func(_ *testing.T, a target.Account) target.NativeID { return m.Put(a) },
				Set: func(t *testing.T, id target.NativeID, v target.Value) {
					for _, a := range m.Accounts() {
						if a.ID == id {
							attributes := map[string][]string{}
							for name, values := range a.Attributes {
								attributes[name] = values
							}
							attributes[v.Name] = v.Values
							a.Attributes = attributes
							m.Put(a)
							return
						}
					}
					t.Fatalf("no account %q", id)
				},
				Requests: func() int {
					n := 0
					for _, w := range m.Writes() {
						if w.Done && w.Changed {
							n++
						}
					}
					return n
				},
				Login: func(_ *testing.T, a target.Ref, text string) (bool, bool) { return m.Login(a.ID, text) },
			}
		},
		Want:         target.Description{Kind: "memory", NameAttribute: "name", CanRename: true, CanDisable: true, CanDelete: true, Entitlements: true, ReadBack: true, Marks: true, Passwords: true, MustChange: true},
		Batches:      true,
		Single:       [2]string{"displayName", "title"},
		Multi:        "mail",
		Entitlements: [3]string{"Publishers", "Reviewers", "Writers"},
		Differ:       []targettest.Pair{{Attribute: "title", A: []string{"a"}, B: []string{"A"}}},
	}
}

func TestFaults(t *testing.T) {
	ctx := t.Context()
	m := make1(t)
	m.SetFaults(FailWrite(2, target.Transient))
	ref, err := m.Create(ctx, "writer1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Create(ctx, "writer2", nil, ""); target.ClassOf(err) != target.Transient {
		t.Fatal(err)
	}
	if n := len(m.Accounts()); n != 1 {
		t.Fatalf("a write that failed left %d accounts", n)
	}
	m.SetFaults(LoseAnswer(3))
	if err := m.Disable(ctx, ref); target.ClassOf(err) != target.InDoubt || m.Accounts()[0].Enabled {
		t.Fatalf("%v; enabled: %v", err, m.Accounts()[0].Enabled)
	}
	m.Put(target.Account{Name: "writer3", Enabled: true})
	m.SetFaults(ShortList(1))
	if l, err := target.Collect(ctx, m, target.Scope{}); err == nil || len(l.Accounts()) > 0 {
		t.Fatalf("a listing that was cut off: %d accounts, %v", len(l.Accounts()), err)
	}
	release := make(chan struct{})
	m.SetFaults(BlockWrite(4, release))
	done := make(chan error, 1)
	go func() { done <- m.Enable(ctx, ref) }()
	select {
	case err := <-done:
		t.Fatalf("a blocked write ended: %v", err)
	default:
	}
	close(release)
	if err := <-done; err != nil || !m.Accounts()[0].Enabled {
		t.Fatalf("%v; enabled: %v", err, m.Accounts()[0].Enabled)
	}
	if w := m.Writes(); len(w) != 4 || w[1].Err == nil || w[1].Done || !w[2].Done || w[2].Err == nil || w[3].Verb != target.Enable {
		t.Fatalf("the log: %+v", w)
	}
}
