package ldapwire

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

// TestLaw12PasswordIsNotSentInTheClear: not though the settings let the bind do it,
// and no error shows it, whatever the server says.
func TestLaw12PasswordIsNotSentInTheClear(t *testing.T) {
	const canary = "Canary.4711xKmPwq"
	echo := true
	s := newScripted(t, nil)
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op == opExtended && echo {
			c.send(envelope(m.id, answer(opExtendedResult, CodeConstraint, "the password "+canary+" is too short")))
		}
		return m.op == opExtended
	}
	c := dial(t, s.config(Fast))
	before := c.w.requests.Load()
	if err := c.SetPassword(t.Context(), "uid=a", canary); !errors.Is(err, ErrPlaintext) || IsInDoubt(err) || c.Encrypted() || c.w.requests.Load() != before {
		t.Fatalf("over a plain connection: %v", err)
	}
	c.cfg.AllowPlaintext = false // as after StartTLS
	if err := c.SetPassword(t.Context(), "uid=a", ""); err == nil || c.w.requests.Load() != before {
		t.Fatalf("the server was asked to make one: %v", err)
	}
	if err := c.SetPassword(t.Context(), "uid=a", canary); !errors.Is(err, ErrConstraint) || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "too short") {
		t.Fatalf("echoed: %v", err)
	}
	// It left, and no answer came; to ask who we are changes nothing.
	echo = false
	for name, ask := range map[string]func(*Conn) error{
		"password": func(c *Conn) error { return c.SetPassword(t.Context(), "uid=a", canary) },
		"who":      func(c *Conn) error { _, err := c.WhoAmI(t.Context()); return err },
	} {
		cfg := s.config(Fast)
		cfg.IdleTimeout = 50 * time.Millisecond
		c := dial(t, cfg)
		c.cfg.AllowPlaintext = false
		if err := ask(c); !errors.Is(err, ErrIdle) || IsInDoubt(err) != (name == "password") {
			t.Errorf("%s without an answer: %v, in doubt %v", name, err, IsInDoubt(err))
		}
	}
}

// TestSetPassword: the last one works, over TLS, StartTLS and the socket.
func TestSetPassword(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{Users: []servers.User{
		{DN: "cn=sync,dc=lab,dc=example", Password: "sync", Access: "write"}, {DN: "cn=writer1,dc=lab,dc=example", Password: "old"},
	}})
	if err := s.SetAccess(`to attrs=userPassword by dn.exact="cn=sync,`+s.Suffix+`" =w by dn.exact="`+s.PeerDN()+`" =w by anonymous auth`, `to * by * read`); err != nil {
		t.Fatal(err)
	}
	writer, last := "cn=writer1,"+s.Suffix, "old"
	for text, cfg := range map[string]Config{
		"over StartTLS 1": syncConfig(s),
		"over TLS äöü":    {URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: "cn=sync," + s.Suffix, Password: password("sync")},
		"on the socket":   {URLs: []string{s.LDAPIURL()}, External: true, AllowPlaintext: true},
	} {
		c := dial(t, cfg)
		if err := c.SetPassword(t.Context(), writer, text); err != nil || !c.Encrypted() {
			t.Fatalf("%s: %v", text, err)
		}
		for p, want := range map[string]bool{text: true, last: false} {
			_, err := Dial(t.Context(), Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: writer, Password: password(p)})
			if (err == nil) != want {
				t.Errorf("%s: the password %q works: %v (%v)", text, p, err == nil, err)
			}
		}
		last = text
		if err := c.SetPassword(t.Context(), "cn=nobody,"+s.Suffix, text); !errors.Is(err, ErrNoSuchObject) {
			t.Errorf("nobody's: %v", err)
		}
	}
}
