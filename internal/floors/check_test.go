package floors

import (
	"strings"
	"testing"
)

// breaks are sources that break one rule each, and those that come close and do
// not.
var breaks = []struct {
	name, path, source string
	// rule is the one that is broken; "" for none.
	rule string
}{
	{"down is allowed", "sync/x.go", `import "github.com/rosterd/rosterd/mapping"`, ""},
	{"the ground imports up", "identity/x.go", `import "github.com/rosterd/rosterd/ledger"`, "floor"},
	{"a leaf imports a contract", "internal/ldif/x.go", `import "github.com/rosterd/rosterd/target"`, "floor"},
	{"a leaf imports a leaf", "internal/ldif/x.go", `import "github.com/rosterd/rosterd/internal/problem"`, ""},
	{"a leaf imports the daemon", "internal/ldif/x.go", `import "github.com/rosterd/rosterd/internal/daemon"`, "floor"},
	{"rooms of one floor", "directory/x.go", `import "github.com/rosterd/rosterd/target"`, "floor"},
	{"mapping and state", "mapping/x.go", `import "github.com/rosterd/rosterd/state/journal"`, "floor pure"},
	{"the ledger imports sync", "ledger/x.go", `import rostersync "github.com/rosterd/rosterd/sync"`, "floor"},
	{"the plan imports sync", "sync/plan/x.go", `import rostersync "github.com/rosterd/rosterd/sync"`, "floor"},
	{"sync imports config", "sync/x.go", `import "github.com/rosterd/rosterd/config"`, "floor"},
	{"config imports the daemon", "config/x.go", `import "github.com/rosterd/rosterd/internal/daemon"`, "floor"},
	{"the daemon imports config", "internal/daemon/x.go", `import "github.com/rosterd/rosterd/config"`, ""},
	{"a room without a floor", "attic/x.go", ``, "floor"},
	{"a test imports up", "identity/x_test.go", `import "github.com/rosterd/rosterd/mapping"`, ""},
	{"a room imports what is below it", "target/memory/x.go", `import "github.com/rosterd/rosterd/target/internal/book"`, ""},

	{"a kind in config", "config/x.go", `import "github.com/rosterd/rosterd/target/file"`, "kind"},
	{"a kind in its contract", "target/x.go", `import "github.com/rosterd/rosterd/target/file"`, "kind"},
	{"a kind in a kind", "target/ldap/x.go", `import "github.com/rosterd/rosterd/target/file"`, "kind"},
	{"a kind in the suite", "directory/sourcetest/x.go", `import "github.com/rosterd/rosterd/directory/memory"`, "kind"},
	{"a kind in cmd", "cmd/rosterd/wire.go", `import "github.com/rosterd/rosterd/target/file"`, ""},
	{"a kind in a test", "sync/x_test.go", `import "github.com/rosterd/rosterd/target/memory"`, ""},
	{"a kind knows itself", "target/ldap/dn/x.go", `import "github.com/rosterd/rosterd/target/ldap/dn/y"`, ""},
	{"a kind knows sync", "target/ldap/x.go", `import rostersync "github.com/rosterd/rosterd/sync"`, "floor kind"},
	{"a kind knows the other contract", "target/ldap/x.go", `import "github.com/rosterd/rosterd/directory"`, "floor kind"},
	{"a kind knows leaves", "target/ldap/x.go", `import "github.com/rosterd/rosterd/internal/ldapwire"`, ""},
	{"a kind knows the ground", "target/ldap/x.go", `import "github.com/rosterd/rosterd/identity"`, ""},

	{"go-ldap at home", "internal/ldapwire/x.go", `import "github.com/go-ldap/ldap/v3"`, ""},
	{"go-ldap elsewhere", "directory/ldap/x.go", `import "github.com/go-ldap/ldap/v3"`, "home"},
	{"bbolt at home", "state/journal/x.go", `import bolt "go.etcd.io/bbolt"`, ""},
	{"bbolt elsewhere", "sync/x.go", `import bolt "go.etcd.io/bbolt"`, "home"},
	{"bbolt in cmd", "cmd/rosterd/x.go", `import "go.etcd.io/bbolt/errors"`, "home"},
	{"cron elsewhere", "cmd/rosterd/x.go", `import "github.com/robfig/cron/v3"`, "home"},
	{"expr elsewhere", "config/x.go", `import "github.com/expr-lang/expr"`, "home"},
	{"toml elsewhere", "config/x.go", `import "github.com/BurntSushi/toml"`, "home"},
	{"cobra elsewhere", "internal/daemon/x.go", `import "github.com/spf13/cobra"`, "home"},
	{"a similar name is another package", "config/x.go", `import "github.com/spf13/cobra-cli"`, ""},
	{"the plan knows the state", "sync/plan/x.go", `import "github.com/rosterd/rosterd/state"`, "home pure"},
	{"the plan knows a part of the state", "sync/plan/x.go", `import "github.com/rosterd/rosterd/state/graph"`, "home pure"},
	{"the old log", "sync/x.go", `import "log"`, "home"},
	{"slog", "cmd/rosterd/x.go", `import "log/slog"`, ""},
	{"errors are returned, not logged", "sync/x.go", `import "log/slog"`, "home"},

	{"pure with context", "mapping/x.go", `import "context"`, "pure"},
	{"pure with os", "identity/x.go", `import "os"`, "pure"},
	{"pure with net/netip", "ledger/x.go", `import "net/netip"`, "pure"},
	{"pure with slog", "sync/plan/x.go", `import "log/slog"`, "home pure"},
	{"pure with rand", "sync/plan/x.go", `import "math/rand/v2"`, "pure"},
	{"pure with the clock", "mapping/x.go", `import "github.com/rosterd/rosterd/internal/clock"`, "pure"},
	{"pure with math", "mapping/x.go", `import "math"`, ""},
	{"pure with time.Now", "ledger/x.go", "import \"time\"\nvar x = time.Now", "clock pure"},
	{"pure with time.After under another name", "ledger/x.go", "import clock \"time\"\nvar x = clock.After(1)", "pure"},
	{"pure with types of time", "ledger/x.go", "import \"time\"\nvar x time.Time = time.Unix(1, 2).Add(time.Second)", ""},
	{"sync is not pure", "sync/x.go", `import "context"`, ""},
	{"a test of a pure package", "mapping/x_test.go", `import "os"`, ""},

	{"the time in sync", "sync/x.go", "import \"time\"\nvar x = time.Since(y)", "clock"},
	{"the time in state", "state/x.go", "import \"time\"\nfunc f() { g(time.Now) }", "clock"},
	{"the time in cmd", "cmd/rosterd/x.go", "import \"time\"\nvar x = time.Now()", ""},
	{"waiting is not reading", "sync/x.go", "import \"time\"\nvar x = time.After(1)", ""},
	{"another Now", "sync/x.go", "var x = engine.Now()", ""},

	{"sync under its alias", "cmd/rosterd/x.go", `import rostersync "github.com/rosterd/rosterd/sync"`, ""},
	{"sync without alias", "cmd/rosterd/x.go", `import "github.com/rosterd/rosterd/sync"`, "alias"},
	{"sync without alias in a test", "cmd/rosterd/x_test.go", `import "github.com/rosterd/rosterd/sync"`, "alias"},
	{"sync under another alias", "cmd/rosterd/x.go", `import dirsync "github.com/rosterd/rosterd/sync"`, "alias"},
	{"an import with a dot", "cmd/rosterd/x.go", `import . "github.com/rosterd/rosterd/target"`, "alias"},

	{"a proof by a source", "directory/ldap/x.go", "import \"github.com/rosterd/rosterd/directory/internal/proof\"\nvar x = proof.New(f)", ""},
	{"a proof by the contract", "directory/x.go", "import \"github.com/rosterd/rosterd/directory/internal/proof\"\nvar x = proof.New(f)", "proof"},
	{"changes proved by the contract", "directory/x.go", "import \"github.com/rosterd/rosterd/directory/internal/proof\"\nvar x = proof.NewFollowed(f)", "proof"},
	{"a proof by the suite", "directory/sourcetest/x.go", "import p \"github.com/rosterd/rosterd/directory/internal/proof\"\nvar x = p.New", "proof"},
	{"a proof by a test", "directory/x_test.go", "import \"github.com/rosterd/rosterd/directory/internal/proof\"\nvar x = proof.New(f)", "proof"},
	{"a listing by a target", "target/file/x.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Listed(1)", ""},
	{"a listing by what kinds share", "target/internal/entries/x.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Listed(1)", ""},
	{"a look by what kinds share", "target/internal/entries/x.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Looked()", ""},
	{"a listing by a room below it", "target/internal/book/x.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Listed(1)", "proof"},
	{"what kinds share knows no kind", "target/internal/entries/x.go", `import "github.com/rosterd/rosterd/target/ldap"`, "kind"},
	{"what kinds share knows leaves", "target/internal/entries/x.go", `import "github.com/rosterd/rosterd/internal/ldapwire"`, ""},
	{"what kinds share knows sync", "target/internal/entries/x.go", `import rostersync "github.com/rosterd/rosterd/sync"`, "floor"},
	{"what kinds share knows the other contract", "target/internal/entries/x.go", `import "github.com/rosterd/rosterd/directory"`, "floor"},
	{"a listing by the contract", "target/listing.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Listed(1)", "proof"},
	{"a look by the listing", "target/listing.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Looked()", ""},
	{"a look by the contract", "target/target.go", "import \"github.com/rosterd/rosterd/target/internal/proof\"\nvar x = proof.Looked()", "proof"},

	{"a write in cmd", "cmd/rosterd/x.go", "func f() { t.Disable(ctx, ref) }", "writer"},
	{"a write in the plan", "sync/plan/x.go", "func f() { t.Grant(context.Background(), e, refs) }", "writer"},
	{"a write through a field", "state/x.go", "func f() { a.target.Create(c.Ctx, n, s, m) }", "writer"},
	{"a write in a test", "cmd/rosterd/x_test.go", "func f() { t.Disable(ctx, ref) }", ""},
	{"a write of a kind", "target/ldap/x.go", "func f() { t.Disable(ctx, ref) }", ""},
	{"not a target", "state/x.go", "func f() { db.Update(func() {}); b.Delete(key); os.Rename(a, b) }", ""},
	{"the writer by name", "cmd/rosterd/x.go", "import \"github.com/rosterd/rosterd/target\"\nvar x target.Writer", "writer"},

	{"a file of helpers", "sync/apply_helpers.go", "", "name"},
	{"a file of utils", "internal/servers/utils.go", "", "name"},
	{"a folder of utils", "internal/util/x.go", "", "name"},
	{"a manager", "state/manager_test.go", "", "name"},
	{"a good name", "state/holdmanagement.go", "", ""},

	{"a path of a machine", "identity/x.go", "// see " + "/wo" + "rk/main", "place"},
	{"a path of a person", "docs/x.md", "cd " + "/Us" + "ers/writer1", "place"},
	{"a path of a person beside SCIM", "docs/targets/scim.md", "cd " + "/Us" + "ers/writer1/src", "place"},
	{"an address of SCIM", "target/scim/x_test.go", `// "GET /Us` + `ers/u-1"`, ""},
	{"a path that only ends so", "docs/x.md", "https://wiki.example/wo" + "rk/plan and /var/lib/rosterd", ""},
	{"no Go", "identity/x.go", "func {", "syntax"},
}

// TestEachRuleBites: a source that breaks a rule is found, by that rule and no
// other; one that only comes close is not.
func TestEachRuleBites(t *testing.T) {
	rules := map[string]bool{}
	for _, b := range breaks {
		source := b.source
		if strings.HasSuffix(b.path, ".go") {
			source = "package x\n" + source
		}
		got := map[string]bool{}
		var order []string
		for _, breach := range Check([]File{{b.path, []byte(source)}}) {
			if !got[breach.Rule] {
				got[breach.Rule] = true
				order = append(order, breach.Rule)
			}
			if breach.Path != b.path || breach.Line < 1 || breach.Text == "" {
				t.Errorf("%s: %v has no place", b.name, breach)
			}
		}
		if found := strings.Join(order, " "); found != b.rule {
			t.Errorf("%s: broke %q, want %q", b.name, found, b.rule)
		}
		for rule := range strings.FieldsSeq(b.rule) {
			rules[rule] = true
		}
	}
	for _, rule := range []string{"floor", "kind", "home", "pure", "clock", "alias", "proof", "writer", "name", "place", "syntax"} {
		if !rules[rule] {
			t.Errorf("no source breaks the rule %s", rule)
		}
	}
}

// TestOneFileWrites: one file of sync may write to targets, a second may not.
func TestOneFileWrites(t *testing.T) {
	write := []byte("package sync\nfunc f() { t.Disable(ctx, ref); t.Grant(ctx, e, refs) }")
	if got := Check([]File{{"sync/write.go", write}}); len(got) != 0 {
		t.Errorf("one file: %v", got)
	}
	got := Check([]File{{"sync/other.go", write}, {"sync/write.go", write}})
	if len(got) != 2 || got[0].Rule != "writer" || got[0].Path != "sync/write.go" || !strings.Contains(got[0].Text, "sync/other.go") {
		t.Errorf("two files: %v", got)
	}
}

// TestSeveralBreachesAreSorted: all are told, in the order of the files.
func TestSeveralBreachesAreSorted(t *testing.T) {
	got := Check([]File{
		{"sync/b.go", []byte("package sync\nimport \"log\"\nimport \"github.com/rosterd/rosterd/config\"")},
		{"identity/utils.go", []byte("package identity\nimport \"os\"")},
	})
	var order []string
	for _, b := range got {
		order = append(order, b.String())
	}
	want := "identity/utils.go:1: name|identity/utils.go:2: pure|sync/b.go:2: home|sync/b.go:3: floor"
	var short []string
	for _, line := range order {
		short = append(short, strings.Join(strings.SplitN(line, ":", 4)[:3], ":"))
	}
	if strings.Join(short, "|") != want {
		t.Errorf("got %q", order)
	}
}
