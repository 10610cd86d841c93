package servers

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/localca"
)

// SlapdConfig says what the OpenLDAP server is to be. The zero value is a
// server with an empty suffix entry, dc=lab,dc=example, and two users to bind
// as: cn=sync (unlimited) and cn=limited (500 entries, pages included), whose
// passwords are their names.
type SlapdConfig struct {
	Suffix        string      // default dc=lab,dc=example
	AdminPassword string      // of cn=admin,SUFFIX and cn=config; default "secret"
	Users         []User      // nil: sync and limited
	Access        []string    // access clauses that begin with `to`; nil: DefaultAccess
	Sync          SlapdSync   // whether and how it is a provider of changes; not beside an overlay syncprov
	SessionLog    int         // changes that SyncSessionLog remembers; default 10,000
	ServerID      int         // in the CSNs of its changes; default 1
	Replica       bool        // starts empty: FollowChanges fills it
	Overlays      []string    // by name: syncprov, memberof, refint, ppolicy, sssvlv…
	Global        []string    // more lines before the databases
	Database      []string    // more lines in the main database
	Overlay       []string    // more lines after the last overlay
	SizeLimit     int         // global `sizelimit`; 0: slapd's own 500
	LDIF          []io.Reader // loaded by slapadd before the start, in this order
	LDIFFiles     []string    // the same by path, after LDIF
	Durable       bool        // fsync each commit; false is five times faster
	Debug         string      // -d of slapd: "stats" logs every operation; default "0"
	TempDir       string      // where Dir is made; default the system's
}

// Slapd is a server of its own on loopback. Its methods may be called from one
// goroutine at a time.
type Slapd struct {
	Suffix        string
	AdminDN       string
	AdminPassword string
	CACert        string // path of the authority's certificate, PEM
	Dir           string // everything it wrote; removed by Close

	cfg      SlapdConfig
	port     int
	tlsPort  int
	proc     *process
	bin      string
	password string // file with AdminPassword, kept off the process list
	backups  int
}

// NewSlapd makes the folder, loads the LDIF, starts the server and returns
// when it answers. The caller must Close it.
func NewSlapd(cfg SlapdConfig) (*Slapd, error) {
	if cfg.Suffix == "" {
		cfg.Suffix = "dc=lab,dc=example"
	}
	if cfg.AdminPassword == "" {
		cfg.AdminPassword = "secret"
	}
	if cfg.Debug == "" {
		cfg.Debug = "0"
	}
	if cfg.SessionLog == 0 {
		cfg.SessionLog = 10000
	}
	if cfg.ServerID == 0 {
		cfg.ServerID = 1
	}
	if cfg.Users == nil {
		cfg.Users = []User{
			{DN: "cn=sync," + cfg.Suffix, Password: "sync", Limits: "size=unlimited time=unlimited"},
			{DN: "cn=limited," + cfg.Suffix, Password: "limited", Limits: "size.soft=500 size.hard=500 size.prtotal=500"},
		}
	}
	s := &Slapd{Suffix: cfg.Suffix, AdminDN: "cn=admin," + cfg.Suffix, AdminPassword: cfg.AdminPassword, cfg: cfg}
	var err error
	if s.bin, err = Find("slapd"); err != nil {
		return nil, err
	}
	// Short, since a socket's path has at most 107 octets.
	if s.Dir, err = os.MkdirTemp(cfg.TempDir, "slapd"); err != nil {
		return nil, fmt.Errorf("make a folder for slapd: %w", err)
	}
	err = s.prepare()
	if err == nil {
		err = s.startOnFreePorts()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// StartSlapd starts a server for a test and stops it at the end; the log is
// shown if the test fails.
func StartSlapd(t TB, cfg SlapdConfig) *Slapd {
	t.Helper()
	Require(t, "slapd", "slapadd", "slaptest", "ldapsearch", "ldapmodify")
	s, err := NewSlapd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of slapd at %s:\n%s", s.URL(), s.Log())
		}
		if err := s.Close(); err != nil {
			t.Logf("close slapd: %v", err)
		}
	})
	return s
}

// URL returns the plain URL, ldap://127.0.0.1:PORT. StartTLS works on it.
func (s *Slapd) URL() string { return fmt.Sprintf("ldap://127.0.0.1:%d", s.port) }

// TLSURL returns the URL of the TLS listener, ldaps://127.0.0.1:PORT.
func (s *Slapd) TLSURL() string { return fmt.Sprintf("ldaps://127.0.0.1:%d", s.tlsPort) }

// LDAPIURL returns the URL of the UNIX socket, where SASL EXTERNAL tells the
// user ID of the caller.
func (s *Slapd) LDAPIURL() string { return "ldapi://" + url.PathEscape(s.socket()) }

func (s *Slapd) socket() string { return filepath.Join(s.Dir, "ldapi") }

// PeerDN returns the name that SASL EXTERNAL gives this process on the socket.
func (s *Slapd) PeerDN() string {
	return fmt.Sprintf("gidNumber=%d+uidNumber=%d,cn=peercred,cn=external,cn=auth", os.Getgid(), os.Getuid())
}

// Pid returns the process ID, 0 when it is not running.
func (s *Slapd) Pid() int { return s.proc.pid() }

// Log returns what slapd wrote.
func (s *Slapd) Log() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Kill ends the server at once (SIGKILL), as a crash would.
func (s *Slapd) Kill() error { return s.proc.kill() }

// Stop ends the server in good order.
func (s *Slapd) Stop() error { return s.proc.stop() }

// Start starts a stopped or killed server again on the same ports.
func (s *Slapd) Start() error { return s.start() }

// Restart stops and starts the server on the same ports.
func (s *Slapd) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.start()
}

// Pause halts the server (SIGSTOP): connections stay open, nothing answers.
func (s *Slapd) Pause() error { return s.proc.pause() }

// Resume lets a paused server go on.
func (s *Slapd) Resume() error { return s.proc.resume() }

// Close ends the server and removes its folder.
func (s *Slapd) Close() error { return errors.Join(s.proc.kill(), os.RemoveAll(s.Dir)) }

func (s *Slapd) logPath() string { return filepath.Join(s.Dir, "slapd.log") }

func (s *Slapd) prepare() error {
	pair, err := localca.Issue(time.Now())
	if err != nil {
		return err
	}
	s.CACert = filepath.Join(s.Dir, "ca.crt")
	s.password = filepath.Join(s.Dir, "password")
	for path, content := range map[string][]byte{
		s.CACert: pair.CA, filepath.Join(s.Dir, "srv.crt"): pair.Cert, filepath.Join(s.Dir, "srv.key"): pair.Key,
		s.password: []byte(s.AdminPassword),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("write a file for slapd: %w", err)
		}
	}
	for _, d := range append(s.databases(), filepath.Join(s.Dir, "slapd.d")) {
		if err := os.Mkdir(d, 0o700); err != nil {
			return fmt.Errorf("make a folder for slapd: %w", err)
		}
	}
	conf, err := s.conf()
	if err != nil {
		return err
	}
	if !s.cfg.Replica {
		if err := s.load(conf); err != nil {
			return err
		}
	}
	// Converted only now: slaptest opens the databases, which slapadd made.
	// Without -u, since -u converts nothing. A log, and all of a replica, are made
	// at the first start and missed until then: the result must be sound.
	slapdD := filepath.Join(s.Dir, "slapd.d")
	err = run("slaptest", "-f", conf, "-F", slapdD)
	if err != nil && (s.cfg.Replica || s.cfg.Sync == SyncAccessLog) {
		return run("slaptest", "-u", "-F", slapdD)
	}
	return err
}

// load hands the base entry, the LDIF and the users to slapadd in one file.
func (s *Slapd) load(conf string) error {
	path := filepath.Join(s.Dir, "load.ldif")
	l := load{suffix: s.Suffix, users: s.cfg.Users, ldif: s.cfg.LDIF, files: s.cfg.LDIFFiles}
	if err := l.write(path); err != nil {
		return err
	}
	args := []string{"-w", "-S", fmt.Sprint(s.cfg.ServerID), "-f", conf, "-b", s.Suffix, "-l", path}
	err := run("slapadd", append([]string{"-q"}, args...)...)
	// Of some texts it aborts, always, with -q and -w together (2.5.13: "double free
	// or corruption").
	if tool := (*ToolError)(nil); errors.As(err, &tool) && tool.Code < 0 {
		if err := s.empty(); err != nil {
			return err
		}
		return run("slapadd", args...)
	}
	return err
}

func (s *Slapd) startOnFreePorts() error {
	var err error
	for range 5 {
		if s.port, s.tlsPort, err = freePorts(); err != nil {
			return err
		}
		// Another process may take a port before slapd does.
		if err = s.start(); err == nil {
			return nil
		}
	}
	return err
}

func (s *Slapd) start() error {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open slapd's log: %w", err)
	}
	defer log.Close()
	os.Remove(s.socket()) //nolint:errcheck // a killed server leaves it behind, a new one has none
	listen := strings.Join([]string{s.URL() + "/", s.TLSURL() + "/", s.LDAPIURL()}, " ")
	cmd := exec.Command(s.bin, "-F", filepath.Join(s.Dir, "slapd.d"), "-h", listen, "-d", s.cfg.Debug)
	cmd.Stdout, cmd.Stderr = log, log
	if s.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start slapd: %w", err)
	}
	if err := s.proc.ready(fmt.Sprintf("127.0.0.1:%d", s.port)); err != nil {
		return fmt.Errorf("start slapd: %w; it wrote: %s", errors.Join(err, s.proc.kill()), s.Log())
	}
	return nil
}
