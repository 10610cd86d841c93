package ldapwire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rootless answers the search for the root entry as the test says.
func rootless(t *testing.T, root func(*query), search func(*query)) *scripted {
	s := newScripted(t, search)
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op != opSearch {
			return false
		}
		if q := newQuery(c, m); q.base == "" {
			root(q)
			return true
		}
		return false
	}
	return s
}

func TestHiddenRootEntry(t *testing.T) {
	for name, root := range map[string]func(*query){
		"nothing": func(q *query) { q.done(0) }, "no such object": func(q *query) { q.done(CodeNoSuchObject) }, "no right": func(q *query) { q.done(CodeInsufficientAccess) },
	} {
		s := rootless(t, root, func(q *query) {
			if !q.paged {
				q.t.Error("no page was asked for")
			}
			q.pages(2, 10)
		})
		c := dial(t, s.config(Fast))
		if c.Server().Known() || c.Server().AuthzID != "" {
			t.Errorf("%s: %+v", name, c.Server())
		}
		if _, done, err := c.Collect(t.Context(), all()); err != nil || done.Entries != 20 {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
	}
	s := rootless(t, func(q *query) { q.done(CodeBusy) }, nil)
	if _, err := Dial(t.Context(), s.config(Fast)); !errors.Is(err, ErrBusy) {
		t.Errorf("a busy server: %v", err)
	}
	if s := dial(t, newScripted(t, nil).config(Fast)).Server(); !s.Known() || !s.HasControl(OIDPaging) {
		t.Errorf("%+v", s)
	}
}

func TestBase(t *testing.T) {
	answers := map[string]func(*query){
		"dc=two":    func(q *query) { q.entries(0, 2); q.done(0) },
		"dc=hidden": func(q *query) { q.done(0) },
		"dc=cut":    func(q *query) { q.entries(0, 1); q.done(CodeSizeLimit) },
		"dc=late": func(q *query) {
			q.entries(0, 1)
			q.send(envelope(q.id, tlv(opIntermediate)))
			q.done(0)
		},
	}
	s := newScripted(t, func(q *query) {
		if q.paged {
			q.t.Error("a page of one entry")
		}
		answers[q.base](q)
	})
	for dn, want := range map[string]error{"dc=two": ErrProtocol, "dc=hidden": ErrNoEntry, "dc=cut": ErrSizeLimit, "dc=late": ErrProtocol} {
		rec, err := dial(t, s.config(Fast)).Base(t.Context(), dn)
		if !errors.Is(err, want) || rec.DN != "" || IsTransient(err) {
			t.Errorf("%s: %+v, %v", dn, rec, err)
		}
		var e *Error
		if errors.As(err, &e) && dn == "dc=hidden" && !strings.Contains(e.Hint(), "access rules") {
			t.Errorf("hint %q", e.Hint())
		}
	}
}

func TestWhoAmINotTold(t *testing.T) {
	for name, tc := range map[string]struct {
		code Code
		fine bool
	}{"not supported": {2, true}, "not allowed": {CodeInsufficientAccess, true}, "busy": {CodeBusy, false}} {
		s := rootless(t, func(q *query) {
			q.entry("", attribute("supportedExtension", oidWhoAmI))
			q.done(0)
		}, nil)
		root := s.raw
		s.raw = func(c *scriptedConn, m message) bool {
			if m.op == opExtended {
				c.send(envelope(m.id, answer(opExtendedResult, tc.code, "")))
				return true
			}
			return root(c, m)
		}
		c, err := Dial(t.Context(), s.config(Fast))
		if (err == nil) != tc.fine {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// clientCertificate writes a self-signed certificate and its key.
func clientCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rosterd"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if err := errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestExternalByCertificate(t *testing.T) {
	server, ca := authority(t)
	server.ClientAuth = tls.RequireAnyClientCert
	s := newScripted(t, func(q *query) { q.pages(1, 3) })
	external := make(chan bool, 1)
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op == opBindRequest {
			external <- strings.Contains(string(m.body), "EXTERNAL")
		}
		return false
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(c) })
		}
	})
	defer l.Close()
	cfg := s.config(Fast)
	cfg.URLs, cfg.CAFile, cfg.AllowPlaintext, cfg.External = []string{"ldaps://" + l.Addr().String()}, ca, false, true
	cfg.CertFile, cfg.KeyFile = clientCertificate(t)
	if _, done, err := dial(t, cfg).Collect(t.Context(), all()); err != nil || done.Entries != 3 || !<-external {
		t.Errorf("%+v, %v", done, err)
	}
	without := cfg
	without.External, without.CertFile, without.KeyFile = false, "", ""
	if c, err := Dial(t.Context(), without); err == nil {
		t.Error("connected without the certificate", c.Close())
	} else if IsTransient(err) {
		t.Errorf("without the certificate: %v is transient", err)
	}
	if err := os.Chmod(cfg.KeyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	var h interface{ Hint() string }
	if _, err := Dial(t.Context(), cfg); err == nil || !errors.As(err, &h) || !strings.Contains(h.Hint(), "chmod") {
		t.Errorf("a key that everyone may read: %v", err)
	}
	if err := os.Chmod(cfg.KeyFile, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no such key": func(c *Config) { c.KeyFile = "/nowhere" }, "no authority": func(c *Config) { c.CAFile = c.KeyFile },
	} {
		bad := cfg
		change(&bad)
		if _, err := Dial(t.Context(), bad); err == nil || IsTransient(err) || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHintsOfCauses(t *testing.T) {
	_, dns := net.Dial("tcp", "no-such-host.invalid:389")
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"expired":    {x509.CertificateInvalidError{Reason: x509.Expired}, "out of date"},
		"other name": {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}, "server_name"},
		"authority":  {x509.UnknownAuthorityError{}, "ca_file"},
		"not TLS":    {tls.RecordHeaderError{Msg: "first record does not look like TLS"}, "speaks TLS"},
		"no host":    {dns, "host name"},
		"referrals":  {&ReferralError{URLs: []string{"ldap://x"}}, "ignore_referrals"},
		"silence":    {ErrIdle, "idle_timeout"},
		"nothing":    {nil, ""},
	} {
		e := &Error{Op: opNameSearch, Err: tc.err}
		if h := e.Hint(); !strings.Contains(h, tc.want) || tc.want == "" && h != "" {
			t.Errorf("%s: %q", name, h)
		}
	}
	if h := (&Error{Op: opStartTLS, Code: 2}).Hint(); !strings.Contains(h, "ldaps://") {
		t.Errorf("StartTLS: %q", h)
	}
}
