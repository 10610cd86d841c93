package sync_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// What the file of a model may hold.
const (
	fileWhole        = iota // what is put back at the end
	fileNoPublishers        // managers lose a right
	fileNobody              // everybody loses their account
)

// modelFiles compiles them.
func modelFiles(t *rapid.T, with map[string]bool) []*mapping.Policy {
	var out []*mapping.Policy
	for file := range 3 {
		account := mapping.TargetAccount{For: []string{"employee"}, Match: []string{"name"}}
		attributes := mapping.Attributes{"name": {From: "${person.uid}"}, "title": {From: "${person.sn ?? ''}"}}
		publishers, staff := []string{"Writers", "Publishers"}, `person.employeeType == "staff"`
		switch file {
		case fileNoPublishers:
			publishers = []string{"Writers"}
		case fileNobody:
			staff = `person.employeeType == "nobody"`
		}
		config := mapping.Config{
			Roles: map[string]mapping.Role{
				"employee": {When: staff},
				"writer":   {Groups: []string{"cn=writers," + groups}},
				"manager":  {Groups: []string{"cn=managers," + groups}, Includes: []string{"writer"}},
			},
			Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Mail: "mail", Name: "cn", Key: "employeeNumber", Start: "hireDate", End: "contractEnd", Disabled: `person.employeeType == "former"`}},
			Targets: map[string]mapping.Target{
				"wiki": {Account: account, Attributes: attributes, NameAttribute: "name",
					Entitlements: map[string][]string{"writer": {"Writers"}, "manager": publishers}},
				"chat": {Account: account, Attributes: attributes, NameAttribute: "name",
					Entitlements: map[string][]string{"manager": {"Room"}}},
			},
		}
		if with["seats"] {
			wiki := config.Targets["wiki"]
			wiki.Entitlements["employee"], wiki.Entitlements["manager"] = []string{"Light"}, append(publishers, "Full")
			wiki.Exclusive = map[string][]string{"seat": {"Full", "Light"}}
			config.Targets["wiki"] = wiki
		}
		if with["managers"] {
			attributes["boss"] = mapping.AttributeRule{From: "${account(person.manager)}"}
		}
		if with["conflict"] {
			config.Roles["payer"] = mapping.Role{Groups: []string{"cn=payers," + groups}}
			config.Roles["clearer"] = mapping.Role{Groups: []string{"cn=clearers," + groups}}
			config.Conflicts = map[string]mapping.Conflict{"pay": {Roles: []string{"payer", "clearer"}, Action: "hold"}}
			config.Targets["wiki"].Entitlements["payer"] = []string{"Pay"}
			config.Targets["chat"].Entitlements["clearer"] = []string{"Clear"}
		}
		out = append(out, mapping.Compile(config, func(path ...string) string { return "rosterd.toml:" + strings.Join(path, ".") }, func(p problem.Problem) {
			if !p.Warning {
				t.Fatalf("compile: %v: %s", p.Path, p.Message)
			}
		}))
	}
	return out
}

// edit changes the file, and lets rosterd find it.
func (m *model) edit() {
	m.file = rapid.IntRange(0, len(m.files)-1).Draw(m.t, "file")
	m.say("the file is the %d. now", m.file)
	m.restart()
}

// engineOf is what a start makes of the state and the file.
func (m *model) engineOf(store *state.Store) *rostersync.Engine {
	e := m.engineFor(store, m.file)
	record, known, err := store.Policy()
	if err != nil {
		m.t.Fatal(err)
	}
	if !known || record.Hash == e.Policy.Hash() {
		return e
	}
	force := slices.IndexFunc(m.files, func(p *mapping.Policy) bool { return p.Hash() == record.Hash })
	out := m.engineFor(store, force)
	out.Next = e
	return out
}

func (m *model) engineFor(store *state.Store, file int) *rostersync.Engine {
	e := &rostersync.Engine{Store: store, Now: m.clockNow, Policy: m.files[file], File: "rosterd.toml",
		Sources: []rostersync.Source{{Source: m.source, VanishAfter: time.Minute, MinPeople: 0.9, MaxRekey: 50}}}
	for _, name := range []string{"chat", "wiki"} {
		rules := plan.DefaultRules()
		rules.Guard.First = "apply"
		rules.BreakGlass = []string{"account:" + rootName}
		if name == "chat" {
			rules.Leaver.Delete = map[string]string{"out-of-scope": "2d", "unentitled": "1d"}
		}
		x := rostersync.Target{Name: name, Target: &watched{m.member[name], m, name}, Concurrency: 2}
		if m.with["protected"] {
			rules.Protect = []string{"account:" + protectedName + "*"}
		}
		if m.with["passwords"] {
			rules.Password = plan.Password{Generate: true, OnReturn: name == "wiki"}
			x.Passwords = m.couriers[name]
		}
		x.Rules = rules
		e.Targets = append(e.Targets, x)
	}
	return e
}

// inForce is the file whose policy governs.
func (m *model) inForce() int {
	hash := m.engine.Current().Policy.Hash()
	return slices.IndexFunc(m.files, func(p *mapping.Policy) bool { return p.Hash() == hash })
}

// spendRight is the guard's limit for an edit that takes a right, counted from
// outside: whoever should have it by the directory loses it by an edit alone.
func (m *model) spendRight(name, right string, h *human, approved bool) {
	if approved || name != "wiki" || right != "Publishers" || !slices.Contains(m.wish(h)["wiki"], right) || m.inForce() != fileNoPublishers {
		return
	}
	m.edited = append(m.edited, m.now)
	within, holders := 0, 0
	for _, at := range m.edited {
		if at.After(m.now.Add(-24 * time.Hour)) {
			within++
		}
	}
	for range m.ours["wiki"] {
		holders++
	}
	if limit := plan.DefaultRules().Guard.MaxRevoke.Of(holders); float64(within) > limit {
		m.t.Fatalf("policy: %d people lost %s in a day by an edit that nobody approved; the limit is %v", within, right, limit)
	}
}
