package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// User is an entry to bind as, made directly under the suffix (or wherever its
// DN says, if the parent is in the LDIF).
type User struct {
	DN       string // full DN with cn as naming attribute
	Password string
	Limits   string // the right-hand side of a `limits` line, such as "size=unlimited time=unlimited"
	Access   string // what it may do everywhere: none, read (the default), write or manage
}

// overlays says what each overlay that tests ask for by name needs, with %s
// for the suffix. Others are loaded without options.
var overlays = map[string]string{
	"syncprov": "syncprov-checkpoint 100 5\nsyncprov-sessionlog 10000",
	"memberof": "memberof-group-oc groupOfNames\nmemberof-dangling ignore\nmemberof-refint TRUE",
	"refint":   "refint_attributes member uniqueMember manager owner seeAlso",
	"ppolicy":  "ppolicy_default cn=default,ou=policies,%s\nppolicy_use_lockout",
}

// schemas that are loaded in this order; posixGroup is made auxiliary, as
// RFC 2307bis has it, so that one group may carry member and memberUid.
var schemas = []string{"core", "cosine", "inetorgperson", "nis", "dyngroup"}

var posixGroup = regexp.MustCompile(`(?s)NAME 'posixGroup'.*?\n\n`)

func firstDir(dirs ...string) (string, error) {
	for _, d := range dirs {
		if st, err := os.Stat(d); err == nil && st.IsDir() {
			return d, nil
		}
	}
	return "", fmt.Errorf("find one of %s: not there", strings.Join(dirs, ", "))
}

// conf writes slapd.conf and returns its path.
func (s *Slapd) conf() (string, error) {
	schemaDir, err := firstDir("/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema")
	if err != nil {
		return "", err
	}
	modules, err := firstDir("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap", "/usr/libexec/openldap", "/usr/local/libexec/openldap")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, name := range schemas {
		path := filepath.Join(schemaDir, name+".schema")
		if name == "nis" {
			if path, err = s.rfc2307bis(path); err != nil {
				return "", err
			}
		}
		line("include %s", path)
	}
	line("modulepath %s\nmoduleload back_mdb", modules)
	for _, o := range append(s.cfg.Sync.overlays(), s.cfg.Overlays...) {
		line("moduleload %s", o)
	}
	line("pidfile %s/slapd.pid\nargsfile %s/slapd.args", s.Dir, s.Dir)
	line("TLSCACertificateFile %s\nTLSCertificateFile %s/srv.crt\nTLSCertificateKeyFile %s/srv.key", s.CACert, s.Dir, s.Dir)
	line("serverID %d", s.cfg.ServerID)
	if s.cfg.SizeLimit != 0 {
		line("sizelimit %d", s.cfg.SizeLimit)
	}
	for _, l := range s.cfg.Global {
		line("%s", l)
	}
	line("database config\nrootdn cn=config\nrootpw %s", s.AdminPassword)
	for _, l := range s.cfg.Sync.before(s) {
		line("%s", l)
	}
	line("database mdb\nsuffix \"%s\"\ndirectory %s/db\nrootdn \"%s\"\nrootpw %s\nmaxsize 17179869184", s.Suffix, s.Dir, s.AdminDN, s.AdminPassword)
	if !s.cfg.Durable {
		line("dbnosync")
	}
	line("index objectClass,entryCSN,entryUUID eq\nindex uid,cn,sn,mail,employeeNumber eq\nindex member,uniqueMember,memberUid eq")
	for _, u := range s.cfg.Users {
		if u.Limits != "" {
			line("limits dn.exact=\"%s\" %s", u.DN, u.Limits)
		}
	}
	acl := s.cfg.Access
	if acl == nil {
		acl = s.DefaultAccess()
	}
	for _, a := range acl {
		line("access %s", a)
	}
	for _, l := range s.cfg.Database {
		line("%s", l)
	}
	for _, l := range s.cfg.Sync.within(s) {
		line("%s", l)
	}
	for _, o := range s.cfg.Overlays {
		line("overlay %s", o)
		if opts := overlays[o]; strings.Contains(opts, "%s") {
			line(opts, s.Suffix)
		} else if opts != "" {
			line("%s", opts)
		}
	}
	for _, l := range s.cfg.Overlay {
		line("%s", l)
	}
	path := filepath.Join(s.Dir, "slapd.conf")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("write slapd.conf: %w", err)
	}
	return path, nil
}

// DefaultAccess returns the `to …` clauses that are in force when the
// configuration names none: everybody reads everything but passwords, and the
// users have the access that they were given. A test that takes a right away
// puts its own clause first and passes the rest to SetAccess.
func (s *Slapd) DefaultAccess() []string {
	var by strings.Builder
	for _, u := range s.cfg.Users {
		access := u.Access
		if access == "" {
			access = "read"
		}
		fmt.Fprintf(&by, " by dn.exact=\"%s\" %s", u.DN, access)
	}
	return []string{
		"to attrs=userPassword by self write by anonymous auth" + by.String() + " by * none",
		"to *" + by.String() + " by * read",
	}
}

// rfc2307bis derives a schema from nis.schema in which posixGroup is auxiliary
// and needs no cn.
func (s *Slapd) rfc2307bis(nis string) (string, error) {
	text, err := os.ReadFile(nis)
	if err != nil {
		return "", fmt.Errorf("read the NIS schema: %w", err)
	}
	out := posixGroup.ReplaceAllFunc(text, func(m []byte) []byte {
		t := strings.Replace(string(m), "STRUCTURAL", "AUXILIARY", 1)
		return []byte(strings.Replace(t, "MUST ( cn $ gidNumber )", "MUST gidNumber", 1))
	})
	if string(out) == string(text) {
		return "", fmt.Errorf("derive RFC 2307bis from %s: no posixGroup in it", nis)
	}
	path := filepath.Join(s.Dir, "rfc2307bis.schema")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		return "", fmt.Errorf("write the RFC 2307bis schema: %w", err)
	}
	return path, nil
}
