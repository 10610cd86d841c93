package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	sourceldap "github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/sync/plan"
	targetad "github.com/rosterd/rosterd/target/ad"
	"github.com/rosterd/rosterd/target/file"
	targetldap "github.com/rosterd/rosterd/target/ldap"
	"github.com/rosterd/rosterd/target/memory"
	targetscim "github.com/rosterd/rosterd/target/scim"
)

const example = "../config.example.toml"

// realKinds are those that the program has.
func realKinds() Kinds {
	return Kinds{
		Sources: map[string]Kind{"ldap": {New: func() Validator { return new(sourceldap.Config) }}},
		Targets: map[string]Kind{
			"file":             {New: func() Validator { return new(file.Config) }, NameAttribute: func(o Validator) string { return o.(*file.Config).NameAttribute }},
			"memory":           {New: func() Validator { return new(memory.Config) }, NameAttribute: func(o Validator) string { return o.(*memory.Config).NameAttribute }},
			"ldap":             {New: func() Validator { return new(targetldap.Config) }, NameAttribute: func(o Validator) string { return o.(*targetldap.Config).RDN }},
			"active-directory": {New: func() Validator { return new(targetad.Config) }, NameAttribute: func(Validator) string { return "sAMAccountName" }},
			"scim":             {New: func() Validator { return new(targetscim.Config) }, NameAttribute: func(Validator) string { return "userName" }},
		},
	}
}

// TestExample: the file that people start from is read without a word.
func TestExample(t *testing.T) {
	c, problems, err := Load(example, realKinds())
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v\n%s", err, problems.Error())
	}
	var targets []string
	for name := range c.Targets {
		targets = append(targets, name+" "+c.Targets[name].Kind)
	}
	slices.Sort(targets)
	if got := strings.Join(targets, ", "); got != "dir ldap, intranet scim, wiki file" {
		t.Errorf("targets: %s", got)
	}
	if !sameLimits(c.Targets["wiki"].Rules.Guard, plan.DefaultRules().Guard) {
		t.Error("the limits that are called defaults are not")
	}
	if c.Targets["wiki"].Rules.Drift != plan.DefaultRules().Drift {
		t.Error("what is called the default of drift is not")
	}
}

// TestExampleCommentsAreTrue: each key that is commented out is one that
// exists.
func TestExampleCommentsAreTrue(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`^# ([A-Za-z_]+ +=.*|\[(?:target\.trial|target\.windows|role\.everybody)[a-z._]*\])$`)
	exclusive := regexp.MustCompile(`^(sasl|kerberos|token|client_|scopes|username|file |may |age |folder )`)
	var out []string
	found := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := commented.FindStringSubmatch(line); m != nil && !exclusive.MatchString(m[1]) {
			line = m[1]
			found++
		}
		out = append(out, line)
	}
	if found < 15 {
		t.Fatalf("only %d keys are commented out", found)
	}
	_, problems := Parse("uncommented.toml", []byte(strings.Join(out, "\n")), realKinds())
	if problems.Broken() {
		t.Error(problems.Error())
	}
}

// TestExampleHasEveryKey: no key of the configuration is a secret.
func TestExampleHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, config := range []any{
		scheduleTable{}, State{}, sourceTable{}, targetTable{}, mapping.Role{}, mapping.Conflict{}, mapping.ConflictExcept{}, mapping.Grant{}, mapping.Deny{}, mapping.Retain{}, mapping.Target{}, mapping.Test{},
		sourceldap.Config{}, file.Config{}, memory.Config{}, targetldap.Config{}, targetad.Config{}, targetscim.Config{},
	} {
		collectKeys(reflect.TypeOf(config), keys, map[reflect.Type]bool{})
	}
	if len(keys) < 70 {
		t.Errorf("only %d keys were found in the structs", len(keys))
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !regexp.MustCompile(`(?m)(^(# )?|[{,] ?)` + key + ` *=|^(# )?\[[a-z.]*\.` + key + `\]`).Match(text) {
			t.Errorf("%s is not in the example", key)
		}
	}
}

// collectKeys finds all keys of a struct and of those in it.
func collectKeys(of reflect.Type, keys map[string]bool, seen map[reflect.Type]bool) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collectKeys(of.Elem(), keys, seen)
	case reflect.Struct:
		if seen[of] {
			return
		}
		seen[of] = true
		for i := range of.NumField() {
			field := of.Field(i)
			tag := field.Tag.Get("toml")
			if tag == "-" || !field.IsExported() && !field.Anonymous {
				continue
			}
			if tag != "" {
				keys[tag] = true
			}
			collectKeys(field.Type, keys, seen)
		}
	}
}
