package servers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func person(n int, suffix string) string {
	return fmt.Sprintf("dn: uid=p%d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: p%d\ncn: P %d\nsn: P\n\n", n, suffix, n, n)
}

func TestSlapd(t *testing.T) {
	const suffix = "dc=test,dc=example"
	var b strings.Builder
	b.WriteString("dn: ou=people," + suffix + "\nobjectClass: organizationalUnit\nou: people\n\n")
	for i := range 600 {
		b.WriteString(person(i, suffix))
	}
	s := StartSlapd(t, SlapdConfig{Suffix: suffix, LDIF: []io.Reader{strings.NewReader(b.String())}, Overlays: []string{"syncprov", "memberof", "refint", "ppolicy"}})

	got, err := s.SearchAs("cn=sync,"+suffix, "sync", suffix, "sub", "(objectClass=inetOrgPerson)", "uid")
	if err != nil || len(got) != 600 {
		t.Fatalf("as sync: %d entries, %v", len(got), err)
	}
	got, err = s.SearchAs("cn=limited,"+suffix, "limited", suffix, "sub", "(objectClass=inetOrgPerson)", "uid")
	if te := (*ToolError)(nil); !errors.As(err, &te) || te.Code != 4 || len(got) != 500 {
		t.Fatalf("as limited: %d entries, %v", len(got), err)
	}

	// One group may be both of member and of memberUid.
	err = s.Modify("dn: cn=g," + suffix + "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: g\ngidNumber: 1\nmember: uid=p1,ou=people," + suffix + "\nmemberUid: p2\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err = s.Search("uid=p1,ou=people,"+suffix, "base", "(objectClass=*)", "memberOf")
	if err != nil || len(got) != 1 || len(got[0].Get("memberOf")) != 1 {
		t.Fatalf("memberOf: %v, %v", got, err)
	}
	err = s.Modify("dn: uid=nobody,ou=people," + suffix + "\nchangetype: delete\n")
	if te := (*ToolError)(nil); !errors.As(err, &te) || te.Code != 32 {
		t.Fatalf("delete what is not there: %v", err)
	}

	// Rights taken away while it runs.
	if err := s.SetAccess(append([]string{`to dn.subtree="ou=people,` + suffix + `" by dn.exact="cn=sync,` + suffix + `" none`}, s.DefaultAccess()...)...); err != nil {
		t.Fatal(err)
	}
	if got, _ = s.SearchAs("cn=sync,"+suffix, "sync", suffix, "sub", "(objectClass=inetOrgPerson)", "uid"); len(got) != 0 {
		t.Fatalf("without rights: %d entries", len(got))
	}
	if err := s.SetAccess(s.DefaultAccess()...); err != nil {
		t.Fatal(err)
	}

	// The other roads to it.
	env := []string{"LDAPTLS_CACERT=" + s.CACert}
	for _, args := range [][]string{{"-x", "-H", s.TLSURL()}, {"-x", "-ZZ", "-H", s.URL()}, {"-Q", "-Y", "EXTERNAL", "-H", s.LDAPIURL()}} {
		out, err := output(env, nil, "ldapwhoami", args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		if args[0] == "-Q" && !strings.Contains(string(out), s.PeerDN()) {
			t.Fatalf("EXTERNAL gave %q, want %q", out, s.PeerDN())
		}
	}

	// Crash, start again, pause.
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if s.Pid() != 0 {
		t.Fatal("a killed server has a process ID")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Search("uid=p1,ou=people,"+suffix, "base", "(objectClass=*)"); err != nil || len(got) != 1 {
		t.Fatalf("after the restart: %v, %v", got, err)
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { _, err := s.Search(suffix, "base", "(objectClass=*)"); answered <- err }()
	select {
	case err := <-answered:
		t.Fatalf("a paused server answered: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestSlapdLeavesNothing(t *testing.T) {
	Require(t, "slapd", "slapadd", "slaptest")
	s, err := NewSlapd(SlapdConfig{})
	if err != nil {
		t.Fatal(err)
	}
	pid := s.Pid()
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the process is still there: %v", err)
	}
}

func TestSlapdRefusesBadInput(t *testing.T) {
	Require(t, "slapd", "slapadd", "slaptest")
	for name, cfg := range map[string]SlapdConfig{
		"configuration": {Global: []string{"nonsense here"}},
		"LDIF":          {LDIF: []io.Reader{strings.NewReader("dn: cn=x,dc=lab,dc=example\nobjectClass: nonsense\n")}},
		"file":          {LDIFFiles: []string{"/nonexistent"}},
	} {
		s, err := NewSlapd(cfg)
		if err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

type recorder struct {
	testing.TB
	fatal, skip string
}

func (r *recorder) Fatal(a ...any) { r.fatal = fmt.Sprint(a...) }
func (r *recorder) Skip(a ...any)  { r.skip = fmt.Sprint(a...) }

func TestRequire(t *testing.T) {
	r := &recorder{TB: t}
	t.Setenv("TEST_SERVERS", "")
	Require(r, "slapd-that-is-nowhere", "sh")
	if !strings.Contains(r.fatal, "slapd-that-is-nowhere") || !strings.Contains(r.fatal, "apt-get install") || r.skip != "" {
		t.Errorf("fatal %q, skip %q", r.fatal, r.skip)
	}
	r = &recorder{TB: t}
	t.Setenv("TEST_SERVERS", "optional")
	Require(r, "slapd-that-is-nowhere")
	if r.skip == "" || r.fatal != "" {
		t.Errorf("fatal %q, skip %q", r.fatal, r.skip)
	}
}
