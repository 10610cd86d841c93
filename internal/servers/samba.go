package servers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/localca"
)

// SambaConfig says what the Active Directory domain controller of Samba is to
// be. The zero value is the domain lab.example with SambaUsers. Two controllers
// from equal configurations are copies of one domain, with the same SID and the
// same invocation ID, unless one is Fresh; another Domain is another domain.
type SambaConfig struct {
	Domain  string      // DNS name, lower case; default lab.example
	Users   []SambaUser // nil: SambaUsers
	LDIF    []io.Reader // added offline before the start, in one transaction; kept for the day like the domain itself
	Fresh   bool        // not a copy, though the name is that of another: 6 s, where a copy takes 1
	Options []string    // more lines of smb.conf, section [global]
	TempDir string      // where Dir is made; default the system's
}

// Samba is a domain controller of its own on an address of its own. Its methods
// may be called from one goroutine at a time.
type Samba struct {
	Domain        string // lab.example
	Realm         string // LAB.EXAMPLE
	NetBIOS       string // LAB
	BaseDN        string // DC=lab,DC=example
	Host          string // dc1.lab.example; the certificate has it, no DNS does
	Addr          string // 127.x.y.z, in the certificate too
	AdminDN       string
	AdminPassword string
	CACert        string // path of the authority's certificate, PEM
	Krb5Conf      string // path of a krb5.conf that knows this controller alone
	Dir           string // everything it wrote; removed by Close

	cfg     SambaConfig
	name    string // dc1, or of a pair dc2
	proc    *process
	bin     string
	backups int
}

// SambaPassword is the password of the administrator and of the users.
const SambaPassword = "Passw0rd.1"

// sambaPorts are those that a controller listens on: LDAP, both catalogs,
// Kerberos and its password service.
var sambaPorts = []int{389, 636, 3268, 3269, 88, 464}

// NewSamba makes the folder, adds users and LDIF, starts the controller and
// returns when it answers. The caller must Close it. Only root can: the ports
// are below 1024.
func NewSamba(cfg SambaConfig) (*Samba, error) { return newSamba(cfg, "dc1", (*Samba).provisioned) }

// newSamba does that with data that come from somewhere.
func newSamba(cfg SambaConfig, name string, data func(*Samba) error) (*Samba, error) {
	if cfg.Domain == "" {
		cfg.Domain = "lab.example"
	}
	if cfg.Users == nil {
		cfg.Users = SambaUsers
	}
	first, _, _ := strings.Cut(cfg.Domain, ".")
	s := &Samba{Domain: cfg.Domain, Realm: strings.ToUpper(cfg.Domain), NetBIOS: strings.ToUpper(first), Host: name + "." + cfg.Domain,
		BaseDN: "DC=" + strings.ReplaceAll(cfg.Domain, ".", ",DC="), AdminPassword: SambaPassword, cfg: cfg, name: name}
	s.AdminDN = s.UserDN("Administrator")
	var err error
	if s.bin, err = Find("samba"); err != nil {
		return nil, err
	}
	if s.Dir, err = os.MkdirTemp(cfg.TempDir, "samba"); err != nil {
		return nil, fmt.Errorf("make a folder for Samba: %w", err)
	}
	err = s.prepare(data)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// StartSamba starts a controller for a test and stops it at the end; the log is
// shown if the test fails.
func StartSamba(t TB, cfg SambaConfig) *Samba {
	t.Helper()
	requireSamba(t)
	s, err := NewSamba(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.endsWith(t)
	return s
}

func requireSamba(t TB) {
	t.Helper()
	Require(t, "samba", "samba-tool", "ldbadd", "ldbmodify", "ldbsearch", "ldapsearch", "ldapmodify")
	if os.Getuid() != 0 {
		t.Fatal("a domain controller listens on ports below 1024: run this test as root")
	}
}

// endsWith stops the controller at the end of a test.
func (s *Samba) endsWith(t TB) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of Samba at %s:\n%s", s.URL(), s.Log())
		}
		if err := s.Close(); err != nil {
			t.Logf("close Samba: %v", err)
		}
	})
}

// URL returns the plain URL. StartTLS works on it; so do, unlike on Microsoft's,
// simple binds without TLS.
func (s *Samba) URL() string { return "ldap://" + s.Addr }

// TLSURL returns the URL of the TLS listener.
func (s *Samba) TLSURL() string { return "ldaps://" + s.Addr }

// CatalogURL returns the URL of the global catalog, TLS, where a part of the
// attributes of everybody in the forest is.
func (s *Samba) CatalogURL() string { return "ldaps://" + s.Addr + ":3269" }

// UserDN returns the DN of a user of this name in the container of users.
func (s *Samba) UserDN(name string) string { return "CN=" + name + ",CN=Users," + s.BaseDN }

// Pid returns the process ID, 0 when it is not running.
func (s *Samba) Pid() int { return s.proc.pid() }

// Log returns what Samba wrote.
func (s *Samba) Log() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Kill ends the controller at once (SIGKILL), as a crash would.
func (s *Samba) Kill() error { return s.proc.kill() }

// Stop ends the controller in good order.
func (s *Samba) Stop() error { return s.proc.stop() }

// Start starts a stopped or killed controller again on the same address.
func (s *Samba) Start() error {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open Samba's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(s.bin, "-i", "-s", s.conf(), "--model=single", "--debug-stdout")
	cmd.Stdout, cmd.Stderr = log, log
	if s.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start Samba: %w", err)
	}
	if err := s.proc.ready(s.Addr + ":389"); err != nil {
		return fmt.Errorf("start Samba: %w; it wrote: %s", errors.Join(err, s.proc.kill()), s.Log())
	}
	return nil
}

// Restart stops and starts the controller on the same address.
func (s *Samba) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start()
}

// Pause halts the controller (SIGSTOP): connections stay open, nothing answers.
func (s *Samba) Pause() error { return s.proc.pause() }

// Resume lets a paused controller go on.
func (s *Samba) Resume() error { return s.proc.resume() }

// Close ends the controller and removes its folder.
func (s *Samba) Close() error { return errors.Join(s.proc.kill(), os.RemoveAll(s.Dir)) }

func (s *Samba) data() string    { return filepath.Join(s.Dir, "tree", folders[s.name]) }
func (s *Samba) conf() string    { return filepath.Join(s.Dir, "smb.conf") }
func (s *Samba) sam() string     { return filepath.Join(s.data(), "private", "sam.ldb") }
func (s *Samba) logPath() string { return filepath.Join(s.Dir, "samba.log") }

func (s *Samba) prepare(data func(*Samba) error) error {
	var err error
	if s.Addr, err = freeAddress(sambaPorts...); err != nil {
		return err
	}
	if err := data(s); err != nil {
		return err
	}
	return s.files()
}

// files writes what depends on address and folder, for this copy alone.
func (s *Samba) files() error {
	pair, err := localca.Issue(time.Now(), s.Addr, s.Host)
	if err != nil {
		return err
	}
	s.CACert, s.Krb5Conf = filepath.Join(s.Dir, "ca.crt"), filepath.Join(s.Dir, "krb5.conf")
	for path, content := range map[string][]byte{
		s.CACert: pair.CA, filepath.Join(s.Dir, "srv.crt"): pair.Cert, filepath.Join(s.Dir, "srv.key"): pair.Key,
		s.conf(): []byte(s.smbConf(s.Dir, s.data())), s.Krb5Conf: []byte(s.krb5Conf()), s.password(): []byte(s.AdminPassword),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("write a file for Samba: %w", err)
		}
	}
	for _, d := range []string{"run", "ncalrpc", "ntp"} {
		if err := os.Mkdir(filepath.Join(s.Dir, d), 0o755); err != nil {
			return fmt.Errorf("make a folder for Samba: %w", err)
		}
	}
	return nil
}

func (s *Samba) password() string { return filepath.Join(s.Dir, "password") }
