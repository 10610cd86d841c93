package ldapwire

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/localca"
)

// Law 12: a certificate that is out of date, of another authority or of another
// name is refused before the password leaves.
func TestLaw12NoPasswordBeforeTheCertificateIsRight(t *testing.T) {
	right, err := localca.Issue(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	expired, err := localca.Issue(time.Now().Add(-72 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		shown, trusted localca.Pair
		server, hint   string
	}{
		"right":             {right, right, "localhost", ""},
		"expired":           {expired, expired, "localhost", "out of date"},
		"another authority": {right, expired, "localhost", "ca_file"},
		"another name":      {right, right, "ldap.corp.example", "server_name"},
	} {
		s := newScripted(t, func(q *query) { q.pages(1, 3) })
		var bound atomic.Bool
		root := s.raw
		s.raw = func(c *scriptedConn, m message) bool {
			if m.op == opBindRequest {
				bound.Store(true)
			}
			return root != nil && root(c, m)
		}
		config, err := tc.shown.ServerTLS()
		if err != nil {
			t.Fatal(err)
		}
		l, err := tls.Listen("tcp", "127.0.0.1:0", config)
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
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, tc.trusted.CA, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := s.config(Fast)
		cfg.URLs, cfg.CAFile, cfg.ServerName = []string{"ldaps://" + l.Addr().String()}, ca, tc.server
		cfg.AllowPlaintext = true // is of ldap:// URLs alone
		cfg.BindDN, cfg.Password = "cn=x", password("hunter2")
		c, err := Dial(t.Context(), cfg)
		if err == nil {
			_ = c.Close()
		}
		var h interface{ Hint() string }
		switch {
		case tc.hint == "":
			if err != nil || !bound.Load() {
				t.Errorf("%s: %v, bound %v", name, err, bound.Load())
			}
		case err == nil || bound.Load() || IsTransient(err) || !errors.As(err, &h) || !strings.Contains(h.Hint(), tc.hint):
			t.Errorf("%s: %v, bound %v", name, err, bound.Load())
		case strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: the password is in the error: %v", name, err)
		}
		_ = l.Close()
	}
}
