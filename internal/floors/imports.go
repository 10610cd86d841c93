package floors

import (
	"go/ast"
	"strings"
)

// levels are the floors of the house, from the ground up. Imports go down only;
// the longest folder that fits counts.
var levels = map[string]int{
	"identity":         0,
	"internal":         1,
	"directory":        2,
	"target":           2,
	"ledger":           3,
	"mapping":          4,
	"state":            4,
	"sync/plan":        5,
	"sync":             6,
	"config":           7,
	"internal/daemon":  8,
	"internal/control": 8,
	"internal/page":    8,
	"internal/demo":    9,
	"bench":            10,
	"packaging":        10,
	"cmd":              10,
	"":                 11,
}

// level finds the floor of a folder, and the room that it belongs to.
func level(folder string) (int, string) {
	for room := folder; ; {
		if n, ok := levels[room]; ok {
			return n, room
		}
		at := strings.LastIndexByte(room, '/')
		if at < 0 {
			return -1, room
		}
		room = room[:at]
	}
}

// upward: imports go down only. Rooms on one floor do not know each other, but
// for the leaves below internal.
func upward(s *source) {
	own, room := level(s.folder)
	if own < 0 {
		s.report("floor", s.file.Package, "the room %s has no floor; give it one in internal/floors", room)
		return
	}
	if s.test {
		return
	}
	s.each(func(spec *ast.ImportSpec, _, ours string) {
		if ours == "" {
			return
		}
		theirs, other := level(ours)
		switch {
		case other == room:
		case theirs < own:
		default:
			s.report("floor", spec.Pos(), "%s must not import %s: imports go down only", s.folder, ours)
		}
	})
}

// contracts are the rooms that have kinds.
var contracts = []string{"directory", "target"}

// notKinds are the folders of a contract that are no kind.
var notKinds = []string{"internal", "sourcetest", "targettest", "join"}

// shared are rooms that are half of several kinds: they prove what those read.
var shared = map[string]string{"target/internal/entries": "target"}

// proverOf says for which contract a folder may prove what it has read.
func proverOf(folder string) string {
	if contract, ok := shared[folder]; ok {
		return contract
	}
	return kindOf(folder)
}

// kindOf says of which contract a folder is a kind; "" if it is none.
func kindOf(folder string) string {
	for _, contract := range contracts {
		rest, ok := strings.CutPrefix(folder, contract+"/")
		if ok && !within(rest, notKinds...) {
			return contract
		}
	}
	return ""
}

// kindRoom is the folder of a kind, for what is below it too.
func kindRoom(folder string) string {
	parts := strings.SplitN(folder, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// kinds: a kind is known to cmd, the demo and tests only, and knows nothing but
// its contract and leaves.
func kinds(s *source) {
	if s.test {
		return
	}
	contract := kindOf(s.folder)
	s.each(func(spec *ast.ImportSpec, _, ours string) {
		if ours == "" {
			return
		}
		if kindOf(ours) != "" && kindRoom(ours) != kindRoom(s.folder) && !within(s.folder, "cmd", "internal/demo") {
			s.report("kind", spec.Pos(), "only cmd imports a kind, not %s", s.folder)
		}
		floor, room := level(ours)
		if contract != "" && floor > 1 && room != contract {
			s.report("kind", spec.Pos(), "a kind knows its contract and leaves, not %s", ours)
		}
	})
}

// homes are the packages of others that one room only may know.
var homes = []struct {
	imported string
	rooms    []string
}{
	{"github.com/go-ldap/ldap", []string{"internal/ldapwire"}},
	{"github.com/go-asn1-ber/asn1-ber", []string{"internal/ldapwire"}},
	{"github.com/jcmturner/gokrb5", []string{"internal/ldapwire"}},
	{"go.etcd.io/bbolt", []string{"state"}},
	{"filippo.io/age", []string{"internal/handover"}},
	{"github.com/robfig/cron", []string{"config"}},
	{"github.com/BurntSushi/toml", []string{"internal/tomltext"}},
	{"github.com/expr-lang/expr", []string{"mapping"}},
	{"github.com/mozillazg/go-unidecode", []string{"mapping"}},
	{"github.com/spf13/cobra", []string{"cmd"}},
	{"log/slog", []string{"cmd", "internal/daemon", "internal/journald", "internal/secret"}},
	{"github.com/coreos/go-systemd", []string{"cmd", "internal/daemon", "internal/journald"}},
	{"github.com/prometheus/client_golang", []string{"cmd", "internal/daemon", "internal/page"}},
}

// rooms: a dependency has one home, and things of the state and the kinds do not
// spread. Tests may use what they need, go-ldap and bbolt too.
func rooms(s *source) {
	if s.test {
		return
	}
	s.each(func(spec *ast.ImportSpec, imported, ours string) {
		for _, home := range homes {
			if within(imported, home.imported) && !within(s.folder, home.rooms...) {
				s.report("home", spec.Pos(), "only %s imports %s", strings.Join(home.rooms, " and "), home.imported)
			}
		}
		if within(s.folder, "sync/plan") && within(ours, "state") {
			s.report("home", spec.Pos(), "the plan never knows the state; sync hands it values")
		}
		if within(imported, "log") && imported != "log/slog" {
			s.report("home", spec.Pos(), "log with log/slog")
		}
	})
}

// syncAlias is the one name of the package in the folder sync, which would else
// be taken for that of the standard library.
const syncAlias = "rostersync"

func alias(s *source) {
	s.each(func(spec *ast.ImportSpec, _, ours string) {
		if ours == "" {
			return
		}
		if spec.Name != nil && spec.Name.Name == "." {
			s.report("alias", spec.Pos(), "no import with a dot")
			return
		}
		if ours == "sync" && (spec.Name == nil || spec.Name.Name != syncAlias) {
			s.report("alias", spec.Pos(), "import %s as %s", ours, syncAlias)
		}
	})
}
