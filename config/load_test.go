package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/sync/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMistakes: each file in testdata has one mistake, the same base apart from
// it, and what is said about it stands beside it.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 60 {
		t.Fatalf("only %d files with mistakes", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			config, problems := Parse("rosterd.toml", text, testKinds(t))
			warning := strings.HasPrefix(name, "warning-")
			want := 1
			switch name {
			case "good":
				want = 0
			case "three-mistakes":
				want = 3
			}
			if len(problems) != want {
				t.Errorf("%d problems, want %d", len(problems), want)
			}
			if problems.Broken() == (warning || want == 0) || (config == nil) != problems.Broken() {
				t.Errorf("broken %t, configuration %v", problems.Broken(), config)
			}
			for _, p := range problems {
				if p.Hint == "" || p.Line < 1 || p.Column < 1 || p.Key == "" && !strings.HasPrefix(name, "syntax-") {
					t.Errorf("no hint or place: %+v", p)
				}
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".want", problems)
		})
	}
}

func golden(t *testing.T, file string, problems Problems) {
	t.Helper()
	var got strings.Builder
	if err := problems.Write(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./config -update writes it)", err)
	}
	if got.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

// TestGood looks at each value of the file without a mistake.
func TestGood(t *testing.T) {
	c, problems, err := Load("testdata/good.toml", testKinds(t))
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v\n%s", err, problems.Error())
	}
	same := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	same("file", c.File, "testdata/good.toml")
	same("state path", c.State.Path, "/var/lib/rosterd/state.db")
	same("keep_leavers", c.State.KeepLeavers.String(), "400d")
	same("keep_journal", c.State.KeepJournal.String(), "7y")
	same("changes", c.Schedule.Changes.Text, "*/5 * * * *")
	same("resync", c.Schedule.Resync.Text, "30 2 * * *")
	s := c.Sources["corp"]
	same("sources", len(c.Sources), 1)
	same("source name", s.Name, "corp")
	same("source kind", s.Kind, "ldap")
	same("login, which the server decides", s.Person.Login, "")
	same("mail", s.Person.Mail, "mail")
	same("min_people", s.Guard.MinPeople.String(), "90%")
	same("min_people of 300", s.Guard.MinPeople.Of(300), 270.0)
	same("vanish_after", s.Guard.VanishAfter.String(), "10m")
	same("max_rename", s.Guard.MaxRename.Count, 5)
	same("canaries", s.Guard.Canaries[0], "uid=canary,ou=people,dc=corp,dc=example")
	o := s.Options.(*directoryOptions)
	same("server, a default", o.Server, "auto")
	same("urls", o.URLs[0], "ldaps://dc1.corp.example")
	same("password", o.Password, secret.Credential("corp-bind"))
	same("people", o.People.Bases[0], "ou=people,dc=corp,dc=example")
	same("canaries of the kind", o.Guard.Canaries[0], "uid=canary,ou=people,dc=corp,dc=example")
	w := c.Targets["wiki"]
	same("targets", len(c.Targets), 1)
	same("target name", w.Name, "wiki")
	same("target kind", w.Kind, "file")
	same("rate", w.Rate, 5.0)
	same("concurrency", w.Concurrency, 4)
	same("verify_within", w.VerifyWithin.String(), "1m")
	same("protect", w.Rules.Protect[0], "account:admin")
	same("extra", w.Rules.Drift.Extra, "report")
	same("lost, a default", w.Rules.Drift.Lost, "enforce")
	same("max_remove", *w.Rules.Guard.MaxRemove, plan.Limit{Count: 5, Percent: 5})
	same("max_revoke, a default", *w.Rules.Guard.MaxRevoke, *plan.DefaultRules().Guard.MaxRevoke)
	same("targets of the policy", strings.Join(c.Policy.Targets(), " "), "wiki")
	same("entitlements", strings.Join(c.Policy.Entitlements("wiki"), " "), "Publishers Readers Writers")
	same("groups", len(c.Policy.Groups()), 3)
	text, err := os.ReadFile("testdata/good.toml")
	if err != nil {
		t.Fatal(err)
	}
	same("text", string(c.Text), string(text))
}

// TestWhatIsWrittenIsTaken: nothing that a file says is lost to a default.
func TestWhatIsWrittenIsTaken(t *testing.T) {
	text, err := os.ReadFile("testdata/good.toml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(
		"[state]", "[state]\nkeep_leavers = \"30d\"\nkeep_journal = \"1y\"",
		"changes  = \"*/5 * * * *\"", "changes = \"@every 90s\"\nsweep = \"3 * * * *\"\nresync = \"0 5 * * 7\"",
		"timezone = \"UTC\"", "timezone = \"Asia/Tokyo\"",
		"min_people = \"90%\"", "min_people = \"97.5%\"\nvanish_after = \"1s\"\nmax_rename = { count = 9 }",
		"rate = 5", "rate = 0.5\nconcurrency = 1\nverify_within = \"5m\"",
		"[role.employee]", "[source.corp.person]\nlogin = \"sAMAccountName\"\nkey = \"employeeNumber\"\n\n[role.employee]",
		"protect = [\"account:admin\"]", "break_glass = [\"account:emergency-*\"]",
	).Replace(string(text))
	c, problems := Parse("x/rosterd.toml", []byte(changed), testKinds(t))
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	s, w := c.Sources["corp"], c.Targets["wiki"]
	got := strings.Join([]string{
		c.State.KeepLeavers.String(), c.State.KeepJournal.String(), c.Schedule.Changes.Text, c.Schedule.Sweep.Text, c.Schedule.Resync.Text,
		c.Schedule.Timezone.String(), s.Guard.MinPeople.String(), s.Guard.VanishAfter.String(), s.Person.Login, s.Person.Key, s.Person.Mail,
		w.VerifyWithin.String(), w.Rules.BreakGlass[0],
	}, " | ")
	want := "30d | 1y | @every 90s | 3 * * * * | 0 5 * * 7 | Asia/Tokyo | 97.5% | 1s | sAMAccountName | employeeNumber | mail | 5m | account:emergency-*"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s.Guard.MaxRename.Count != 9 || w.Rate != 0.5 || w.Concurrency != 1 || w.Rules.Protect != nil {
		t.Errorf("got %+v %+v", s.Guard, w)
	}
}

func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Load(filepath.Join(dir, "none.toml"), testKinds(t)); err == nil || !os.IsNotExist(unwrap(err)) {
		t.Errorf("got %v", err)
	}
	if _, _, err := Load(dir, testKinds(t)); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("got %v", err)
	}
	long := filepath.Join(dir, "long.toml")
	if err := os.WriteFile(long, []byte(strings.Repeat("# long\n", 1<<18)), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, problems, err := Load(long, testKinds(t)); c != nil || err != nil || !strings.Contains(problems.Error(), "longer than") {
		t.Errorf("got %v %v", problems, err)
	}
}

func unwrap(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

// TestNextRuns: a schedule runs in the zone of the file, whatever that of the
// instant is.
func TestNextRuns(t *testing.T) {
	text, err := os.ReadFile("testdata/good.toml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `timezone = "UTC"`, "timezone = \"Europe/Berlin\"\nresync = \"30 5 * * 7\"", 1)
	c, problems := Parse("x", []byte(changed), testKinds(t))
	if problems.Broken() {
		t.Fatal(problems.Error())
	}
	from := time.Date(2026, 7, 1, 12, 1, 0, 0, time.UTC) // a Wednesday
	if got := c.Schedule.Changes.Next(from); !got.Equal(from.Add(4 * time.Minute)) {
		t.Errorf("changes next at %v", got)
	}
	if got, want := c.Schedule.Resync.Next(from), time.Date(2026, 7, 5, 3, 30, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("resync next at %v, want %v", got, want)
	}
}

func TestSunday(t *testing.T) {
	for in, want := range map[string]string{
		"7": "0", "1,7": "1,0", "5-7": "5-6,0", "0-7": "0-6,0", "7-7": "0", "*": "*", "1-5": "1-5", "*/7": "*/7", "MON-SUN": "MON-SUN", "17": "17",
	} {
		if got := sunday(in); got != want {
			t.Errorf("sunday(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, bad := range []any{"90", "", "%", "-1%", "1e1%", "0x1p4%", "inf%", "NaN%", "100.1%", " 5%", "5 %", 5, nil, "1.2.3%"} {
		var p Percent
		if err := p.UnmarshalTOML(bad); err == nil || p != 0 {
			t.Errorf("%v was taken for %v", bad, p)
		}
	}
	for text, want := range map[string]Percent{"0%": 0, "100%": 100, "12.5%": 12.5, "90%": 90} {
		var p Percent
		if err := p.UnmarshalTOML(text); err != nil || p != want || p.String() != text {
			t.Errorf("%s: got %v, %v", text, p, err)
		}
	}
}

// FuzzLoad: no file ends the process; a configuration and a problem that breaks
// it exclude each other; the same text gives the same words.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, problems := Parse("rosterd.toml", text, testKinds(t))
		if (c == nil) != problems.Broken() {
			t.Fatalf("configuration %v with:\n%s", c, problems.Error())
		}
		if c != nil && (c.Policy == nil || len(c.Sources) == 0) {
			t.Fatalf("an incomplete configuration: %+v", c)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Fatalf("no place: %+v", p)
			}
		}
		if _, again := Parse("rosterd.toml", text, testKinds(t)); again.Error() != problems.Error() {
			t.Fatalf("the second time:\n%s\nthe first:\n%s", again.Error(), problems.Error())
		}
	})
}
