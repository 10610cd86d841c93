package floors

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// pureRooms do no I/O, read no clock and draw no random number.
var pureRooms = []string{"identity", "ledger", "mapping", "sync/plan", "state/graph", "directory/join", "internal/moment", "internal/problem", "internal/span"}

// impure are what a pure package must not import.
var impure = []string{
	"context", "os", "net", "log", "math/rand", "crypto/rand", "syscall", "io/ioutil", "os/exec", "embed",
	Module + "/internal/clock", Module + "/state", "go.etcd.io/bbolt",
}

// ticking are the functions of package time that read or wait for a clock, or
// read the zone files.
var ticking = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick", "LoadLocation", "Local"}

func pure(s *source) {
	if s.test || !within(s.folder, pureRooms...) {
		return
	}
	s.each(func(spec *ast.ImportSpec, imported, _ string) {
		if within(imported, impure...) {
			s.report("pure", spec.Pos(), "%s is pure and must not import %s", s.folder, imported)
		}
	})
	s.uses(func(at token.Pos, imported, name string) {
		if imported == "time" && slices.Contains(ticking, name) {
			s.report("pure", at, "%s is pure and must not use time.%s", s.folder, name)
		}
	})
}

// clocks are where the time is read. Everywhere else it is handed in.
var clocks = []string{
	"cmd",
	"internal/clock",
	"internal/control", // deadlines of connections
	"internal/demo",
	"internal/ldapwire", // deadlines of connections
	"internal/ldapd",    // the embedded directory lives in real time
	"internal/servers",  // starters of real servers, for tests
	"directory/ldap",    // the default of a clock that can be handed in
}

func clock(s *source) {
	if s.test || within(s.folder, clocks...) {
		return
	}
	s.uses(func(at token.Pos, imported, name string) {
		if imported == "time" && slices.Contains([]string{"Now", "Since", "Until"}, name) {
			s.report("clock", at, "time.%s: the time is handed in, so that tests can turn it", name)
		}
	})
}

// proofs: a proof is made by a kind, with the whole answer in hand, and by the
// listing of a target, which holds all of it.
func proofs(s *source) {
	s.uses(func(at token.Pos, imported, name string) {
		switch {
		case imported == Module+"/directory/internal/proof" && (name == "New" || name == "NewFollowed"):
			if proverOf(s.folder) != "directory" {
				s.report("proof", at, "only a kind of source proves that a listing was complete")
			}
		case imported == Module+"/target/internal/proof" && name == "Listed":
			if proverOf(s.folder) != "target" {
				s.report("proof", at, "only a kind of target proves that a listing was complete")
			}
		case imported == Module+"/target/internal/proof" && name == "Looked":
			if proverOf(s.folder) != "target" && s.path != "target/listing.go" {
				s.report("proof", at, "only a kind of target, and the listing, prove a look")
			}
		}
	})
}

// writerMethods are those of target.Writer, and of what a kind may add to it, with
// the number of their arguments.
var writerMethods = map[string]int{
	"Create": 4, "CreateAll": 3, "Link": 3, "Update": 3, "Rename": 3, "Enable": 2, "Disable": 2, "Delete": 2, "Grant": 3, "Revoke": 3, "SetPassword": 3, "Resume": 2,
}

// writers: one file of sync writes to targets. The kinds, their suite and tests
// may call what they are.
func writers(sources []*source) {
	first := ""
	for _, s := range sources {
		if s.test || within(s.folder, "target") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || writerMethods[selector.Sel.Name] != len(call.Args) || !isContext(call.Args) {
				return true
			}
			switch {
			case s.folder != "sync":
				s.report("writer", call.Pos(), "%s looks like a write to a target, and only sync writes", selector.Sel.Name)
			case first == "":
				first = s.path
			case first != s.path:
				s.report("writer", call.Pos(), "%s: %s writes to targets already, and one file does", selector.Sel.Name, first)
			}
			return true
		})
		s.uses(func(at token.Pos, imported, name string) {
			if imported == Module+"/target" && name == "Writer" {
				s.report("writer", at, "target.Writer is nobody's but the kinds'")
			}
		})
	}
}

// isContext says whether the first argument is a context by its name.
func isContext(args []ast.Expr) bool {
	if len(args) == 0 {
		return false
	}
	found := false
	ast.Inspect(args[0], func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && strings.HasSuffix(strings.ToLower(id.Name), "ctx") || ok && id.Name == "context" {
			found = true
		}
		return true
	})
	return found
}
