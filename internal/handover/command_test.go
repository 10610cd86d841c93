package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
)

// mortal is the environment variable that makes this program one that hands a
// password over and is killed meanwhile.
const mortal = "ROSTERD_TEST_HAND_OVER_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(mortal); path != "" {
		d, err := New(Config{Command: []string{path}})
		if err == nil {
			err = d.Give(context.Background(), letter())
		}
		fmt.Println(err)
		return
	}
	goleak.VerifyTestMain(m)
}

// Law 7: killed in the middle, it takes the command along: what that would deliver
// later is not valid any more by then.
func TestLaw07CommandOfAProcessThatIsKilled(t *testing.T) {
	path, folder := script(t, "cat > /dev/null; echo > begun; sleep 0.4; echo > delivered")
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{mortal + "=" + path}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(folder, name))
		return err == nil
	}
	for range 2000 {
		if there("begun") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil || !there("begun") {
		t.Fatalf("%v: it did not begin", err)
	}
	_ = cmd.Wait()
	time.Sleep(800 * time.Millisecond)
	if there("delivered") {
		t.Error("a password was delivered by a process that is dead")
	}
}

func letter() Letter {
	return Letter{Target: "wiki", Account: `w"1`, Login: "writer1", Mail: "writer1@corp.example", Name: "Writer <One>",
		Password: secret.NewText("Canary.4711"), MustChange: true}
}

// script puts a program there.
func script(t *testing.T, text string) (path, folder string) {
	t.Helper()
	folder = t.TempDir()
	path = filepath.Join(folder, "hand-over")
	if err := os.WriteFile(path, []byte("#!/bin/sh\ncd "+folder+"\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, folder
}

// give hands a letter to the program, again where a fork of another test still has
// the file open.
func give(t *testing.T, d *Desk, l Letter) error {
	t.Helper()
	for range 50 {
		err := d.Give(t.Context(), l)
		if !errors.Is(err, syscall.ETXTBSY) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the program is busy")
	return nil
}

func made(t *testing.T, c Config) *Desk {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The command gets the letter on its standard input, its arguments as they are, and
// nothing else of ours: no environment, no terminal, no working directory.
func TestLaw12Command(t *testing.T) {
	t.Setenv("ROSTERD_CANARY", "Canary-of-the-environment")
	path, folder := script(t, `cat > got; env > env; printf '%s|' "$@" > args; cat /proc/$$/cmdline > cmdline; pwd -P > /dev/null; echo Canary.4711; echo Canary.4711 >&2`)
	d := made(t, Config{Command: []string{path, "$(touch oh)", "a b;c"}})
	if err := give(t, d, letter()); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(read("got")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"format_version": 1.0, "target": "wiki", "account": `w"1`, "login": "writer1", "mail": "writer1@corp.example",
		"name": "Writer <One>", "password": "Canary.4711", "must_change": true}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it got %v, want %v", got, want)
	}
	if args := read("args"); args != "$(touch oh)|a b;c|" {
		t.Errorf("its arguments were %q", args)
	}
	if env := read("env"); strings.Contains(env, "Canary") || !strings.Contains(env, "PATH=/") {
		t.Errorf("its environment was %s", env)
	}
	if line := read("cmdline"); strings.Contains(line, "Canary") {
		t.Errorf("the password stands in the list of processes: %q", line)
	}
	if d.Way() != "by the command "+path {
		t.Error(d.Way())
	}
}

// One that fails is an error that says how it ended, and nothing of what it printed.
func TestLaw12CommandFails(t *testing.T) {
	path, _ := script(t, `cat >&2; exit 3`)
	err := give(t, made(t, Config{Command: []string{path}}), letter())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || strings.Contains(err.Error(), "Canary") {
		t.Fatalf("the error is %v", err)
	}
	var e *Error
	if !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("%T has no hint", err)
	}
	for _, command := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), "/etc/passwd"} {
		d := made(t, Config{Command: []string{command}})
		if err := d.Give(t.Context(), letter()); err == nil {
			t.Errorf("%s took a password", command)
		}
		if _, err := d.Ready(); err == nil {
			t.Errorf("%s is ready", command)
		}
	}
	open, _ := script(t, "true")
	if err := os.Chmod(open, 0o702); err != nil {
		t.Fatal(err)
	}
	if _, err := made(t, Config{Command: []string{open}}).Ready(); err == nil || !strings.Contains(err.Error(), "by everyone") {
		t.Errorf("a program that everyone may change: %v", err)
	}
	// It need not read, as long as it says that it is content.
	deaf, _ := script(t, "exec 0<&-; exit 0")
	if err := give(t, made(t, Config{Command: []string{deaf}}), letter()); err != nil {
		t.Errorf("a command that does not read: %v", err)
	}
}

// What takes too long is ended, with all that it started, and whoever waits is told.
func TestCommandTakesTooLong(t *testing.T) {
	path, folder := script(t, `sleep 300 & echo $! > child; wait`)
	d := made(t, Config{Command: []string{path}, Timeout: span.Duration(time.Second)})
	d.timeout = 300 * time.Millisecond
	began := time.Now()
	err := give(t, d, letter())
	if err == nil || !strings.Contains(err.Error(), "did not end within 300ms") || time.Since(began) > 20*time.Second {
		t.Fatalf("after %s: %v", time.Since(began), err)
	}
	gone := func() bool {
		b, err := os.ReadFile(filepath.Join(folder, "child"))
		if err != nil {
			t.Fatal(err)
		}
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(b)) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}
	for range 200 {
		if gone() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !gone() {
		t.Error("what it started still runs")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Give(ctx, letter()); err == nil {
		t.Error("a cancelled hand-over succeeded")
	}
}
