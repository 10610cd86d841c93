package ldapwire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/localca"
)

// authority makes a certificate for loopback, and the file of its authority.
func authority(t *testing.T) (*tls.Config, string) {
	t.Helper()
	pair, err := localca.Issue(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pair.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, file
}

var startTLSOK = envelope(1, answer(opExtendedResult, 0, ""))

// Whatever a man in the middle says in the clear, no password crosses it.
func TestStartTLSThatIsNotWhatItSeems(t *testing.T) {
	server, ca := authority(t)
	for name, tc := range map[string]struct {
		reply func(net.Conn)
		text  string
	}{
		"refused": {func(c net.Conn) { _, _ = c.Write(envelope(1, answer(opExtendedResult, 2, "no TLS here"))) }, "no TLS here"},
		"an answer slipped in behind it": {func(c net.Conn) {
			// In one segment with the answer: the bind that follows must not meet it.
			_, _ = c.Write(append(append([]byte{}, startTLSOK...), envelope(1, answer(opBindResponse, 0, ""))...))
			s := tls.Server(c, server)
			_ = s.Handshake()
		}, "TLS"},
		"no TLS after it": {func(c net.Conn) {
			_, _ = c.Write(startTLSOK)
			_, _ = c.Write(envelope(2, answer(opBindResponse, 0, "")))
		}, "TLS"},
		"answer to another": {func(c net.Conn) { _, _ = c.Write(envelope(7, answer(opExtendedResult, 0, ""))) }, "not to the request for TLS"},
		"another answer":    {func(c net.Conn) { _, _ = c.Write(envelope(1, answer(opBindResponse, 0, ""))) }, "not to the request for TLS"},
		"notice": {func(c net.Conn) {
			_, _ = c.Write(envelope(0, answer(opExtendedResult, 52, "bye", tlv(extendedName, []byte(noticeOfDisconnID)))))
		}, "bye"},
		"garbage":            {func(c net.Conn) { _, _ = c.Write([]byte("220 mail.lab.example ESMTP\r\n")) }, "protocol error"},
		"a very long answer": {func(c net.Conn) { _, _ = c.Write([]byte{tagSequence, 0x84, 0x0f, 0xff, 0xff, 0xff}) }, "no message answers"},
		"dropped":            {func(net.Conn) {}, "EOF"},
		"half an answer":     {func(c net.Conn) { _, _ = c.Write(startTLSOK[:5]) }, "EOF"},
		"certificate of another": {func(c net.Conn) {
			other, _ := authority(t)
			_, _ = c.Write(startTLSOK)
			_ = tls.Server(c, other).Handshake()
		}, "authority"},
		"old TLS": {func(c net.Conn) {
			old := server.Clone()
			old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			_, _ = c.Write(startTLSOK)
			_ = tls.Server(c, old).Handshake()
		}, "version"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			heard := make(chan string, 1)
			go func() {
				c, err := l.Accept()
				if err != nil {
					heard <- err.Error()
					return
				}
				defer c.Close()
				first := make([]byte, len(startTLSRequest))
				_, _ = c.Read(first)
				if string(first) != string(startTLSRequest) {
					heard <- string(first)
					return
				}
				tc.reply(c)
				_ = c.(*net.TCPConn).CloseWrite()
				_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
				rest := make([]byte, 4096)
				n, _ := c.Read(rest)
				heard <- string(rest[:n])
			}()
			cfg := Config{URLs: []string{"ldap://" + l.Addr().String()}, CAFile: ca, BindDN: "cn=sync", Password: password("open sesame"),
				DialTimeout: 2 * time.Second, IdleTimeout: time.Second}
			c, err := Dial(t.Context(), cfg)
			if err == nil {
				_ = c.Close()
				t.Fatal("connected")
			}
			if !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v lacks %q", err, tc.text)
			}
			if h := <-heard; strings.Contains(h, "open sesame") {
				t.Error("the password was sent in the clear")
			}
		})
	}
}

func TestFailOver(t *testing.T) {
	bindWith := func(code Code) *scripted {
		s := newScripted(t, nil)
		s.raw = func(c *scriptedConn, m message) bool {
			if m.op == opBindRequest {
				c.send(envelope(m.id, answer(opBindResponse, code, "80090308: LdapErr: DSID-0C09, comment: AcceptSecurityContext error, data 533, v3839")))
			}
			return m.op == opBindRequest
		}
		return s
	}
	good := newScripted(t, nil)
	dropping := newScripted(t, nil)
	dropping.raw = func(c *scriptedConn, m message) bool { c.Close(); return true }
	for name, tc := range map[string]struct {
		first *scripted
		over  bool
	}{
		"busy": {bindWith(CodeBusy), true}, "unavailable": {bindWith(CodeUnavailable), true}, "drops": {dropping, true},
		"wrong credentials": {bindWith(CodeInvalidCredentials), false}, "unwilling": {bindWith(CodeUnwilling), false},
		"no password there": {bindWith(CodeInappropriateAuth), false},
	} {
		cfg := good.config(Fast)
		cfg.URLs = []string{tc.first.config(Fast).URLs[0], cfg.URLs[0]}
		asked := 0
		cfg.BindDN, cfg.Password = "cn=sync", func() (string, error) { asked++; return "x", nil }
		c, err := Dial(t.Context(), cfg)
		if err == nil {
			_ = c.Close()
		}
		if (err == nil) != tc.over || tc.over && (c.Server().URL != cfg.URLs[1] || asked != 2) || !tc.over && asked != 1 {
			t.Errorf("%s: %v, password asked for %d times", name, err, asked)
		}
		if name == "wrong credentials" {
			var h interface{ Hint() string }
			if !errors.As(err, &h) || h.Hint() != "the bind user is disabled" {
				t.Errorf("hint of %v", err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := good.config(Fast)
	cfg.URLs = append(cfg.URLs, cfg.URLs[0])
	if _, err := Dial(ctx, cfg); !errors.Is(err, context.Canceled) || IsTransient(err) {
		t.Errorf("cancelled: %v", err)
	}
	cfg = dropping.config(Fast)
	cfg.URLs = append(cfg.URLs, bindWith(CodeBusy).config(Fast).URLs[0])
	cfg.BindDN, cfg.Password = "cn=sync", password("x")
	_, err := Dial(t.Context(), cfg)
	if !IsTransient(err) || !strings.Contains(err.Error(), cfg.URLs[0]) || !strings.Contains(err.Error(), cfg.URLs[1]) || !errors.Is(err, ErrBusy) {
		t.Errorf("all of them: %v", err)
	}
}

func TestSettings(t *testing.T) {
	good := Config{URLs: []string{"ldaps://ldap.lab.example"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no URL":                       func(c *Config) { c.URLs = nil },
		"no scheme":                    func(c *Config) { c.URLs = []string{"ldap.lab.example"} },
		"another scheme":               func(c *Config) { c.URLs = []string{"https://ldap.lab.example"} },
		"a name in the URL":            func(c *Config) { c.URLs = []string{"ldaps://ldap.lab.example/dc=lab"} },
		"a password in the URL":        func(c *Config) { c.URLs = []string{"ldaps://u:hunter2@ldap.lab.example"} },
		"an odd password in the URL":   func(c *Config) { c.URLs = []string{"ldap://u:hunter2%zz@h@ldap.lab.example:x"} },
		"one for another protocol":     func(c *Config) { c.URLs = []string{"http://u:hunter2@h"} },
		"no host":                      func(c *Config) { c.URLs = []string{"ldaps://:636"} },
		"no path":                      func(c *Config) { c.URLs = []string{"ldapi://"} },
		"path not escaped":             func(c *Config) { c.URLs = []string{"ldapi:///run/ldapi"} },
		"bind DN without password":     func(c *Config) { c.BindDN = "cn=x" },
		"password without bind DN":     func(c *Config) { c.Password = password("x") },
		"EXTERNAL without certificate": func(c *Config) { c.External = true },
		"EXTERNAL and bind DN": func(c *Config) {
			c.External, c.CertFile, c.KeyFile, c.BindDN, c.Password = true, "c", "k", "cn=x", password("x")
		},
		"certificate without key": func(c *Config) { c.CertFile = "c" },
		"negative time-out":       func(c *Config) { c.IdleTimeout = -1 },
	} {
		cfg := good
		change(&cfg)
		err := cfg.Validate()
		var h interface{ Hint() string }
		if err == nil || !errors.As(err, &h) || h.Hint() == "" || IsTransient(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: it is repeated: %v", name, err)
		}
		if _, err := Dial(t.Context(), cfg); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
	for url, want := range map[string]string{
		"ldaps://h": "tcp h:636", "LDAP://h/": "tcp h:389", "ldap://[::1]:3": "tcp [::1]:3", "ldapi://%2Frun%2Fldapi": "unix /run/ldapi", "ldapi://%2Frun%2Fldapi/": "unix /run/ldapi",
	} {
		if a, err := parseURL(url); err != nil || a.network+" "+a.target != want {
			t.Errorf("%s: %+v, %v", url, a, err)
		}
	}
}

func TestFilters(t *testing.T) {
	for _, f := range []string{"", "uid=x", "(uid=x", "(uid=x))", "(&)(", "(uid=\\zz)"} {
		if CheckFilter(f) == nil {
			t.Errorf("%q is a filter", f)
		}
	}
	for _, f := range []string{"(uid=x)", "(&(a=b)(!(c=d)))", "(userAccountControl:1.2.840.113556.1.4.803:=2)", "(cn=" + EscapeFilterValue("*)(uid=*\\\x00\u00e9") + ")"} {
		if err := CheckFilter(f); err != nil {
			t.Error(err)
		}
	}
	if got := EscapeFilterValue("a*b(c)d\\e\x00"); got != `a\2ab\28c\29d\5ce\00` {
		t.Errorf("escaped %q", got)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for code := range Code(130) {
		if code == 0 {
			continue
		}
		e := &Error{Op: "search", DN: "dc=x", Code: code}
		transient := code == CodeBusy || code == CodeUnavailable || code == CodeOther
		if e.Transient() != transient || e.Retryable() != transient || e.InDoubt() {
			t.Errorf("%v: transient %v", e, e.Transient())
		}
		for _, s := range []error{ErrSizeLimit, ErrTimeLimit, ErrReferral, ErrNoSuchAttribute, ErrConstraint, ErrTypeOrValueExists, ErrNoSuchObject, ErrInvalidCredentials,
			ErrInsufficientAccess, ErrBusy, ErrUnwilling, ErrObjectClassViolation, ErrNamingViolation, ErrNotAllowedOnNonLeaf, ErrNotAllowedOnRDN, ErrAlreadyExists} {
			own := Code(s.(codeError))
			want := own == code || own == CodeSizeLimit && code == CodeAdminLimit || own == CodeBusy && code == CodeUnavailable
			if errors.Is(e, s) != want {
				t.Errorf("%v is %v: %v", e, s, !want)
			}
		}
	}
	for sub, want := range map[string]string{"525": "no such user", "52e": "wrong password", "530": "log in", "532": "expired", "533": "disabled", "701": "expired", "773": "change", "775": "locked"} {
		e := &Error{Code: CodeInvalidCredentials, Diagnostic: "AcceptSecurityContext error, data " + sub + ", v3839"}
		if !strings.Contains(e.Hint(), want) {
			t.Errorf("data %s: %q", sub, e.Hint())
		}
	}
	for code, want := range map[Code]string{CodeNoSuchObject: "check the base", CodeStrongAuthRequired: "ldaps://", CodeInsufficientAccess: "cn=me", CodeTimeLimit: "cn=me",
		CodeAdminLimit: `limits dn.exact="cn=me" size=unlimited time=unlimited`, CodeInvalidCredentials: "bind_dn", CodeReferral: "connect to"} {
		e := &Error{Op: "search", DN: "dc=x", BindDN: "cn=me", Code: code}
		if !strings.Contains(e.Hint(), want) {
			t.Errorf("%v: %q", code, e.Hint())
		}
	}
}
