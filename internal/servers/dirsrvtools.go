package servers

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/rosterd/rosterd/internal/ldif"
)

func (s *Dirsrv) client() client {
	return client{url: s.TLSURL(), ca: s.CACert, dn: s.AdminDN, passwordFile: s.password}
}

func (s *Dirsrv) has(p DirsrvPlugin) bool { return slices.Contains(s.cfg.Plugins, p) }

// Modify runs ldapmodify as the administrator, on the configuration too
// (cn=config), with LDIF change records; a record without changetype is added.
// The error is a *ToolError with the result code.
func (s *Dirsrv) Modify(changes string) error { return s.client().modify(changes) }

// Search runs ldapsearch as the administrator, without paging. The scope is
// base, one or sub.
func (s *Dirsrv) Search(base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	return s.SearchAs(s.AdminDN, s.AdminPassword, base, scope, filter, attrs...)
}

// SearchAs runs ldapsearch as somebody else; an empty DN is anonymous. What was
// read before an error is returned with it.
func (s *Dirsrv) SearchAs(dn, password, base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	return s.client().searchAs(dn, password, base, scope, filter, attrs...)
}

// SetACI replaces the rights on an entry and what is below.
func (s *Dirsrv) SetACI(dn string, aci ...string) error {
	changes := fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: aci\n", dn)
	for _, a := range aci {
		changes += "aci: " + a + "\n"
	}
	return s.Modify(changes)
}

// Changes returns the numbers of the first and the last change in cn=changelog,
// as the rootDSE has them.
func (s *Dirsrv) Changes() (first, last int, err error) {
	found, err := s.Search("", "base", "(objectClass=*)", "firstchangenumber", "lastchangenumber")
	if err != nil {
		return 0, 0, err
	}
	for name, n := range map[string]*int{"firstchangenumber": &first, "lastchangenumber": &last} {
		if len(found) != 1 || len(found[0].Get(name)) != 1 {
			return 0, 0, fmt.Errorf("read %s: the rootDSE says %v", name, found)
		}
		if *n, err = strconv.Atoi(found[0].Get(name)[0]); err != nil {
			return 0, 0, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return first, last, nil
}

// TrimChangelog forgets every change but the last, as the server does by itself
// with those that are older than nsslapd-changelogmaxage.
func (s *Dirsrv) TrimChangelog() error {
	const plugin = "dn: cn=" + string(RetroChangelog) + ",cn=plugins,cn=config\nchangetype: modify\n"
	if err := s.Modify(plugin + "replace: nsslapd-changelogmaxage\nnsslapd-changelogmaxage: 1s\n-\nreplace: nsslapd-changelog-trim-interval\nnsslapd-changelog-trim-interval: 1\n"); err != nil {
		return err
	}
	if err := s.Restart(); err != nil {
		return err
	}
	deadline := time.Now().Add(readyWithin)
	for {
		first, last, err := s.Changes()
		if err != nil {
			return err
		}
		if first == last {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("trim the changelog: it still goes from %d to %d", first, last)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := s.Modify(plugin + "delete: nsslapd-changelogmaxage\n-\ndelete: nsslapd-changelog-trim-interval\n"); err != nil {
		return err
	}
	return s.Restart()
}

// Backup copies the data as they are now, the changelog with them, and returns a
// name for Restore. The server is down meanwhile.
func (s *Dirsrv) Backup() (string, error) {
	s.backups++
	to := s.path(fmt.Sprintf("backup%d", s.backups))
	return to, whileStopped(s, func() error { return copyTree(s.path("db"), to) })
}

// Restore puts the data of a Backup in the place of the present ones.
func (s *Dirsrv) Restore(backup string) error {
	return whileStopped(s, func() error { return replaceTree(backup, s.path("db")) })
}

// Rebuild loads the present content into an empty database and an empty
// changelog, as somebody does who moves a server by LDIF: with new nsUniqueIds.
func (s *Dirsrv) Rebuild() error {
	out := s.path("rebuild.ldif")
	return whileStopped(s, func() error {
		os.Remove(out) //nolint:errcheck // there is none the first time
		if err := run("ns-slapd", "db2ldif", "-D", s.path("config"), "-n", "userroot", "-u", "-a", out); err != nil {
			return err
		}
		if err := os.RemoveAll(s.path("db")); err != nil {
			return fmt.Errorf("empty the database: %w", err)
		}
		if err := os.Mkdir(s.path("db"), 0o700); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
		return run("ns-slapd", "ldif2db", "-D", s.path("config"), "-n", "userroot", "-i", out)
	})
}
