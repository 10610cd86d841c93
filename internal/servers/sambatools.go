package servers

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rosterd/rosterd/internal/ldif"
)

func (s *Samba) offline() sambaOffline {
	return sambaOffline{conf: s.conf(), sam: s.sam(), base: s.BaseDN}
}

func (s *Samba) client() client {
	return client{url: s.TLSURL(), ca: s.CACert, dn: s.AdminDN, passwordFile: s.password()}
}

func (s *Samba) ldb(tool, stdin string, args ...string) error {
	_, err := s.offline().ldb(tool, stdin, args...)
	return err
}

// Modify runs ldapmodify as the administrator with LDIF change records; a
// record without changetype is added. The error is a *ToolError with the
// result code.
func (s *Samba) Modify(changes string) error { return s.client().modify(changes) }

// Search runs ldapsearch as the administrator, without paging. The scope is
// base, one or sub.
func (s *Samba) Search(base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	return s.SearchAs(s.AdminDN, s.AdminPassword, base, scope, filter, attrs...)
}

// SearchAs runs ldapsearch as somebody else: a DN, LAB\user or user@lab.example.
// What was read before an error is returned with it.
func (s *Samba) SearchAs(name, password, base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	return s.client().searchAs(name, password, base, scope, filter, attrs...)
}

// Tool runs samba-tool on the files of the controller, which may be running:
// Tool("user", "disable", "writer").
func (s *Samba) Tool(args ...string) error { return s.offline().tool(args...) }

// Shell runs commands as an administrator types them on the controller, whose tools
// find this one in the place of the machine's.
func (s *Samba) Shell(script string) (string, error) {
	const def = "/var/lib/samba/private/sam.ldb"
	tools := fmt.Sprintf("samba-tool() { command samba-tool \"$@\" --configfile=%[1]s -H %[2]s; }\nldbmodify() { command ldbmodify --configfile=%[1]s \"$@\"; }\n", s.conf(), s.sam())
	out, err := output(nil, []byte("set -eu\n"+tools+strings.ReplaceAll(script, def, s.sam())), "bash")
	return string(out), err
}

// Grant gives a user of CN=Users a right; it holds from the next bind on.
func (s *Samba) Grant(user string, r Right) error {
	return s.offline().grant(user, s.UserDN(user), r)
}

// AddACE adds one access control entry, in SDDL with the user's SID in place of
// USER, to an object: AddACE(ou, "(D;CI;RPLC;;;USER)", "sync") hides what is in ou.
func (s *Samba) AddACE(dn, ace, user string) error {
	ace, err := s.placed(ace, user)
	if err != nil {
		return err
	}
	return s.Tool("dsacl", "set", "--objectdn="+dn, "--sddl="+ace)
}

// RemoveACE takes away what AddACE added, from what lies below too.
func (s *Samba) RemoveACE(dn, ace, user string) error {
	ace, err := s.placed(ace, user)
	if err != nil {
		return err
	}
	out, err := output(nil, nil, "samba-tool", "dsacl", "get", "--objectdn="+dn, "--configfile="+s.conf(), "-H", s.sam())
	if err != nil {
		return err
	}
	_, acl, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if !strings.Contains(acl, ace) {
		return fmt.Errorf("remove %s from %s: it has %q", ace, dn, acl)
	}
	return s.ldb("ldbmodify", fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor: %s\n",
		dn, strings.ReplaceAll(acl, ace, "")))
}

func (s *Samba) placed(ace, user string) (string, error) {
	sid, err := s.attribute(s.UserDN(user), "objectSid")
	return strings.ReplaceAll(ace, "USER", sid), err
}

// attribute reads the one value of an attribute from the files.
func (s *Samba) attribute(dn, name string) (string, error) {
	out, err := s.offline().ldb("ldbsearch", "", "-b", dn, "-s", "base", name)
	if err != nil {
		return "", err
	}
	found, err := parse(out)
	if err != nil {
		return "", err
	}
	if len(found) == 0 || len(found[0].Get(name)) != 1 {
		return "", fmt.Errorf("read %s of %q: ldbsearch printed %q", name, dn, out)
	}
	return found[0].Get(name)[0], nil
}

// Keytab writes the Kerberos keys of a user and returns the path.
func (s *Samba) Keytab(user string) (string, error) {
	path := filepath.Join(s.Dir, user+".keytab")
	return path, run("samba-tool", "domain", "exportkeytab", path, "--principal="+user, "--configfile="+s.conf())
}

// Backup copies the data as they are now and returns a name for Restore. The
// controller is down meanwhile.
func (s *Samba) Backup() (string, error) {
	s.backups++
	to := filepath.Join(s.Dir, fmt.Sprintf("backup%d", s.backups))
	return to, whileStopped(s, func() error { return copyTree(s.data(), to) })
}

// Restore puts the data of a Backup in the place of the present ones, as a
// snapshot of a virtual machine would: with the same invocation ID, so what
// happened since is forgotten and its USNs are given out again.
func (s *Samba) Restore(backup string) error {
	return whileStopped(s, func() error { return replaceTree(backup, s.data()) })
}

// NewInvocation gives the controller another invocation ID, as a restore that
// is made as Microsoft says does.
func (s *Samba) NewInvocation(id string) error {
	return whileStopped(s, func() error {
		service, err := s.attribute("", "dsServiceName")
		if err != nil {
			return err
		}
		return s.ldb("ldbmodify", fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: invocationId\ninvocationId: %s\n", service, id), "--controls=relax:0")
	})
}
