package ldapd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/servers"
)

// place is one of the two servers under comparison.
type place struct {
	name, url, admin, password string
}

// outcome is what a client can see of an operation.
type outcome struct {
	Code    int
	Entries map[string]map[string][]string // DN key, attribute in lower case, sorted values
	Refs    []string
}

// run executes one of OpenLDAP's own clients.
func (p place) run(t *testing.T, bind bool, stdin, tool string, args ...string) outcome {
	t.Helper()
	bin, err := servers.Find(tool)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"-H", p.url}
	if !slices.Contains(args, "-Y") {
		all = append(all, "-x")
	}
	if bind {
		all = append(all, "-D", p.admin, "-w", p.password)
	}
	if tool == "ldapsearch" {
		all = append(all, "-LLL", "-o", "ldif-wrap=no")
	}
	cmd := exec.Command(bin, append(all, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	o := outcome{Entries: map[string]map[string][]string{}}
	if x := (*exec.ExitError)(nil); errors.As(err, &x) {
		o.Code = x.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if tool != "ldapsearch" {
		return o
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if ref, ok := strings.CutPrefix(line, "# ref"); ok {
			o.Refs = append(o.Refs, ref)
		}
	}
	// slapd sends a reference that stands at the border of two pages twice.
	slices.Sort(o.Refs)
	o.Refs = slices.Compact(o.Refs)
	entries, err := ldif.All(&out)
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	for _, e := range entries {
		attrs := map[string][]string{}
		for _, a := range e.Attrs {
			d, _ := describe(a.Name)
			values := slices.Clone(a.Values)
			if d.typ.rule == ruleDN {
				for i := range values {
					values[i] = identity.MustDN(values[i]).Key()
				}
			}
			slices.Sort(values)
			attrs[strings.ToLower(a.Name)] = values
		}
		o.Entries[identity.MustDN(e.DN).Key()] = attrs
	}
	return o
}

// serve starts a server for a test.
func serve(t testing.TB, d *Directory, o Options) *Server {
	t.Helper()
	if o.AdminDN == "" {
		o.AdminDN, o.AdminPassword = "cn=admin,"+lab, "secret"
	}
	s, err := d.Serve(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func load(t testing.TB, text string) *Directory {
	t.Helper()
	d := New(lab)
	if err := d.Load(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAgreesWithSlapd runs the table against both servers, in order, since
// later operations see what earlier ones wrote.
func TestAgreesWithSlapd(t *testing.T) {
	servers.Require(t, "slapd", "ldapsearch", "ldapmodify", "ldapcompare", "ldapwhoami")
	// Users of our own are in the fixture.
	real := servers.StartSlapd(t, servers.SlapdConfig{Suffix: lab, Users: []servers.User{}, LDIF: []io.Reader{strings.NewReader(fixture)}})
	d := load(t, fixture)
	d.Strict = true
	ours := serve(t, d, Options{})
	places := []place{
		{"slapd", real.URL(), real.AdminDN, real.AdminPassword},
		{"ldapd", ours.URL(), "cn=admin," + lab, "secret"},
	}
	for _, o := range agreement {
		t.Run(o.name, func(t *testing.T) {
			var got []outcome
			for _, p := range places {
				tool := o.tool
				if tool == "" {
					tool = "ldapsearch"
				}
				got = append(got, p.run(t, !o.anon, o.stdin, tool, o.args...))
			}
			if o.count < 0 {
				// Which entries came before a limit is nobody's promise.
				got[0].Entries, got[1].Entries = nil, nil
				got[0].Refs, got[1].Refs = nil, nil
			} else if len(got[0].Entries) != o.count {
				t.Errorf("slapd gave %d entries, the table says %d: %q", len(got[0].Entries), o.count, slices.Sorted(maps.Keys(got[0].Entries)))
			}
			if got[0].Code != o.want {
				t.Errorf("slapd's code is %d, the table says %d", got[0].Code, o.want)
			}
			if diff := cmp.Diff(got[0], got[1]); diff != "" {
				t.Errorf("-slapd +ldapd\n%s", diff)
			}
		})
	}
}

func TestOtherRoads(t *testing.T) {
	servers.Require(t, "ldapwhoami")
	dir, err := os.MkdirTemp("", "ldapd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := serve(t, load(t, fixture), Options{Socket: filepath.Join(dir, "s")})
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, s.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LDAPTLS_CACERT", ca)
	for name, args := range map[string][]string{
		"StartTLS": {"-x", "-ZZ", "-H", s.URL()},
		"LDAPS":    {"-x", "-H", s.TLSURL()},
		"EXTERNAL": {"-Q", "-Y", "EXTERNAL", "-H", s.LDAPIURL()},
	} {
		if name != "EXTERNAL" {
			args = append(args, "-D", "cn=admin,"+lab, "-w", "secret")
		}
		bin, _ := servers.Find("ldapwhoami")
		out, err := exec.Command(bin, args...).CombinedOutput()
		want := "dn:cn=admin," + lab
		if name == "EXTERNAL" {
			want = "dn:" + PeerDN(uint32(os.Getuid()), uint32(os.Getgid())).String()
		}
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %v: %s, want %s", name, err, out, want)
		}
	}
	// Without the authority neither is trusted.
	t.Setenv("LDAPTLS_CACERT", os.DevNull)
	if (place{"", s.TLSURL(), "", ""}).run(t, false, "", "ldapwhoami").Code == 0 {
		t.Error("a stranger's certificate was trusted")
	}
}
