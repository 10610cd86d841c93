package servers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// DirsrvPlugin is a plugin of 389 Directory Server by its name there.
type DirsrvPlugin string

const (
	// RetroChangelog keeps cn=changelog, with the nsUniqueId of what was changed.
	RetroChangelog DirsrvPlugin = "Retro Changelog Plugin"
	// ContentSync is RFC 4533; it needs RetroChangelog.
	ContentSync DirsrvPlugin = "Content Synchronization"
	// MemberOf writes memberOf, also for members of members.
	MemberOf DirsrvPlugin = "MemberOf Plugin"
	// ReferentialIntegrity takes whoever is deleted or renamed out of the groups.
	ReferentialIntegrity DirsrvPlugin = "referential integrity postoperation"
	// EntryUSN numbers changes, and keeps what was deleted as a tombstone.
	EntryUSN DirsrvPlugin = "USN"
)

// DirsrvConfig says what the 389 Directory Server is to be. The zero value is a
// server with an empty suffix entry, dc=lab,dc=example, and the users cn=sync
// (no limits) and cn=limited (500 entries), whose passwords are their names.
// Everybody who is bound reads everything but passwords; nobody else reads.
type DirsrvConfig struct {
	Suffix    string         // default dc=lab,dc=example
	Plugins   []DirsrvPlugin // those that are on
	Users     []User         // nil: sync and limited; their Limits and Access say nothing here
	ACI       []string       // of the suffix entry; nil: DirsrvACI
	LDIF      []io.Reader    // loaded before the start, in this order
	LDIFFiles []string       // the same by path, after LDIF
	TempDir   string         // where Dir is made; default the system's
}

// DirsrvACI lets everybody who is bound read what they are, and what the server
// notes of them, but no password.
var DirsrvACI = []string{`(targetattr != "userPassword")(version 3.0; acl "read"; allow (read, search, compare) userdn = "ldap:///all";)`}

// Dirsrv is a 389 Directory Server of its own on loopback. Its methods may be
// called from one goroutine at a time.
type Dirsrv struct {
	Suffix        string
	AdminDN       string // cn=Directory Manager
	AdminPassword string
	CACert        string // path of the authority's certificate, PEM
	Dir           string // everything it wrote; removed by Close

	cfg      DirsrvConfig
	port     int
	tlsPort  int
	proc     *process
	bin      string
	password string // file with AdminPassword, kept off the process list
	backups  int
}

// NewDirsrv makes the folder, loads the LDIF, starts the server and returns when
// it answers. The caller must Close it.
func NewDirsrv(cfg DirsrvConfig) (*Dirsrv, error) {
	if cfg.Suffix == "" {
		cfg.Suffix = "dc=lab,dc=example"
	}
	if cfg.Users == nil {
		cfg.Users = []User{{DN: "cn=sync," + cfg.Suffix, Password: "sync"}, {DN: "cn=limited," + cfg.Suffix, Password: "limited"}}
	}
	if cfg.ACI == nil {
		cfg.ACI = DirsrvACI
	}
	if slices.Contains(cfg.Plugins, ContentSync) && !slices.Contains(cfg.Plugins, RetroChangelog) {
		cfg.Plugins = append(slices.Clone(cfg.Plugins), RetroChangelog)
	}
	s := &Dirsrv{Suffix: cfg.Suffix, AdminDN: "cn=Directory Manager", AdminPassword: "secret", cfg: cfg}
	var err error
	if s.bin, err = Find("ns-slapd"); err != nil {
		return nil, err
	}
	if s.Dir, err = os.MkdirTemp(cfg.TempDir, "dirsrv"); err != nil {
		return nil, fmt.Errorf("make a folder for 389 Directory Server: %w", err)
	}
	err = s.prepare()
	if err == nil {
		err = s.Start()
	}
	if err == nil {
		err = s.open()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// StartDirsrv starts a server for a test and stops it at the end; the log is
// shown if the test fails.
func StartDirsrv(t TB, cfg DirsrvConfig) *Dirsrv {
	t.Helper()
	Require(t, "ns-slapd", "certutil", "pk12util", "openssl", "ldapsearch", "ldapmodify")
	s, err := NewDirsrv(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of 389 Directory Server at %s:\n%s", s.URL(), s.Log())
		}
		if err := s.Close(); err != nil {
			t.Logf("close 389 Directory Server: %v", err)
		}
	})
	return s
}

// URL returns the plain URL, ldap://127.0.0.1:PORT. StartTLS works on it.
func (s *Dirsrv) URL() string { return fmt.Sprintf("ldap://127.0.0.1:%d", s.port) }

// TLSURL returns the URL of the TLS listener, ldaps://127.0.0.1:PORT.
func (s *Dirsrv) TLSURL() string { return fmt.Sprintf("ldaps://127.0.0.1:%d", s.tlsPort) }

// Pid returns the process ID, 0 when it is not running.
func (s *Dirsrv) Pid() int { return s.proc.pid() }

// Log returns what the server wrote.
func (s *Dirsrv) Log() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// AccessLog returns the line of each request that the server answered.
func (s *Dirsrv) AccessLog() string {
	b, err := os.ReadFile(s.path("log", "access"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Kill ends the server at once (SIGKILL), as a crash would.
func (s *Dirsrv) Kill() error { return s.proc.kill() }

// Stop ends the server in good order.
func (s *Dirsrv) Stop() error { return s.proc.stop() }

// Start starts a stopped or killed server again on the same ports.
func (s *Dirsrv) Start() error {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of 389 Directory Server: %w", err)
	}
	defer log.Close()
	// The pid file that a killed server left behind would stop the next one.
	os.Remove(s.path("pid")) //nolint:errcheck // most often it is not there
	cmd := exec.Command(s.bin, "-D", s.path("config"), "-i", s.path("pid"), "-d", "0")
	cmd.Stdout, cmd.Stderr = log, log
	if s.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start 389 Directory Server: %w", err)
	}
	if err := s.proc.ready(fmt.Sprintf("127.0.0.1:%d", s.port)); err != nil {
		return fmt.Errorf("start 389 Directory Server: %w; it wrote: %s", errors.Join(err, s.proc.kill()), s.Log())
	}
	return nil
}

// Restart stops and starts the server on the same ports.
func (s *Dirsrv) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start()
}

// Pause halts the server (SIGSTOP): connections stay open, nothing answers.
func (s *Dirsrv) Pause() error { return s.proc.pause() }

// Resume lets a paused server go on.
func (s *Dirsrv) Resume() error { return s.proc.resume() }

// Close ends the server and removes its folder.
func (s *Dirsrv) Close() error { return errors.Join(s.proc.kill(), os.RemoveAll(s.Dir)) }

func (s *Dirsrv) path(parts ...string) string {
	return filepath.Join(append([]string{s.Dir}, parts...)...)
}

func (s *Dirsrv) logPath() string { return s.path("dirsrv.log") }
