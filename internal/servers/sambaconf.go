package servers

import (
	"fmt"
	"strings"
)

// smbConf is the whole configuration of one copy: where it writes, and where its
// data are.
func (s *Samba) smbConf(dir, data string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("[global]")
	line("netbios name = %s\nworkgroup = %s\nrealm = %s", strings.ToUpper(s.name), s.NetBIOS, s.Realm)
	line("server role = active directory domain controller")
	line("server services = ldap, cldap, kdc")
	line("interfaces = %s/8\nbind interfaces only = yes\ndisable netbios = yes", s.Addr)
	line("private dir = %s/private\nlock directory = %s\nstate directory = %s/state\ncache directory = %s/cache\nbinddns dir = %s/bind-dns",
		data, data, data, data, data)
	line("pid directory = %s/run\nncalrpc dir = %s/ncalrpc\nntp signd socket directory = %s/ntp\nwinbindd socket directory = %s/run/winbindd", dir, dir, dir, dir)
	line("log file = %s/samba-%%m.log", dir)
	line("idmap_ldb:use rfc2307 = yes")
	line("ldap server require strong auth = no")
	line("tls enabled = yes\ntls keyfile = %s/srv.key\ntls certfile = %s/srv.crt\ntls cafile = %s/ca.crt", dir, dir, dir)
	// Three to ten times faster; a test whose machine loses power starts anew.
	line("ldb:nosync = true")
	for _, o := range s.cfg.Options {
		line("%s", o)
	}
	return b.String()
}

func (s *Samba) krb5Conf() string {
	return fmt.Sprintf(`[libdefaults]
	default_realm = %[1]s
	dns_lookup_realm = false
	dns_lookup_kdc = false
	rdns = false
	udp_preference_limit = 1
[realms]
	%[1]s = {
		kdc = %[2]s
		kpasswd_server = %[2]s
	}
[domain_realm]
	.%[3]s = %[1]s
	%[3]s = %[1]s
`, s.Realm, s.Addr, s.Domain)
}
