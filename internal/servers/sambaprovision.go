package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Right is what a user may do beyond what every user may.
type Right string

const (
	// GetChanges is "Replicating Directory Changes", which DirSync asks for.
	GetChanges Right = "get-changes"
	// GetChangesAll hands out passwords too: nobody who only reads should have it.
	GetChangesAll Right = "get-changes-all"
	// ReadDeleted lists and reads the container of deleted objects.
	ReadDeleted Right = "read-deleted"
)

// SambaUser is a user in CN=Users whose password is SambaPassword.
type SambaUser struct {
	Name   string
	Rights []Right
}

// SambaUsers are made where the configuration names none: somebody who reads as
// every user does, three with one right each, and one with what following by
// DirSync or by USN needs.
var SambaUsers = []SambaUser{
	{Name: "reader"},
	{Name: "dirsync", Rights: []Right{GetChanges}},
	{Name: "deleted", Rights: []Right{ReadDeleted}},
	{Name: "sync", Rights: []Right{GetChanges, ReadDeleted}},
	{Name: "greedy", Rights: []Right{GetChanges, GetChangesAll}},
}

// provisioned puts a domain with its users and the LDIF where the data are: a new
// one, or a copy of one that was made today.
func (s *Samba) provisioned() error {
	var text bytes.Buffer
	for _, r := range s.cfg.LDIF {
		if _, err := text.ReadFrom(r); err != nil {
			return fmt.Errorf("read the LDIF: %w", err)
		}
		text.WriteString("\n\n")
	}
	tree := filepath.Join(s.Dir, "tree")
	if s.cfg.Fresh {
		if err := os.Mkdir(tree, 0o700); err != nil {
			return fmt.Errorf("make a folder for Samba: %w", err)
		}
		return errors.Join(s.provision(tree), s.add(tree, text.String()))
	}
	of := s.origin()
	if text.Len() == 0 {
		return template("samba", of, s.provision, tree)
	}
	return template("samba", append(of, text.String()), func(dir string) error {
		// The folder is there already, and a copy makes its own.
		bare := filepath.Join(dir, "bare")
		if err := template("samba", of, s.provision, bare); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(bare, "dc"), filepath.Join(dir, "dc")); err != nil {
			return fmt.Errorf("place the domain: %w", err)
		}
		return s.add(dir, text.String())
	}, tree)
}

// origin is what a domain is made of. Whatever is said here and in provision is part
// of the name of its template, so that no old copy is taken after an edit.
func (s *Samba) origin() []string {
	return []string{"5", s.Domain, SambaPassword, fmt.Sprint(s.cfg.Users)}
}

// add adds LDIF to the domain in the folder dc below dir, in one transaction.
func (s *Samba) add(dir, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	data := filepath.Join(dir, "dc")
	conf := filepath.Join(dir, "add.conf")
	if err := os.WriteFile(conf, []byte(s.smbConf(dir, data)), 0o600); err != nil {
		return fmt.Errorf("write smb.conf: %w", err)
	}
	_, err := sambaOffline{conf: conf, sam: filepath.Join(data, "private", "sam.ldb")}.ldb("ldbadd", text)
	return err
}

func (s *Samba) provision(in string) error {
	dir := filepath.Join(in, "dc")
	empty := filepath.Join(s.Dir, "empty.conf")
	if err := os.WriteFile(empty, []byte("[global]\n"), 0o600); err != nil {
		return fmt.Errorf("write an empty smb.conf: %w", err)
	}
	err := run("samba-tool", "domain", "provision", "--configfile="+empty, "--targetdir="+dir, "--realm="+s.Realm, "--domain="+s.NetBIOS,
		"--server-role=dc", "--dns-backend=NONE", "--adminpass="+SambaPassword, "--host-name=dc1", "--host-ip="+s.Addr, "--use-rfc2307",
		"--option=ldb:nosync=true", "--option=interfaces="+s.Addr+"/8", "--option=bind interfaces only=yes")
	if err != nil {
		return err
	}
	at := sambaOffline{conf: filepath.Join(dir, "etc", "smb.conf"), sam: filepath.Join(dir, "private", "sam.ldb"), base: s.BaseDN}
	// A copy is used for a day, and passwords must last.
	if err := at.tool("domain", "passwordsettings", "set", "--max-pwd-age=0", "--min-pwd-age=0", "--history-length=0"); err != nil {
		return err
	}
	// Without it Kerberos finds no LDAP service here.
	if err := at.tool("spn", "add", "ldap/"+s.Host, "DC1$"); err != nil {
		return err
	}
	if err := at.makeDeletedReaders(); err != nil {
		return err
	}
	for _, u := range s.cfg.Users {
		if err := at.tool("user", "create", u.Name, SambaPassword); err != nil {
			return err
		}
		for _, r := range u.Rights {
			if err := at.grant(u.Name, s.UserDN(u.Name), r); err != nil {
				return err
			}
		}
	}
	return nil
}

// sambaOffline works on the files of a controller, running or not.
type sambaOffline struct{ conf, sam, base string }

func (o sambaOffline) tool(args ...string) error {
	return run("samba-tool", append(args, "--configfile="+o.conf, "-H", o.sam)...)
}

func (o sambaOffline) ldb(tool, stdin string, args ...string) ([]byte, error) {
	return output(nil, []byte(stdin), tool, append([]string{"--configfile=" + o.conf, "-H", o.sam}, args...)...)
}

// deletedReaders is a group that may list and read the deleted objects.
const deletedReaders = "Deleted Readers"

// makeDeletedReaders replaces the access list of the deleted objects, since no
// tool of Samba adds to it: system and administrators as Samba has them, and the
// group.
func (o sambaOffline) makeDeletedReaders() error {
	if err := o.tool("group", "add", deletedReaders); err != nil {
		return err
	}
	out, err := o.ldb("ldbsearch", "", "-b", o.base, "(sAMAccountName="+deletedReaders+")", "objectSid")
	if err != nil {
		return err
	}
	found, err := parse(out)
	if err != nil {
		return err
	}
	if len(found) == 0 || len(found[0].Get("objectSid")) != 1 {
		return fmt.Errorf("find the SID of %s: ldbsearch printed %q", deletedReaders, out)
	}
	_, err = o.ldb("ldbmodify", fmt.Sprintf("dn: CN=Deleted Objects,%s\nchangetype: modify\nreplace: nTSecurityDescriptor\n"+
		"nTSecurityDescriptor: O:SYG:SYD:PAI(A;;RPWPCCDCLCRCWOWDSDSW;;;SY)(A;;RPLC;;;BA)(A;;LCRP;;;%s)\n", o.base, found[0].Get("objectSid")[0]),
		"--controls=show_deleted:1")
	return err
}

func (o sambaOffline) grant(name, dn string, r Right) error {
	if r == ReadDeleted {
		return o.tool("group", "addmembers", deletedReaders, name)
	}
	return o.tool("dsacl", "set", "--action=allow", "--car="+string(r), "--objectdn="+o.base, "--trusteedn="+dn)
}
