package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/rosterd/rosterd/internal/problem"
)

// TestLaw12SecretsDoNotPrint prints a secret in every way that Go has, on its
// own and inside other values: neither its text nor its place may show.
func TestLaw12SecretsDoNotPrint(t *testing.T) {
	type config struct {
		Bind     string
		Password Secret
		Pointer  *Secret
		Many     []Secret
		Named    map[string]Secret
	}
	s := File("/etc/rosterd/hunter2")
	c := config{"cn=rosterd", s, &s, []Secret{s}, map[string]Secret{"a": s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %[1]v"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", &c)
	}
	fmt.Fprintln(&out, s.String(), s.GoString())
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("dial", "password", s, "config", c, "pointer", &s)
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a secret was printed:\n%s", out.String())
	}
	if got := strings.Count(out.String(), shown); got < 30 {
		t.Errorf("printed %s %d times, want it in each of the lines:\n%s", shown, got, out.String())
	}
}

func write(t *testing.T, folder, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestValueOfFile(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want, err  string
	}{
		{"plain", "pa ss", 0o600, "pa ss", ""},
		{"newline", "pass\n", 0o640, "pass", ""},
		{"crlf", "pass\r\n", 0o600, "pass", ""},
		{"two newlines", "pass\n\n", 0o600, "pass\n", ""},
		{"blank kept", " pass ", 0o400, " pass ", ""},
		{"empty", "\n", 0o600, "", "is empty"},
		{"world readable", "hunter2", 0o604, "", "may be used by everyone (mode 0604)"},
		{"world writable", "hunter2", 0o602, "", "may be used by everyone"},
		{"too long", strings.Repeat("x", limit+1), 0o600, "", "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, dir, strings.ReplaceAll(c.name, " ", "-"), c.text, c.mode)
			got, err := File(path).Value()
			check(t, got, err, c.want, c.err)
		})
	}
	_, err := File(filepath.Join(dir, "none")).Value()
	check(t, "", err, "", "no such file")
	_, err = File(dir).Value()
	check(t, "", err, "", "is not a regular file")
	_, err = Secret{}.Value()
	check(t, "", err, "", "none is named")
}

// check wants either a value or an error that has a hint and no secret.
func check(t *testing.T, got string, err error, want, wantErr string) {
	t.Helper()
	if wantErr == "" {
		if err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), wantErr) {
		t.Fatalf("got error %v, want %q", err, wantErr)
	}
	if strings.Contains(err.Error(), "hunter2") || got != "" {
		t.Errorf("the error shows the secret: %v, %q", err, got)
	}
}

func TestValueOfCredential(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "corp-bind", "from systemd\n", 0o400)
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	got, err := Credential("corp-bind").Value()
	check(t, got, err, "from systemd", "")
	_, err = Credential("rosterd-test-none").Value()
	check(t, "", err, "", dir+" or "+Folder)
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "LoadCredential=rosterd-test-none:") {
		t.Errorf("no hint that says what to do: %v", err)
	}
	// A credential that is there and bad is an error, not a reason to look on.
	write(t, dir, "bad", "hunter2", 0o644)
	_, err = Credential("bad").Value()
	check(t, "", err, "", "may be used by everyone")
}

func TestValueOfEnv(t *testing.T) {
	t.Setenv("ROSTERD_TEST_SECRET", "pass\n")
	got, err := Env("ROSTERD_TEST_SECRET").Value()
	check(t, got, err, "pass", "")
	t.Setenv("ROSTERD_TEST_SECRET", "")
	_, err = Env("ROSTERD_TEST_SECRET").Value()
	check(t, "", err, "", "is not set")
}

// What is no text keeps its last octet, though it look like a line end, and is
// guarded like a text.
func TestBytes(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	write(t, dir, "keytab", "\x05\x02\x00\r\n", 0o600)
	write(t, dir, "open", "\x05\x02", 0o644)
	for name, s := range map[string]Secret{"file": File(filepath.Join(dir, "keytab")), "credential": Credential("keytab")} {
		if got, err := s.Bytes(); err != nil || string(got) != "\x05\x02\x00\r\n" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, s := range map[string]Secret{"for all": Credential("open"), "gone": File(filepath.Join(dir, "gone")), "text": Env("PATH"), "none": {}} {
		if got, err := s.Bytes(); err == nil || len(got) != 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestUnmarshal(t *testing.T) {
	for _, c := range []struct {
		text string
		want Secret
		err  string
	}{
		{`s = { file = "/a/b" }`, File("/a/b"), ""},
		{`s = { credential = "corp" }`, Credential("corp"), ""},
		{`s = { env = "X_Y" }`, Env("X_Y"), ""},
		{"[s]\nenv = \"X_Y\"", Env("X_Y"), ""},
		{`s = "hunter2"`, Secret{}, "does not stand in this file"},
		{`s = 17`, Secret{}, "does not stand in this file"},
		{`s = ["hunter2"]`, Secret{}, "does not stand in this file"},
		{`s = {}`, Secret{}, "one place, not 0"},
		{`s = { file = "/a", env = "B" }`, Secret{}, "one place, not 2"},
		{`s = { file = "hunter2" }`, Secret{}, "whole path"},
		{`s = { file = "" }`, Secret{}, "not empty"},
		{`s = { env = 3 }`, Secret{}, "not empty"},
		{`s = { env = "$X" }`, Secret{}, "not the name"},
		{`s = { credential = "../x" }`, Secret{}, "a name, not a path"},
		{`s = { vault = "hunter2" }`, Secret{}, `unknown key "vault"`},
	} {
		var got struct{ S Secret }
		_, err := toml.Decode(c.text, &got)
		if c.err == "" && (err != nil || got.S != c.want) {
			t.Errorf("%s: got %#v, %v", c.text, got.S, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: got error %v, want %q", c.text, err, c.err)
		}
		// What was told as a mistake is not told as missing too, and is no secret.
		if value, verr := got.S.Value(); c.err != "" && (!got.S.IsSet() || value != "" || verr == nil) {
			t.Errorf("%s: set %t, value %q, %v", c.text, got.S.IsSet(), value, verr)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the secret: %v", c.text, err)
		}
	}
}

func TestRequire(t *testing.T) {
	var got []problem.Problem
	report := problem.Report(func(p problem.Problem) { got = append(got, p) })
	Env("X").Require([]string{"a"}, report)
	Secret{}.Require([]string{"target", "dir", "password"}, report)
	if len(got) != 1 || got[0].Message != "missing" || len(got[0].Path) != 3 {
		t.Errorf("got %+v", got)
	}
}
