package ldapd

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// ADSettings are what an Active Directory can be set to. What is zero is as it
// comes from the factory.
type ADSettings struct {
	MaxPageSize    int      // entries in one answer; 1000
	MaxValRange    int      // values of one attribute in one answer; 1500
	DirSyncBatch   int      // entries and values of links in one round of DirSync; 1000
	RecycleBin     bool     // deleted entries keep their attributes
	DeletedReaders []string // who sees Deleted Objects besides the administrator
	Replicators    []string // who has DS-Replication-Get-Changes besides the administrator
	Unsynchronized bool     // isSynchronized is FALSE: the server has just been restored
	NoReferrals    bool     // the domain has no other naming contexts to refer to
}

// domain is what makes a directory an Active Directory.
type domain struct {
	nc         identity.DN
	dns        string
	netbios    string
	sid        []uint32
	rid        uint32
	invocation string // 16 octets
	others     []seen // what it has seen of other controllers, itself before it was restored among them
	settings   string // DN of the NTDS settings
	deleted    *node  // CN=Deleted Objects
}

func (m *domain) serverName() string { return m.settings[strings.Index(m.settings, ",")+1:] }

// keptByAD are attributes that only the server writes.
var keptByAD = strings.Fields(`objectguid usnchanged usncreated whenchanged whencreated memberof directreports managedobjects
	distinguishedname instancetype isdeleted isrecycled lastknownparent parentguid samaccounttype objectsid primarygrouptoken
	msds-user-account-control-computed entryuuid entrycsn name`)

// found makes the entries that every domain has.
func (d *Directory) found() {
	if len(d.suffixes) != 1 {
		panic("ldapd: an Active Directory has one suffix")
	}
	nc := d.suffixes[0]
	m := &domain{nc: nc, rid: 1103, sid: []uint32{21, random32(), random32(), random32()}, invocation: randomGUID()}
	var labels []string
	for dn := nc; !dn.IsZero(); dn = dn.Parent() {
		labels = append(labels, dn.RDN()[0].Value)
	}
	m.dns, m.netbios = strings.Join(labels, "."), strings.ToUpper(labels[0])
	for _, a := range []string{"samaccountname", "userprincipalname", "objectguid", "objectsid", "member", "manager", "managedby"} {
		d.index[a] = map[string][]*node{}
	}
	d.domain = m
	d.serial = 3000
	// The schema has its classes before there is an entry of each.
	for c := range adClasses {
		d.classes[c] = true
	}
	base := nc.String()
	config := "CN=Configuration," + base
	d.suffixes = append(d.suffixes, identity.MustDN(config))
	d.mustAdd(base, map[string][]string{"objectClass": {"domainDNS"}, "objectSid": {makeSID(5, m.sid...)}})
	for _, cn := range []string{"Users", "Computers", "ForeignSecurityPrincipals", "System"} {
		d.mustAdd("CN="+cn+","+base, map[string][]string{"objectClass": {"container"}})
	}
	d.mustAdd("CN=Deleted Objects,"+base, map[string][]string{"objectClass": {"container"}, "isDeleted": {"TRUE"}})
	m.deleted = d.byKey[identity.MustDN("CN=Deleted Objects,"+base).Key()]
	d.mustAdd("CN=Domain Users,CN=Users,"+base, map[string][]string{"objectClass": {"group"}, "objectSid": {m.account(513)}})
	d.mustAdd("CN=Domain Computers,CN=Users,"+base, map[string][]string{"objectClass": {"group"}, "objectSid": {m.account(515)}})
	d.mustAdd(config, map[string][]string{"objectClass": {"configuration"}})
	at := config
	for _, step := range [][2]string{{"Sites", "sitesContainer"}, {"Default-First-Site-Name", "site"}, {"Servers", "serversContainer"}, {"DC1", "server"}} {
		at = "CN=" + step[0] + "," + at
		d.mustAdd(at, map[string][]string{"objectClass": {step[1]}})
	}
	m.settings = "CN=NTDS Settings," + at
	d.mustAdd(m.settings, map[string][]string{"objectClass": {"nTDSDSA"}, "invocationId": {m.invocation}})
}

// account is the SID of an account of the domain.
func (m *domain) account(rid uint32) string { return makeSID(5, append(slices.Clone(m.sid), rid)...) }

func random32() uint32 {
	var b [4]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails
	return binary.LittleEndian.Uint32(b[:])
}

func randomGUID() string { return guidOf(newUUID()) }

// adClasses is what an object class brings with it, from the top down, and the
// category of its entries.
var adClasses = map[string]struct{ chain, category string }{
	"user":                     {"top person organizationalPerson user", "Person"},
	"inetorgperson":            {"top person organizationalPerson user inetOrgPerson", "Person"},
	"computer":                 {"top person organizationalPerson user computer", "Computer"},
	"contact":                  {"top person organizationalPerson contact", "Person"},
	"group":                    {"top group", "Group"},
	"organizationalunit":       {"top organizationalUnit", "Organizational-Unit"},
	"container":                {"top container", "Container"},
	"domaindns":                {"top domain domainDNS", "Domain-DNS"},
	"foreignsecurityprincipal": {"top foreignSecurityPrincipal", "Foreign-Security-Principal"},
}

// furnish gives a new entry what every entry of its class has here.
func (d *Directory) furnish(r *record, who string) *Error {
	m := d.domain
	if d.kind == Dirsrv && r.get("nsuniqueid") == nil {
		r.set("nsUniqueId", nsUniqueID(newUUID()))
	}
	if m == nil {
		return nil
	}
	d.classify(r)
	r.nameAD()
	r.lack("instanceType", "4")
	if guid := r.first("objectguid"); guid != "" {
		r.set("entryUUID", uuidOf(guid))
	}
	r.set("objectGUID", guidOf(r.first("entryuuid")))
	d.principal(r)
	for _, a := range []struct {
		key  string
		code int
		text string
	}{{"samaccountname", EntryAlreadyExists, "00002071: UpdErr: problem 6005 (ENTRY_EXISTS), data 0"},
		{"userprincipalname", ConstraintViolation, "000021C8: AtrErr: problem 1005 (CONSTRAINT_ATT_TYPE), data 0"}} {
		if x := r.get(a.key); x != nil && slices.ContainsFunc(d.index[a.key][x.norms[0]], (*node).living) {
			return refuse(a.code, "%s", a.text)
		}
	}
	return d.checkAccount(nil, r, false, who)
}

// classify gives an entry all classes above its own, and a category.
func (d *Directory) classify(r *record) {
	classes := r.get("objectclass")
	for _, c := range []string{"computer", "inetorgperson", "user", "group", "contact", "organizationalunit", "container", "domaindns", "foreignsecurityprincipal"} {
		if classes.find(c) >= 0 {
			r.set("objectClass", strings.Fields(adClasses[c].chain)...)
			r.lack("objectCategory", "CN="+adClasses[c].category+",CN=Schema,CN=Configuration,"+d.domain.nc.String())
			return
		}
	}
}

// principal gives a user, a computer or a group its identity.
func (d *Directory) principal(r *record) {
	user, computer, group := r.is("user"), r.is("computer"), r.is("group")
	if r.is("foreignsecurityprincipal") {
		if sid, ok := parseSID(r.dn.RDN()[0].Value); ok {
			r.lack("objectSid", sid)
		}
	}
	if !user && !group {
		return
	}
	name := r.dn.RDN()[0].Value
	if r.get("objectsid") == nil {
		d.domain.rid++
		r.set("objectSid", d.domain.account(d.domain.rid))
	}
	switch {
	case group:
		r.lack("sAMAccountName", name)
		r.lack("groupType", "-2147483646")
		r.lack("sAMAccountType", "268435456")
		return
	case computer:
		r.lack("sAMAccountName", name+"$")
		r.lack("userAccountControl", "4096")
		r.lack("primaryGroupID", "515")
		r.lack("sAMAccountType", "805306369")
	default:
		r.lack("sAMAccountName", name)
		r.lack("userAccountControl", "546")
		r.lack("primaryGroupID", "513")
		r.lack("sAMAccountType", "805306368")
	}
	r.lack("accountExpires", "9223372036854775807")
	if r.get("unicodepwd") == nil {
		r.lack("pwdLastSet", "0")
	}
	r.lack("badPwdCount", "0")
	r.lack("lastLogon", "0")
}

// lack sets an attribute that is not there.
func (r *record) lack(name, value string) {
	if r.get(strings.ToLower(name)) == nil {
		r.set(name, value)
	}
}

// nameAD sets what follows from the name.
func (r *record) nameAD() {
	rdn := r.dn.RDN()[0]
	r.set("name", rdn.Value)
	r.set("distinguishedName", r.dn.String())
}

// stampAD sets what changes with every change.
func (d *Directory) stampAD(r *record) {
	usn, now := strconv.FormatUint(d.serial, 10), d.now().UTC().Format("20060102150405.0Z")
	r.lack("uSNCreated", usn)
	r.lack("whenCreated", now)
	r.set("uSNChanged", usn)
	r.set("whenChanged", now)
}

// fileTime is an instant in the unit of Active Directory: 100 ns since 1601.
func fileTime(t time.Time) string {
	return strconv.FormatInt(t.UTC().Unix()*10_000_000+116_444_736_000_000_000, 10)
}

// maxPageSize is how many entries one answer may have; 0: as asked.
func (d *Directory) maxPageSize() int {
	switch {
	case d.domain == nil:
		return 0
	case d.AD.MaxPageSize > 0:
		return d.AD.MaxPageSize
	}
	return 1000
}

// HighestUSN is the number of the last change, of an Active Directory the
// highestCommittedUSN.
func (d *Directory) HighestUSN() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.serial
}

// GUID returns the objectGUID of an entry in the way that the tools of Active
// Directory print it, "" when it is not there.
func (d *Directory) GUID(dn string) string {
	e, _ := d.Get(dn)
	if v := e.Get("objectGUID"); len(v) == 1 {
		return uuidOf(v[0])
	}
	return ""
}

// seen is how far the changes of a controller are known.
type seen struct {
	invocation string
	usn        uint64
}

// vector is replUpToDateVector: UPTODATE_VECTOR_V2_EXT of [MS-DRSR].
func (m *domain) vector(now time.Time) string {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, v := range []uint32{0, uint32(len(m.others)), 0} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, o := range m.others {
		b = append(b, o.invocation...)
		b = binary.LittleEndian.AppendUint64(b, o.usn)
		b = binary.LittleEndian.AppendUint64(b, uint64(now.Unix()+11_644_473_600))
	}
	return string(b)
}

// Restored gives an Active Directory another invocationId, as a domain
// controller takes when it is restored in a proper way. It knows how much it had
// seen as the one it was.
func (d *Directory) Restored() {
	d.mu.Lock()
	d.domain.others = append(slices.Clip(d.domain.others), seen{d.domain.invocation, d.serial})
	d.mu.Unlock()
	d.Reinvoke()
}

// Reinvoke gives it another invocationId and no more, as another controller has
// that has not heard of this one.
func (d *Directory) Reinvoke() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.domain.invocation = randomGUID()
	n := d.byKey[identity.MustDN(d.domain.settings).Key()]
	r := n.rec.clone()
	r.set("invocationId", d.domain.invocation)
	d.replace(n, r)
}

func errNotBound() *Error {
	return refuse(OperationsError, "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563")
}

// replicator says whether who may ask for changes of everything.
func (s *session) replicator() bool { return s.admin() || listed(s.srv.dir.AD.Replicators, s.bound) }

// seesDeleted says whether who may look into Deleted Objects.
func (s *session) seesDeleted() bool {
	return s.admin() || listed(s.srv.dir.AD.DeletedReaders, s.bound)
}

func (s *session) admin() bool { return !s.bound.IsZero() && s.bound.Equal(s.srv.admin) }

func listed(names []string, dn identity.DN) bool {
	return slices.ContainsFunc(names, func(n string) bool { return identity.MustDN(n).Equal(dn) })
}

// whoAmI is the authorization identity of who has bound.
func (s *session) whoAmI() string {
	dir := s.srv.dir
	if dir.domain == nil {
		return "dn:" + s.bound.String()
	}
	dir.mu.RLock()
	defer dir.mu.RUnlock()
	if n := dir.byKey[s.bound.Key()]; n != nil {
		return fmt.Sprintf(`u:%s\%s`, dir.domain.netbios, n.rec.first("samaccountname"))
	}
	return fmt.Sprintf(`u:%s\Administrator`, dir.domain.netbios)
}
