package ldap

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
	"github.com/rosterd/rosterd/target/targettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const suffix = "dc=apps,dc=example"

// rights are the least that the bind identity needs, as docs/targets/ldap.md
// says them.
var rights = []string{
	`to dn.regex="^(.+,)?ou=(accounts|left),ou=c[0-9]+,` + suffix + `$" attrs=userPassword by dn.exact="cn=rosterd,` + suffix + `" =w by anonymous auth by * none`,
	`to dn.regex="^(.+,)?ou=(accounts|left),ou=c[0-9]+,` + suffix + `$" by dn.exact="cn=rosterd,` + suffix + `" write by * none`,
	`to dn.regex="^(.+,)?ou=groups,ou=c[0-9]+,` + suffix + `$" attrs=member,uniqueMember,memberUid by dn.exact="cn=rosterd,` + suffix + `" write by * none`,
	`to dn.regex="^(.+,)?ou=groups,ou=c[0-9]+,` + suffix + `$" attrs=entry,objectClass,cn by dn.exact="cn=rosterd,` + suffix + `" read by * none`,
	`to attrs=userPassword by anonymous auth by * none`,
	`to * by * none`,
}

// live is a real server, asked by its own clients.
type live interface {
	Modify(changes string) error
	Search(base, scope, filter string, attrs ...string) ([]ldif.Entry, error)
	SearchAs(dn, password, base, scope, filter string, attrs ...string) ([]ldif.Entry, error)
	TLSURL() string
}

// field is a directory of which each test has a corner of its own.
type field struct {
	live
	slapd   *servers.Slapd // nil: it is another
	ca      string
	id      string        // the attribute of the immutable ID
	log     func() string // of requests
	corners int
}

func startSlapd(t testing.TB, overlays ...string) *field {
	t.Helper()
	return startSlapdLogging(t, "stats", overlays...)
}

func startSlapdLogging(t testing.TB, debug string, overlays ...string) *field {
	t.Helper()
	var policy []io.Reader
	if slices.Contains(overlays, "ppolicy") {
		policy = append(policy, strings.NewReader(ou("ou=policies,"+suffix)+"dn: "+defaultPolicy+"\nobjectClass: device\nobjectClass: pwdPolicy\ncn: default\n"+
			"pwdAttribute: userPassword\npwdLockout: TRUE\npwdLockoutDuration: 1\npwdMaxFailure: 3\npwdMinLength: 8\npwdCheckQuality: 1\n\n"))
	}
	return onSlapd(servers.StartSlapd(t, servers.SlapdConfig{
		Suffix: suffix, LDIF: policy, Overlays: overlays, Debug: debug, Access: rights,
		Users: []servers.User{{DN: "cn=rosterd," + suffix, Password: "let me in", Limits: "size=unlimited time=unlimited"}},
	}))
}

const defaultPolicy = "cn=default,ou=policies," + suffix

func onSlapd(s *servers.Slapd) *field {
	return &field{live: s, slapd: s, ca: s.CACert, id: entries.EntryUUID, log: s.Log}
}

// corner is ou=cN with accounts, closed accounts and groups below it.
type corner struct {
	*field
	base     string
	accounts string
	left     string
	groups   string
	cfg      Config
}

func b64(name, value string) string {
	return name + ":: " + base64.StdEncoding.EncodeToString([]byte(value)) + "\n"
}

func ou(dn string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(dn, "ou="), ",")
	return "dn: " + dn + "\nobjectClass: organizationalUnit\nou: " + name + "\n\n"
}

// corner makes a fresh one with the groups.
func (f *field) corner(t testing.TB, style string, disable Disable, groups ...string) *corner {
	t.Helper()
	f.corners++
	base := fmt.Sprintf("ou=c%d,%s", f.corners, suffix)
	c := &corner{field: f, base: base, accounts: "ou=accounts," + base, left: "ou=left," + base, groups: "ou=groups," + base}
	if disable.MoveTo != "" {
		disable.MoveTo = c.left
	}
	text := ou(base) + ou(c.accounts) + ou(c.left) + ou(c.groups) + ou("ou=sub,"+c.accounts)
	for i, g := range groups {
		text += "dn: cn=" + identity.EscapeValue(g) + "," + c.groups + "\n" + b64("cn", g)
		switch style {
		case entries.StyleMember:
			text += "objectClass: groupOfNames\nmember: cn=nobody\n"
		case entries.StyleUniqueMember:
			text += "objectClass: groupOfUniqueNames\nuniqueMember: cn=nobody\n"
		case entries.StyleMemberUID:
			text += fmt.Sprintf("objectClass: applicationProcess\nobjectClass: posixGroup\ngidNumber: %d\n", 1000+i)
		}
		text += "\n"
	}
	if err := f.Modify(text); err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/password"
	write(t, path, "let me in\n")
	c.cfg = Config{
		URLs: []string{f.TLSURL()}, CAFile: f.ca, IDAttribute: f.id, BindDN: "cn=rosterd," + suffix, Password: secret.File(path),
		Base: c.accounts, ObjectClasses: []string{"inetOrgPerson"}, Disable: disable, Mark: "employeeNumber",
		Groups: Groups{Base: c.groups, Style: style},
	}
	return c
}

func (c *corner) target(t testing.TB) *Target {
	t.Helper()
	tg, err := New(c.cfg, "dir")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tg.Close(); err != nil {
			t.Error(err)
		}
	})
	return tg
}

func (c *corner) search(t *testing.T, base, filter string, attrs ...string) []ldif.Entry {
	t.Helper()
	got, err := c.Search(base, "sub", filter, attrs...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// read is the truth as ldapsearch shows it.
func (c *corner) read(t *testing.T) (out []target.Account) {
	t.Helper()
	held := map[string][]string{}
	style := c.cfg.Groups.Style
	var people []ldif.Entry
	for _, e := range c.search(t, c.base, "(|(objectClass=inetOrgPerson)("+style+"=*))", "*", c.id, cmp.Or(c.cfg.Disable.Attribute, "employeeType")) {
		if e.Get("uid") != nil {
			people = append(people, e)
		}
		for _, m := range e.Get(style) {
			if style != entries.StyleMemberUID {
				m = identity.MustDN(m).Key()
			}
			held[m] = append(held[m], e.Get("cn")[0])
		}
	}
	for _, e := range people {
		dn := identity.MustDN(e.DN)
		a := target.Account{ID: target.NativeID(e.Get(c.id)[0]), Name: e.Get("uid")[0], Enabled: true, Attributes: map[string][]string{}}
		for _, attr := range e.Attrs {
			switch strings.ToLower(attr.Name) {
			case "objectclass", strings.ToLower(c.id), "uid":
			case "employeenumber":
				a.Mark = attr.Values[0]
			case strings.ToLower(c.cfg.Disable.Attribute):
				a.Enabled = !strings.EqualFold(attr.Values[0], c.cfg.Disable.Disabled)
			default:
				a.Attributes[attr.Name] = attr.Values
			}
		}
		if c.cfg.Disable.MoveTo != "" {
			a.Enabled = !dn.Within(identity.MustDN(c.left))
		}
		key := dn.Key()
		if style == entries.StyleMemberUID {
			key = a.Name
		}
		a.Entitlements = slices.Sorted(slices.Values(held[key]))
		out = append(out, a)
	}
	return out
}

func (c *corner) put(t *testing.T, a target.Account) target.NativeID {
	t.Helper()
	dn := "uid=" + identity.EscapeValue(a.Name) + "," + c.accounts
	text := b64("dn", dn) + "objectClass: inetOrgPerson\n" + b64("uid", a.Name)
	for name, values := range a.Attributes {
		for _, v := range values {
			text += b64(name, v)
		}
	}
	if err := c.Modify(text); err != nil {
		t.Fatal(err)
	}
	return target.NativeID(c.search(t, c.accounts, "(uid="+ldapwire.EscapeFilterValue(a.Name)+")", c.id)[0].Get(c.id)[0])
}

func (c *corner) set(t *testing.T, id target.NativeID, v target.Value) {
	t.Helper()
	dn := c.search(t, c.base, "("+c.id+"="+string(id)+")", "uid")[0].DN
	text := b64("dn", dn) + "changetype: modify\nreplace: " + v.Name + "\n"
	for _, value := range v.Values {
		text += b64(v.Name, value)
	}
	if err := c.Modify(text); err != nil {
		t.Fatal(err)
	}
}

var writeLine = regexp.MustCompile(`(?m) op=\d+ (ADD|MOD|MODRDN|DEL) dn=`)

// writes counts the requests to write that the server logged.
func (c *corner) writes() int { return len(writeLine.FindAllString(c.log(), -1)) }

func (c *corner) system(t *testing.T) targettest.System {
	s := targettest.System{Target: c.target(t), Read: c.read, Put: c.put, Set: c.set, Requests: c.writes}
	if c.cfg.Disable.Preset != "" {
		s.Login = c.tries
	}
	return s
}

// tries says whether somebody gets in, where the server itself keeps out who is
// closed.
func (c *corner) tries(t *testing.T, account target.Ref, password string) (in, mustChange bool) {
	t.Helper()
	return c.login(t, c.search(t, c.base, "("+c.id+"="+string(account.ID)+")", "uid")[0].DN, password), false
}

var (
	byAttribute = Disable{Attribute: "employeeType", Disabled: "disabled", Enabled: "active"}
	byMove      = Disable{MoveTo: "left"}
	three       = []string{"Publishers", "Reviewers", `Writers, "senior"`}
)

func harness(f *field, style string, disable Disable) targettest.Harness {
	h := targettest.Harness{
		New: func(t *testing.T) targettest.System {
			return f.corner(t, style, disable, three...).system(t)
		},
		Want: target.Description{Kind: "ldap", NameAttribute: "uid", CanRename: true, CanDisable: true, CanDelete: true, Entitlements: true, ReadBack: true, Marks: true, Passwords: true}, Batches: true,
		Single: [2]string{"displayName", "title"}, Multi: "description",
		Required: func(name string) []target.Value {
			return []target.Value{{Name: "cn", Values: []string{"cn of " + name}}, {Name: "sn", Values: []string{"sn"}}}
		},
		Entitlements: [3]string(three), NoEntitlement: "Nobodies",
		Same: []targettest.Pair{
			{Attribute: "title", A: []string{"Head  of Content"}, B: []string{"head of content "}},
			{Attribute: "manager", A: []string{"uid=a, ou=x"}, B: []string{"UID=A,ou=X"}},
			{Attribute: "telephoneNumber", A: []string{"+49 30-1"}, B: []string{"+49301"}},
			{Attribute: "description", A: []string{"a", "A"}, B: []string{"a"}},
			{Attribute: "description", A: []string{"Writes  a lot"}, B: []string{"writes a LOT"}},
		},
		Differ: []targettest.Pair{
			{Attribute: "title", A: []string{"Head of Content"}, B: []string{"HeadofContent"}},
			{Attribute: "loginShell", A: []string{"/bin/sh"}, B: []string{"/bin/SH"}},
			{Attribute: "manager", A: []string{"uid=a,ou=x"}, B: []string{"uid=a,ou=y"}},
		},
	}
	if disable.Preset == PPolicy {
		h.Weak = "short"
	}
	if style == entries.StyleMemberUID || f != nil && f.slapd == nil { // an IA5String; the 7-bit check of 389 DS
		h.Names = []string{"last, first", `say "hi"`, "#hash", `back\slash`, "a+b=c;d<e>", "(star*)"}
	}
	return h
}

// TestRealServer: what only a real server does.
func TestRealServer(t *testing.T) {
	f := startSlapd(t)
	c := f.corner(t, entries.StyleMember, byAttribute, "Writers")
	tg := c.target(t)
	ctx := t.Context()
	ref := mustCreate(t, tg, "writer1")
	scope := target.Scope{Attributes: []string{"cn"}, Entitlements: []string{"Writers"}}

	notes, err := tg.Check(ctx, target.Scope{Entitlements: []string{"Nobodies", "Writers"}})
	if err != nil || !slices.ContainsFunc(notes, func(n target.Note) bool { return n.Broken && strings.Contains(n.Text, "Nobodies") && n.Hint != "" }) {
		t.Errorf("check: %+v, %v", notes, err)
	}
	// What is well is not told beside it as if it were all.
	for text, scope := range map[string][]string{"1 of 1 groups are there": {"Writers"}, "groups that are there: 1": {"Nobodies", "Writers"}, "": {"Nobodies"}} {
		notes, err := tg.Check(ctx, target.Scope{Entitlements: scope})
		var said []string
		for _, n := range notes {
			if strings.Contains(n.Text, "are there") {
				said = append(said, n.Text)
			}
		}
		if strings.Join(said, "|") != text || err != nil {
			t.Errorf("check of %v: %q, %v", scope, said, err)
		}
	}

	// Restarted, with connections open.
	if err := f.slapd.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := tg.Disable(ctx, ref); err != nil {
		t.Errorf("after a restart: %v", err)
	}

	// Without the right to write, then without the right to see the ID.
	if err := f.slapd.SetAccess(`to attrs=userPassword by anonymous auth`, `to * by * read`); err != nil {
		t.Fatal(err)
	}
	if err := tg.Enable(ctx, ref); target.ClassOf(err) != target.Denied || hintOf(err) == "" {
		t.Errorf("without rights: %v", err)
	}
	if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); target.ClassOf(errs[0]) != target.Denied || !strings.Contains(hintOf(errs[0]), "member of cn=Writers") {
		t.Errorf("without rights: %v", errs)
	}
	if err := f.slapd.SetAccess(`to attrs=userPassword by anonymous auth`, `to attrs=entryUUID by * none`, `to * by * read`); err != nil {
		t.Fatal(err)
	}
	if l, err := target.Collect(ctx, tg, scope); target.ClassOf(err) != target.Denied || !strings.Contains(hintOf(err), "entryUUID") {
		t.Errorf("without IDs: %d accounts, %v", len(l.Accounts()), err)
	}
	if err := f.slapd.SetAccess(rights...); err != nil {
		t.Fatal(err)
	}

	// Silent in mid-air: it may have been done.
	c.cfg.IdleTimeout = span.Duration(200 * time.Millisecond)
	short := c.target(t)
	if _, err := target.Collect(ctx, short, scope); err != nil {
		t.Fatal(err)
	}
	if err := f.slapd.Pause(); err != nil {
		t.Fatal(err)
	}
	if l, err := target.Collect(ctx, short, scope); target.ClassOf(err) != target.Transient {
		t.Errorf("paused: %d accounts, %v", len(l.Accounts()), err)
	}
	if err := f.slapd.Resume(); err != nil {
		t.Fatal(err)
	}

	// Killed.
	if err := f.slapd.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := tg.Enable(ctx, ref); target.ClassOf(err) != target.Transient {
		t.Errorf("killed: class %v, %v", target.ClassOf(err), err)
	}
	if err := f.slapd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := tg.Enable(ctx, ref); err != nil {
		t.Errorf("started again: %v", err)
	}
}

// TestLimitedReader: a server that shows no more than 20 entries gives no
// listing, and the hint is the line to write.
func TestLimitedReader(t *testing.T) {
	f := onSlapd(servers.StartSlapd(t, servers.SlapdConfig{
		Suffix: suffix, Access: rights, Debug: "stats",
		Users: []servers.User{{DN: "cn=rosterd," + suffix, Password: "let me in", Limits: "size.soft=20 size.hard=20 size.prtotal=20"}},
	}))
	c := f.corner(t, entries.StyleMember, byAttribute, "Writers")
	tg := c.target(t)
	for i := range 25 {
		mustCreate(t, tg, fmt.Sprintf("writer%d", i))
	}
	l, err := target.Collect(t.Context(), tg, target.Scope{Attributes: []string{"cn"}})
	if err == nil || len(l.Accounts()) > 0 || target.ClassOf(err) != target.Denied || !strings.Contains(hintOf(err), "limits dn.exact=\"cn=rosterd,"+suffix) {
		t.Fatalf("%d accounts, %v", len(l.Accounts()), err)
	}
}

func TestContract(t *testing.T) {
	for name, c := range map[string]struct {
		style    string
		disable  Disable
		overlays []string
	}{
		"member, attribute":    {entries.StyleMember, byAttribute, nil},
		"member, move, refint": {entries.StyleMember, byMove, []string{"memberof", "refint", "ppolicy"}},
		"uniqueMember, move":   {entries.StyleUniqueMember, byMove, nil},
		"memberUid, ppolicy":   {entries.StyleMemberUID, presets[PPolicy], []string{"ppolicy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, harness(startSlapd(t, c.overlays...), c.style, c.disable))
		})
	}
}
