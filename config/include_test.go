package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// checkout writes a configuration of several files, and is its folder.
func checkout(t *testing.T, edit func(map[string]string)) string {
	t.Helper()
	main, err := os.ReadFile("testdata/good.toml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"rosterd.toml": strings.Replace(string(main), `writer = ["Writers"]`, `writer = ["Writers"]`+"\n"+`wiki-admin = ["Admins"]`, 1) + `
[include.wiki]
file = "conf.d/wiki.toml"
may  = ["target.wiki", "role.wiki-*", "table.wiki-*", "test.wiki-*"]
`,
		"conf.d/wiki.toml": `[role.wiki-admin]
groups   = ["cn=admins,ou=groups,dc=corp,dc=example"]
requires = ["employee"]
when     = 'person.title == "Admin"'

[role.wiki-chief]
groups   = ["cn=chiefs,ou=groups,dc=corp,dc=example"]
includes = ["wiki-admin"]

[table.wiki-rooms]
csv = "conf.d/rooms.csv"

[target.wiki.attributes]
room = "${lookup('wiki-rooms', person.uid) ?? ''}"

[target.wiki.leaver]
delete = { gone = "30d" }

[target.wiki.entitlements]
wiki-chief = ["Chiefs"]
`,
		"conf.d/rooms.csv": "key,floor,value\nada,1,\"Room 1, left\"\n",
	}
	if edit != nil {
		edit(all)
	}
	folder := t.TempDir()
	for name, text := range all {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func loaded(t *testing.T, folder string) (*Config, Problems) {
	t.Helper()
	c, problems, err := Load(filepath.Join(folder, "rosterd.toml"), testKinds(t))
	if err != nil {
		t.Fatal(err)
	}
	return c, problems
}

// What the owner of an application says is part of the policy, and of the text that
// the state keeps: nothing is read to make the same of it.
func TestInclude(t *testing.T) {
	folder := checkout(t, nil)
	c, problems := loaded(t, folder)
	if c == nil {
		t.Fatal(problems.Error())
	}
	if len(problems) > 0 {
		t.Error(problems.Error())
	}
	if got := strings.Join(c.Policy.Entitlements("wiki"), " "); got != "Admins Chiefs Publishers Readers Writers" {
		t.Errorf("entitlements: %s", got)
	}
	if got := strings.Join(c.Policy.AttributeNames("wiki"), " "); got != "name room title" {
		t.Errorf("attributes: %s", got)
	}
	if c.Targets["wiki"].Rules.Leaver.Delete["gone"] != "30d" || c.Targets["wiki"].Rate != 5 {
		t.Errorf("the target is not that of both: %+v", c.Targets["wiki"])
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	again, problems := Parse("rosterd.toml in force", c.Text, testKinds(t))
	if again == nil {
		t.Fatal(problems.Error())
	}
	if again.Hash != c.Hash || again.Digest != c.Digest || string(again.Text) != string(c.Text) {
		t.Error("the text that is kept makes another configuration")
	}
	// A text alone reads nothing, and a bundle that was cut is no smaller policy.
	for _, text := range []string{string(c.Text[:len(c.Text)-3]), bundleMark, strings.Replace(string(c.Text), `"conf.d/rooms.csv"`, `"conf.d/other.csv"`, 1)} {
		if other, problems := Parse("rosterd.toml", []byte(text), testKinds(t)); other != nil || len(problems) == 0 {
			t.Errorf("%.60q was taken", text)
		}
	}
}

// A change in any of the files is another policy, but for what is none.
func TestIncludeIsPolicy(t *testing.T) {
	base, _ := loaded(t, checkout(t, nil))
	for what, c := range map[string]struct {
		edit         func(map[string]string)
		hash, digest bool
	}{
		"a comment":    {func(f map[string]string) { f["conf.d/wiki.toml"] += "# seen\n" }, false, false},
		"a role":       {func(f map[string]string) { f["conf.d/wiki.toml"] += "[role.wiki-x]\ngroups = [\"cn=x,dc=example\"]\n" }, true, true},
		"a row":        {func(f map[string]string) { f["conf.d/rooms.csv"] += "bob,2,Room 2\n" }, true, true},
		"other column": {func(f map[string]string) { f["conf.d/rooms.csv"] = "key,floor,value\nada,2,\"Room 1, left\"\n" }, false, true},
	} {
		got, problems := loaded(t, checkout(t, c.edit))
		if got == nil {
			t.Errorf("%s: %s", what, problems.Error())
			continue
		}
		if (got.Hash != base.Hash) != c.hash || (got.Digest != base.Digest) != c.digest {
			t.Errorf("%s: another policy %v, another file %v", what, got.Hash != base.Hash, got.Digest != base.Digest)
		}
	}
}

// Whoever owns conf.d/wiki.toml reaches no further than that.
func TestLawIncludedFilesCannotReachFurther(t *testing.T) {
	add := func(text string) func(map[string]string) {
		return func(f map[string]string) { f["conf.d/wiki.toml"] += text + "\n" }
	}
	swap := func(old, new string) func(map[string]string) {
		return func(f map[string]string) {
			if !strings.Contains(f["conf.d/wiki.toml"], old) {
				t.Fatalf("no %q", old)
			}
			f["conf.d/wiki.toml"] = strings.Replace(f["conf.d/wiki.toml"], old, new, 1)
		}
	}
	for what, c := range map[string]struct {
		edit func(map[string]string)
		want string
	}{
		"another target":          {add("[target.chat.entitlements]\nwiki-chief = [\"Root\"]"), "target.chat is outside of what this file may say"},
		"another role":            {add("[role.helper]\ngroups = [\"cn=x,dc=example\"]"), "role.helper is outside"},
		"a role of the main file": {add("[role.employee]\nwhen = 'person.uid != \"\"'"), "role.employee is outside"},
		"a role twice":            {add("[role.wiki-admin2]\nincludes = [\"wiki-admin\"]\n[conflict.wiki-x]\nroles = [\"wiki-admin\", \"wiki-chief\"]"), "conflict.wiki-x is outside"},
		"gives a role":            {swap(`includes = ["wiki-admin"]`, `includes = ["wiki-admin", "lead"]`), `conf.d/wiki.toml may not move the role "lead"`},
		"takes a role":            {swap(`includes = ["wiki-admin"]`, `excludes = ["employee"]`), `may not move the role "employee"`},
		"a source":                {add("[source.corp.person]\nlogin = \"mail\""), "an included file has no [source]"},
		"the schedule":            {add("[schedule]\nchanges = \"@every 1s\""), "an included file has no [schedule]"},
		"who decides":             {add("[control]\ndecide = [\"me\"]"), "an included file has no [control]"},
		"another file":            {add("[include.more]\nfile = \"conf.d/more.toml\"\nmay = [\"role.*\"]"), "an included file has no [include]"},
		"an attribute":            {swap(`person.title ==`, `person.salary ==`), "conf.d/wiki.toml may not ask for the attribute salary"},
		"an attribute in a value": {swap(`person.uid)`, `person.homePhone)`), "may not ask for the attribute homephone"},
		"a table of the main file": {func(f map[string]string) {
			f["rosterd.toml"] += "[table.pay]\nada = \"1\"\n"
			swap(`'wiki-rooms'`, `'pay'`)(f)
		}, "may not ask for the table pay"},
		"where the target is":       {add("[target.wiki]\nkind = \"file\"\npath = \"/etc/cron.d/x\""), "by kind rosterd would go where this file sends it"},
		"what the main file says":   {add("[target.wiki.account]\nfor = [\"wiki-chief\"]"), "target.wiki.account.for stands in rosterd.toml:"},
		"an entitlement of another": {func(f map[string]string) { swap(`wiki-chief = ["Chiefs"]`, `writer = ["Chiefs"]`)(f) }, "target.wiki.entitlements.writer stands in rosterd.toml:"},
		"a table that is elsewhere": {swap(`conf.d/rooms.csv`, `other/rooms.csv`), `conf.d/wiki.toml may not have "other/rooms.csv" read`},
		"a table above":             {swap(`conf.d/rooms.csv`, `conf.d/../../rooms.csv`), "is no file in the folder of this one"},
		"a whole path":              {swap(`conf.d/rooms.csv`, `/etc/rooms.csv`), "is no file in the folder of this one"},
		"no table":                  {swap(`conf.d/rooms.csv`, `conf.d/shadow`), "does not end in .csv"},
		"a grant": {func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `"test.wiki-*"`, `"test.wiki-*", "grant.wiki-*", "deny.wiki-*", "retain.wiki-*", "conflict.wiki-*"`, 1)
			add("[grant.wiki-x]\nperson = \"ada\"\nrole = \"lead\"\nreason = \"x\"\nuntil = \"never\"")(f)
		}, `may not move the role "lead"`},
		"a deny everywhere": {func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `"test.wiki-*"`, `"deny.wiki-*"`, 1)
			add("[deny.wiki-x]\nperson = \"ada\"\nreason = \"x\"\nuntil = \"never\"")(f)
		}, "may not say this of every target"},
		"a legal hold everywhere": {func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `"test.wiki-*"`, `"retain.wiki-*"`, 1)
			add("[retain.wiki-x]\nperson = \"ada\"\nreason = \"x\"\nuntil = \"never\"")(f)
		}, "may not say this of every target"},
		"a conflict of others": {func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `"test.wiki-*"`, `"conflict.wiki-*"`, 1)
			add("[conflict.wiki-x]\nroles = [\"employee\", \"wiki-chief\"]\naction = \"hold\"")(f)
		}, `may not move the role "employee"`},
	} {
		config, problems := loaded(t, checkout(t, c.edit))
		if config != nil {
			t.Errorf("%s: it was taken", what)
			continue
		}
		found := false
		for _, p := range problems {
			if strings.Contains(p.Message, c.want) {
				found = true
				if !strings.HasSuffix(p.File, "conf.d/wiki.toml") || p.Line < 1 || p.Hint == "" || p.Source == "" {
					t.Errorf("%s: no place in the file itself, or no hint: %+v", what, p)
				}
			}
		}
		if !found {
			t.Errorf("%s: no %q in\n%s", what, c.want, problems.Error())
		}
	}
}

// However a value is written, it asks for nothing that the file may not ask for.
func TestLawIncludedValuesAskForNoMore(t *testing.T) {
	for _, text := range []string{
		"[target.wiki.attributes.name2]\nfamilyName = \"${person.salary}\"\n",
		"[target.wiki.attributes.a.b.c]\nfrom = \"${person.salary}\"\n",
		"[target.wiki.attributes]\n\"x.y\" = \"${person.salary}\"\n",
		"[target.wiki.attributes.x]\nfrom = \"${person . salary}\"\n",
		"[target.wiki.attributes.x]\nfrom = \"${lower(first(values(person.Salary))) ?? ''}\"\n",
		"[target.wiki.attributes.x]\nfrom = \"${lookup('pay', person.uid)}\"\n",
		"[target.wiki]\nattributes.x = \"${person.salary}\"\n",
	} {
		c, problems := loaded(t, checkout(t, func(f map[string]string) {
			f["rosterd.toml"] += "[table.pay]\nada = \"1\"\n"
			f["conf.d/wiki.toml"] = strings.Replace(f["conf.d/wiki.toml"], "[target.wiki.attributes]\nroom = \"${lookup('wiki-rooms', person.uid) ?? ''}\"\n", text, 1)
		}))
		if c != nil || !strings.Contains(problems.Error(), "may not ask for") {
			t.Errorf("%s\n%s", text, problems.Error())
		}
	}
}

// What whoever keeps the main file allows by name is open.
func TestIncludeMayMore(t *testing.T) {
	c, problems := loaded(t, checkout(t, func(f map[string]string) {
		f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `"test.wiki-*"`, `"test.wiki-*", "person.costCenter", "role.lead", "target.chat", "target.chat.kind", "target.chat.path"`, 1)
		f["conf.d/wiki.toml"] = strings.Replace(f["conf.d/wiki.toml"], `person.title == "Admin"`, `person.costcenter == "Admin"`, 1) + `
[role.wiki-editor]
groups = ["cn=editors,ou=groups,dc=corp,dc=example"]
includes = ["lead"]
[target.chat]
kind = "file"
path = "/var/lib/chat.jsonl"
attributes.name = "${person.uid}"
entitlements.wiki-editor = ["Room"]
[test.wiki-1]
attributes = { uid = "ada", costCenter = "x" }
groups = ["cn=admins,ou=groups,dc=corp,dc=example"]
lacks = ["role:wiki-admin"]
`
	}))
	if c == nil {
		t.Fatal(problems.Error())
	}
	if c.Targets["chat"] == nil || c.Targets["chat"].Kind != "file" {
		t.Error("the target of the included file is not there")
	}
}

// No name and no link leads out of the folder of the main file.
func TestIncludedFilesAreFiles(t *testing.T) {
	for _, name := range []string{"../wiki.toml", "/etc/wiki.toml", "conf.d/../../wiki.toml", "", "conf.d/wiki.txt", `conf.d\wiki.toml`} {
		c, problems := loaded(t, checkout(t, func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `"conf.d/wiki.toml"`, fmt.Sprintf("%q", name), 1)
		}))
		if c != nil || !strings.Contains(problems.Error(), "include.wiki.file") {
			t.Errorf("%q: %s", name, problems.Error())
		}
	}
	secret := filepath.Join(t.TempDir(), "secret.toml")
	if err := os.WriteFile(secret, []byte("[role.wiki-admin]\nwhen = 'TOPSECRET'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func(folder, at string) error{
		"a link":          func(_, at string) error { return os.Symlink(secret, at) },
		"a link within":   func(folder, at string) error { return os.Symlink(filepath.Join(folder, "rosterd.toml"), at) },
		"a relative link": func(_, at string) error { return os.Symlink("../rosterd.toml", at) },
		"a pipe":          func(_, at string) error { return syscall.Mkfifo(at, 0o600) },
		"a folder":        func(_, at string) error { return os.Mkdir(at, 0o700) },
		"nothing":         func(_, _ string) error { return nil },
		"a folder that is not": func(folder, at string) error {
			if err := os.RemoveAll(filepath.Dir(at)); err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Join(folder, "other"), 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, "other", "wiki.toml"), []byte("[role.wiki-admin]\nwhen = 'TOPSECRET'\n"), 0o600); err != nil {
				return err
			}
			return os.Symlink("other", filepath.Dir(at))
		},
	} {
		folder := checkout(t, nil)
		at := filepath.Join(folder, "conf.d", "wiki.toml")
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		if err := put(folder, at); err != nil {
			t.Fatal(err)
		}
		c, problems := loaded(t, folder)
		if text := problems.Error(); c != nil || !strings.Contains(text, "include.wiki.file") || strings.Contains(text, "TOPSECRET") {
			t.Errorf("%s: %s", what, text)
		}
	}
}

func TestPatternsOfMay(t *testing.T) {
	for pattern, names := range map[string][]string{
		"wiki-*": {"wiki-", "wiki-x"}, "*": {"", "x"}, "a*b*c": {"abc", "axbxc", "abbcc"}, "wiki": {"wiki"}, "*-wiki": {"a-wiki", "a-wiki-wiki"},
	} {
		for _, n := range names {
			if !like(pattern, n) {
				t.Errorf("%s does not cover %s", pattern, n)
			}
		}
	}
	for pattern, n := range map[string]string{"wiki-*": "wiki", "a*b*c": "acb", "wiki": "wiki2", "*-wiki": "wiki", "": "x"} {
		if like(pattern, n) {
			t.Errorf("%s covers %s", pattern, n)
		}
	}
	for _, may := range []string{`["role"]`, `["*.*"]`, `["source.corp"]`, `["state.path"]`, `["include.x"]`, `["role."]`, `[]`, `["rol.x"]`} {
		c, problems := loaded(t, checkout(t, func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `["target.wiki", "role.wiki-*", "table.wiki-*", "test.wiki-*"]`, may, 1)
		}))
		if c != nil || !strings.Contains(problems.Error(), "include.wiki.may") {
			t.Errorf("%s: %s", may, problems.Error())
		}
	}
}

// A table in a file of its own is as good as one that is written out, and its
// mistakes have their lines.
func TestTableInAFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "rooms.csv:1: there is no first line",
		"name,room\nada,1\n":                       `rooms.csv:1: no columns "key" and "value"`,
		"key,value\nada,1\nbob\n":                  "rooms.csv:3: wrong number of fields",
		"key,value\nada,1\n ADA ,2\n":              `rooms.csv:3: " ADA " stands in line 2 already`,
		"key,value\nada,1\n ,2\n":                  "rooms.csv:3: the key is blank",
		"key,value\n":                              "rooms.csv:1: there is no line below the first",
		"key,value,key\nada,1,2\n":                 `rooms.csv:1: two columns are called "key" or "value"`,
		"value,key,value\n1,ada,2\n":               `rooms.csv:1: two columns are called "key" or "value"`,
		"key,value\nada,1\nj\xf6rg,2\n":            "rooms.csv:3: this line is not UTF-8",
		"key,value\nada,\"1\nbob,2\n":              "rooms.csv:",
		"key,value\n" + strings.Repeat("x", 1<<20): "longer than",
	} {
		c, problems := loaded(t, checkout(t, func(f map[string]string) { f["conf.d/rooms.csv"] = text }))
		if c != nil || !strings.Contains(problems.Error(), want) {
			t.Errorf("%.30q: no %q in %.300s", text, want, problems.Error())
		}
	}
	// The main file's own may lie anywhere below it, and name its columns; the word
	// csv in a table that is written out is a word.
	c, problems := loaded(t, checkout(t, func(f map[string]string) {
		f["rosterd.toml"] += "[table.sites]\ncsv = \"sites.csv\"\nkey = \"Code\"\nvalue = \"Town\"\n[table.kinds]\ncsv = \"text\"\npng = \"picture\"\n"
		f["sites.csv"] = "\ufeffCode,Town\nB,Bern\n"
	}))
	if c == nil {
		t.Fatal(problems.Error())
	}
}

// A key that is put into a table of the main file asks for no more either.
func TestLawIncludedKeysAskForNoMore(t *testing.T) {
	for what, may := range map[string]bool{`otherwise = "${lower(person.salary)}${number}"`: false, `otherwise = "${lower(person.uid)}${number}"`: true} {
		c, problems := loaded(t, checkout(t, func(f map[string]string) {
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], `name  = "${lower(person.uid)}"`, `name  = { from = "${lower(person.uid)}", mode = "on-create" }`, 1)
			f["rosterd.toml"] = strings.Replace(f["rosterd.toml"], "[target.wiki.account]", "[target.wiki.account]\nmatch = [\"title\"]", 1)
			f["conf.d/wiki.toml"] += "[target.wiki.attributes.name]\n" + what + "\n"
		}))
		if told := strings.Contains(problems.Error(), "may not ask for the attribute salary"); told == may || (c != nil) != may {
			t.Errorf("%s: %s", what, problems.Error())
		}
	}
}
