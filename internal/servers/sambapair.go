package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// folders are where the data of each controller lie in a template.
var folders = map[string]string{"dc1": "dc", "dc2": "dc2"}

// pairServices are those by which one controller gets what another has. Nothing is
// got before somebody says so: see Pull.
const pairServices = "server services = rpc, ldap, cldap, kdc"

// StartSambaPair starts two controllers of one domain that have all in common so
// far. Each of them takes writes; what was written to the other comes by Pull.
func StartSambaPair(t TB, cfg SambaConfig) (one, two *Samba) {
	t.Helper()
	requireSamba(t)
	cfg.Options = append([]string{pairServices}, cfg.Options...)
	for _, c := range []struct {
		name string
		of   **Samba
	}{{"dc1", &one}, {"dc2", &two}} {
		s, err := newSamba(cfg, c.name, (*Samba).paired)
		if err != nil {
			t.Fatal(err)
		}
		s.endsWith(t)
		*c.of = s
	}
	return one, two
}

// Pull gets everything that another controller of the domain has and this one lacks.
func (s *Samba) Pull(from *Samba) error {
	return run("samba-tool", "drs", "replicate", s.Host, from.Addr, s.BaseDN, "--local", "--configfile="+s.conf(),
		"--use-kerberos=off", "--username="+s.NetBIOS+`\Administrator`, "--password="+s.AdminPassword)
}

// paired puts both controllers of a pair where the data are, and one of them is used:
// a pair that was made today, since it takes half a minute to make one.
func (s *Samba) paired() error {
	return template("samba-pair", append(s.origin(), "1"), s.join, filepath.Join(s.Dir, "tree"))
}

// join makes a pair in a folder: a controller as it always is, and one that joins
// its domain.
func (s *Samba) join(in string) (err error) {
	first, err := NewSamba(SambaConfig{Domain: s.Domain, Users: s.cfg.Users, Options: []string{pairServices}, TempDir: s.Dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, first.Close()) }()
	conf := filepath.Join(in, "join.conf")
	text := fmt.Sprintf("[global]\nnetbios name = DC2\nworkgroup = %s\nrealm = %s\ninterfaces = %s/8\nbind interfaces only = yes\nldb:nosync = true\nlog file = %s\n",
		s.NetBIOS, s.Realm, s.Addr, filepath.Join(in, "join.log"))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write smb.conf: %w", err)
	}
	second := filepath.Join(in, folders["dc2"])
	if err := run("samba-tool", "domain", "join", s.Domain, "DC", "--server="+first.Addr, "--targetdir="+second, "--configfile="+conf, "--dns-backend=NONE",
		"--use-kerberos=off", "--username="+s.NetBIOS+`\Administrator`, "--password="+s.AdminPassword); err != nil {
		return err
	}
	if err := first.Stop(); err != nil {
		return err
	}
	return copyTree(first.data(), filepath.Join(in, folders["dc1"]))
}
