package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/rosterd/rosterd/internal/company"
)

const (
	passwordPeople = 12
	passwordKills  = 5
)

// handed is a password as the program that hands it over got it.
type handed struct {
	Account, Login, Mail, Password string
}

// Law 12 and law 7 with the program as people run it: killed at random instants while
// it sets passwords, each person's last letter is the one that works, and no text of
// any is in what is kept, printed, or seen of the processes.
func TestLaw12PasswordsOfAProgramThatIsKilled(t *testing.T) {
	seed := uint64(fromEnv(t, "ROSTERD_SEED", int(time.Now().UnixNano()&0xffffffff)))
	t.Logf("to repeat it: ROSTERD_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	s := newSite(t, company.Company{People: passwordPeople, Groups: 2, Big: 4}, guardOff+`
[target.intranet.initial_password]
generate = true
command  = ["@FOLDER@/hand-over"]
`)
	s.binary = rosterdBinary(t)
	letters := filepath.Join(s.folder, "letters")
	program := "#!/bin/sh\nletter=$(cat)\nsleep 0.03\nprintf '%s\\n' \"$letter\" >> " + letters + "\necho \"$letter\"\necho \"$letter\" >&2\n"
	if err := os.WriteFile(filepath.Join(s.folder, "hand-over"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	watched := watchProcesses(t)
	var printed strings.Builder
	for range passwordKills {
		cmd := exec.Command(s.binary, "-c", s.config, "sync", "-v")
		cmd.Stdout, cmd.Stderr = &printed, &printed
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Most of the time goes before the first password; the kill comes behind it.
		for before, end := len(read(t, letters)), time.Now().Add(20*time.Second); time.Now().Before(end) && len(read(t, letters)) == before && atWork(cmd); {
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		_ = cmd.Process.Kill()
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	for range 5 {
		code, stdout, stderr := s.rosterd("sync", "--full", "-v")
		printed.WriteString(stdout + stderr)
		if code == 0 {
			break
		}
	}
	before := read(t, letters)
	s.quiet()
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"audit"}, {"audit", "--json"}, {"plan", "--full", "--json"}, {"explain", s.company.Login(1), "--json"}} {
		stdout, stderr := s.want(0, args...)
		printed.WriteString(stdout + stderr)
	}
	all := read(t, letters)
	if len(all) != len(before) {
		t.Errorf("%d letters became %d, though everybody had one", len(before), len(all))
	}
	t.Logf("%d letters for %d people", len(all), passwordPeople)
	processes := watched()
	last := map[string]string{}
	for _, l := range all {
		if was := last[l.Account]; was != "" && s.in(l.Account, was) {
			t.Errorf("an earlier letter of %s works", l.Account)
		}
		last[l.Account] = l.Password
		if strings.Contains(printed.String(), l.Password) || strings.Contains(processes, l.Password) {
			t.Errorf("the password of %s is shown", l.Account)
		}
		nowhere(t, filepath.Join(s.folder, "state"), l.Password)
	}
	if got := len(slices.Collect(maps.Keys(last))); got != passwordPeople {
		t.Errorf("%d people have a letter, want %d", got, passwordPeople)
	}
	for account, text := range last {
		if !s.in(account, text) {
			t.Errorf("the last letter of %s does not work", account)
		}
		if s.in(account, text+"x") {
			t.Errorf("any password lets %s in", account)
		}
	}
}

func atWork(cmd *exec.Cmd) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// in says whether a password lets somebody in, by the server's own word.
func (s *site) in(login, text string) bool {
	s.t.Helper()
	c, err := ldap.DialURL(s.apps.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	err = c.Bind("uid="+login+",ou=accounts,"+appsSuffix, text)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		s.t.Fatal(err)
	}
	return err == nil
}

// read are the letters so far.
func read(t *testing.T, path string) (out []handed) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l handed
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.Password == "" || l.Mail == "" {
			t.Fatalf("%v: letter %s", err, lines.Text())
		}
		out = append(out, l)
	}
	return out
}

// nowhere looks for a text in every file below a folder.
func nowhere(t *testing.T, folder, text string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if found++; strings.Contains(string(b), text) {
			t.Errorf("a password stands in %s", filepath.Base(path))
		}
		return err
	})
	if err != nil || found == 0 {
		t.Fatalf("%v: %d files", err, found)
	}
}

// watchProcesses looks at what all processes of the machine say of themselves, until
// the function that it returns is called.
func watchProcesses(t *testing.T) func() string {
	t.Helper()
	stop, seen := make(chan struct{}), make(chan map[string]bool)
	go func() {
		all := map[string]bool{}
		for {
			for _, name := range []string{"cmdline", "environ"} {
				files, _ := filepath.Glob("/proc/[0-9]*/" + name)
				for _, f := range files {
					if b, err := os.ReadFile(f); err == nil && len(b) > 0 {
						all[string(b)] = true
					}
				}
			}
			select {
			case <-stop:
				seen <- all
				return
			case <-time.After(25 * time.Millisecond):
			}
		}
	}()
	return func() string {
		close(stop)
		return strings.Join(slices.Collect(maps.Keys(<-seen)), "\n")
	}
}
