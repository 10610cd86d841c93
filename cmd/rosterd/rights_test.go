package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is a user without any rights.
const nobody = 65534

// as runs the program as another user.
func (s *supervised) as(uid uint32, args ...string) (code int, output string) {
	s.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(rosterdBinary(s.t), append([]string{"-c", s.config}, args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, "/"
	// What anybody may set is not believed.
	cmd.Env = append(os.Environ(), "SUDO_USER=root", "USER=root", "LOGNAME=root", "SUDO_UID=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL}
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// A user without rights on the socket can look and cannot decide: every verb that
// the service runs for others is tried by a real one. Named under decide they
// can; with look narrowed they cannot even look. The journal names who it was.
func TestWhoMayLookAndWhoMayDecide(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("two users are needed: run it as root")
	}
	s := newSupervised(t, 12, "[target.intranet.guard]\nfirst = \"apply\"\n")
	for dir := s.folder; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The way in is open; what is behind it decides.
	control := func(lines string) {
		t.Helper()
		text, err := os.ReadFile(s.config)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(string(text), "\n[control]\n")
		s.write(before + "\n[control]\nsocket = \"" + filepath.Join(s.folder, "control.sock") + "\"\n" + lines)
		if err := os.Chmod(s.config, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	control("")
	s.start()
	s.ear.await("READY=1", time.Minute)
	s.ear.await("STATUS=idle", time.Minute)
	defer func() {
		s.signal(syscall.SIGTERM)
		if code, _ := s.ends(); code != 0 {
			t.Errorf("the service ended with %d\n%s", code, s.out.String())
		}
	}()
	file := filepath.Join(s.folder, "plan.json")
	s.modify("dn: %s\nchangetype: modify\nreplace: title\ntitle: Publisher\n", s.company.DN(3))
	s.want(3, "plan", "--out", file)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}

	open := filepath.Join(s.folder, "open") // to everybody
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}

	edited := filepath.Join(s.folder, "edited.toml") // that somebody asks about
	text, err := os.ReadFile(s.config)
	if err := errors.Join(err, os.WriteFile(edited, text, 0o600), os.Chmod(edited, 0o644)); err != nil {
		t.Fatal(err)
	}

	// How each verb is typed, and with what it ends for somebody who may.
	verbs := map[string][]string{
		"policy": {"policy"}, "check": {"check", "--people"}, "what-if": {"what-if", edited}, "status": {"status"}, "explain": {"explain", "p00003"}, "plan": {"plan"}, "audit": {"audit", "--verify"},
		"sync": {"sync"}, "apply": {"apply", file}, "approve": {"approve", "h1"}, "adopt": {"adopt", "intranet"}, "reject": {"reject", "h1"},
		"offboard": {"offboard", "p00004", "--reason", "x"}, "release": {"release", "p00004", "--reason", "x"},
		"exceptions": {"exceptions"}, "grant": {"grant", "p00004", "staff", "--until", "1d", "--reason", "x"}, "ungrant": {"ungrant", "p00004", "staff"},
		"retain": {"retain", "p00004", "--until", "1d", "--reason", "x"}, "unretain": {"unretain", "p00004"},
		"pause": {"pause", "intranet", "--reason", "x"}, "resume": {"resume", "intranet"}, "retry": {"retry"}, "reload": {"reload"}, "forget": {"forget", "p00004", "--yes"},
		"target forget": {"target", "forget", "nowhere", "--yes"}, "state check": {"state", "check"}, "state compact": {"state", "compact"},
		"state backup": {"state", "backup", filepath.Join(open, "stolen")},
	}
	before, head := s.accounts(), s.head()
	for _, verb := range sortedKeys(accesses) {
		args := verbs[verb]
		if args == nil {
			t.Errorf("nobody tries %s: say here how it is typed", verb)
			continue
		}
		code, out := s.as(nobody, args...)
		switch {
		case accesses[verb] == looks && code != 0 && code != 3:
			t.Errorf("%s, which only looks, ended with %d for nobody: %s", verb, code, out)
		case accesses[verb] == decides && (code != 1 || !strings.Contains(out, "may look, and not decide")):
			t.Errorf("%s, which decides, ended with %d for nobody: %s", verb, code, out)
		}
	}
	// Looking does not decide by a flag.
	for _, args := range [][]string{{"sync", "--dry-run"}, {"sync", "--person", "p00003"}, {"approve", "h1", "--version", "x", "--yes", "--no-wait"}} {
		if code, out := s.as(nobody, args...); code != 1 {
			t.Errorf("%v ended with %d for nobody: %s", args, code, out)
		}
	}
	if code, out := s.as(nobody, "run"); code == 0 {
		t.Errorf("nobody runs a service: %s", out)
	}
	if _, err := os.Stat(filepath.Join(open, "stolen")); err == nil {
		t.Error("nobody made a backup")
	}
	if now := s.head(); now != head {
		t.Errorf("the journal has grown by what nobody tried: %s, then %s", head, now)
	}
	for login, was := range before {
		if now := s.accounts()[login]; now.state != was.state || len(now.groups) != len(was.groups) {
			t.Errorf("the account of %s changed from %+v to %+v", login, was, now)
		}
	}

	// Whoever may decide may look; the journal has their name.
	control("look = [\"root\"]\ndecide = [\"nobody\"]\n")
	s.want(0, "reload")
	if code, out := s.as(nobody, "status"); code != 0 {
		t.Errorf("status ended with %d for somebody who may decide: %s", code, out)
	}
	if code, out := s.as(nobody, "offboard", "p00004", "--reason", "left"); code != 0 {
		t.Errorf("offboard ended with %d for somebody who may: %s", code, out)
	}
	if out, _ := s.want(0, "audit", "--person", "p00004"); !strings.Contains(out, "by nobody") {
		t.Errorf("the journal does not say that it was nobody:\n%s", out)
	}

	control("look = [\"root\"]\n")
	s.want(0, "reload")
	for _, verb := range sortedKeys(accesses) {
		if code, out := s.as(nobody, verbs[verb]...); code != 1 || strings.Contains(out, "p00003") && accesses[verb] == looks {
			t.Errorf("%s ended with %d for somebody who may not look: %s", verb, code, out)
		}
	}
	s.want(0, "sync")
}

// head is the head of the journal.
func (s *supervised) head() string {
	s.t.Helper()
	out, _ := s.want(0, "audit", "--verify")
	return out
}
