package servers

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/localca"
)

const (
	dirsrvData   = "/usr/share/dirsrv/data"
	dirsrvConfig = "/etc/dirsrv"
)

// prepare does what dscreate does, without systemd, without listening anywhere
// but on loopback, and without ten seconds.
func (s *Dirsrv) prepare() error {
	for _, dir := range []string{"config", "config/schema", "db", "lock", "tmp", "ldif", "bak", "run", "inst", "log"} {
		if err := os.Mkdir(s.path(dir), 0o700); err != nil {
			return fmt.Errorf("make a folder for 389 Directory Server: %w", err)
		}
	}
	for from, to := range map[string]string{"config/certmap.conf": "config/certmap.conf", "config/slapd-collations.conf": "config/slapd-collations.conf", "schema/99user.ldif": "config/schema/99user.ldif"} {
		text, err := os.ReadFile(filepath.Join(dirsrvConfig, from))
		if err != nil {
			return fmt.Errorf("read what 389 Directory Server brings along: %w", err)
		}
		if err := os.WriteFile(s.path(to), text, 0o600); err != nil {
			return fmt.Errorf("write a file for 389 Directory Server: %w", err)
		}
	}
	s.password = s.path("password")
	if err := os.WriteFile(s.password, []byte(s.AdminPassword), 0o600); err != nil {
		return fmt.Errorf("write a file for 389 Directory Server: %w", err)
	}
	var err error
	if s.port, s.tlsPort, err = freePorts(); err != nil {
		return err
	}
	if err := s.certificate(); err != nil {
		return err
	}
	if err := s.dse(); err != nil {
		return err
	}
	l := load{suffix: s.Suffix, users: s.cfg.Users, ldif: s.cfg.LDIF, files: s.cfg.LDIFFiles}
	if err := l.write(s.path("load.ldif")); err != nil {
		return err
	}
	return run("ns-slapd", "ldif2db", "-D", s.path("config"), "-n", "userroot", "-i", s.path("load.ldif"))
}

// certificate puts the pair into a database of NSS, whose password is empty.
func (s *Dirsrv) certificate() error {
	pair, err := localca.Issue(time.Now())
	if err != nil {
		return err
	}
	s.CACert = s.path("ca.crt")
	for path, content := range map[string][]byte{s.CACert: pair.CA, s.path("srv.crt"): pair.Cert, s.path("srv.key"): pair.Key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("write a file for 389 Directory Server: %w", err)
		}
	}
	store := "sql:" + s.path("config")
	return errors.Join(
		run("openssl", "pkcs12", "-export", "-in", s.path("srv.crt"), "-inkey", s.path("srv.key"), "-name", "Server-Cert", "-out", s.path("srv.p12"), "-passout", "pass:"),
		run("certutil", "-N", "-d", store, "--empty-password"),
		run("certutil", "-A", "-d", store, "-n", "CA", "-t", "CT,,", "-a", "-i", s.CACert),
		run("pk12util", "-i", s.path("srv.p12"), "-d", store, "-W", "", "-K", ""))
}

// dse writes the configuration from the template that dscreate fills.
func (s *Dirsrv) dse() error {
	text, err := os.ReadFile(filepath.Join(dirsrvData, "template-dse.ldif"))
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	suffix, err := os.ReadFile(filepath.Join(dirsrvData, "template-suffix-db.ldif"))
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	me, err := user.Current()
	if err != nil {
		return fmt.Errorf("tell who runs the server: %w", err)
	}
	dse := strings.NewReplacer("%schema_dir%", s.path("config/schema"), "%lock_dir%", s.path("lock"), "%tmp_dir%", s.path("tmp"), "%cert_dir%", s.path("config"),
		"%ldif_dir%", s.path("ldif"), "%bak_dir%", s.path("bak"), "%run_dir%", s.path("run"), "%inst_dir%", s.path("inst"), "%log_dir%", s.path("log"),
		"%fqdn%", "localhost", "%ds_port%", fmt.Sprint(s.port), "%ds_user%", me.Username, "%rootdn%", s.AdminDN, "%ds_passwd%", ssha(s.AdminPassword),
		"%ldapi_enabled%", "off", "%ldapi%", s.path("ldapi"), "%ldapi_autobind%", "off", "%ds_suffix%", s.Suffix, "%config_dir%", s.path("config"),
		"%db_dir%", s.path("db"), "%db_home_dir%", s.path("db"), "%db_lib%", "bdb", "%ds_bename%", "userroot",
	).Replace(tidy(string(text) + "\n" + string(suffix)))
	if left := regexp.MustCompile(`%[a-z_]+%`).FindString(dse); left != "" {
		return fmt.Errorf("fill the template: nothing is known of %s", left)
	}
	if dse, err = after(dse, "cn=config", fmt.Sprintf("nsslapd-listenhost: 127.0.0.1\nnsslapd-securelistenhost: 127.0.0.1\nnsslapd-security: on\nnsslapd-accesslog-logbuffering: off\nnsslapd-defaultnamingcontext: %s\nnsslapd-securePort: %d\n", s.Suffix, s.tlsPort)); err != nil {
		return err
	}
	// Else it takes a part of the machine's memory at each start and at each import,
	// and writes all of that with zeros first: six seconds.
	if dse, err = after(dse, "cn=config,cn=ldbm database,cn=plugins,cn=config", "nsslapd-import-cache-autosize: 0\nnsslapd-import-cachesize: 16777216\n"+
		"nsslapd-cache-autosize: 0\nnsslapd-dbcachesize: 33554432\n"); err != nil {
		return err
	}
	for _, p := range s.cfg.Plugins {
		more := ""
		if p == RetroChangelog {
			more = "nsslapd-attribute: nsuniqueid:targetUniqueId\n"
		}
		if dse, err = enable(dse, p, more); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.path("config", "dse.ldif"), []byte(dse), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

var (
	comment = regexp.MustCompile(`(?m)^#.*\n`)
	gap     = regexp.MustCompile(`\n{3,}`)
)

// tidy takes away what the server's own reader does not take in every place.
func tidy(dse string) string {
	return gap.ReplaceAllString(comment.ReplaceAllString(dse, ""), "\n\n")
}

// ssha hashes a password: in its configuration the server takes no clear one.
func ssha(password string) string {
	salt := []byte("rosterd!")
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}

// after puts lines behind the name of an entry.
func after(dse, dn, lines string) (string, error) {
	head := "dn: " + dn + "\n"
	if strings.Count(dse, head) != 1 {
		return "", fmt.Errorf("edit the configuration: %q is there %d times", dn, strings.Count(dse, head))
	}
	return strings.Replace(dse, head, head+lines, 1), nil
}

func enable(dse string, p DirsrvPlugin, more string) (string, error) {
	before, rest, found := strings.Cut(dse, fmt.Sprintf("dn: cn=%s,cn=plugins,cn=config\n", p))
	entry, behind, _ := strings.Cut(rest, "\n\n")
	on := strings.Replace(entry, "nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on", 1)
	if !found || on == entry {
		return "", fmt.Errorf("turn %s on: it is not in the template, or is on", p)
	}
	return before + fmt.Sprintf("dn: cn=%s,cn=plugins,cn=config\n%s%s\n\n", p, more, on) + behind, nil
}

// open gives the rights that no template has.
func (s *Dirsrv) open() error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: aci\n", s.Suffix)
	for _, a := range s.cfg.ACI {
		fmt.Fprintf(&b, "aci: %s\n", a)
	}
	// The schema does not know targetUniqueId, so no rule can name it.
	if s.has(RetroChangelog) {
		fmt.Fprintf(&b, "\ndn: cn=changelog\nchangetype: modify\nadd: aci\naci: (targetattr != \"changes\")(version 3.0; acl \"what changed, not to what\"; "+
			"allow (read, search, compare) userdn = \"ldap:///cn=sync,%s\";)\n", s.Suffix)
	}
	for _, u := range s.cfg.Users {
		if strings.HasPrefix(u.DN, "cn=limited,") {
			fmt.Fprintf(&b, "\ndn: %s\nchangetype: modify\nadd: nsSizeLimit\nnsSizeLimit: 500\n", u.DN)
		} else {
			fmt.Fprintf(&b, "\ndn: %s\nchangetype: modify\nadd: nsSizeLimit\nnsSizeLimit: -1\n-\nadd: nsLookThroughLimit\nnsLookThroughLimit: -1\n-\nadd: nsTimeLimit\nnsTimeLimit: -1\n", u.DN)
		}
	}
	return s.Modify(b.String())
}
