package ldapwire

import (
	"io"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// BenchmarkListing reads 100,000 people with all user attributes in pages of
// 1,000 from a real slapd, with both readers and with ldapsearch. Run it with
// -benchtime 3x; it is the ratio that means something.
func BenchmarkListing(b *testing.B) {
	const n = 100_000
	poison = false
	defer func() { poison = true }()
	s := servers.StartSlapd(b, servers.SlapdConfig{LDIF: []io.Reader{people(n)}})
	req := Request{Base: "ou=people," + s.Suffix, Scope: ScopeSubtree, Filter: "(objectClass=inetOrgPerson)", Attributes: []string{"*"}, PageSize: 1000}
	search, err := servers.Find("ldapsearch")
	if err != nil {
		b.Fatal(err)
	}
	tool := func() {
		cmd := exec.Command(search, "-x", "-LLL", "-o", "ldif-wrap=no", "-H", s.URL(), "-D", "cn=sync,"+s.Suffix, "-w", "sync",
			"-b", req.Base, "-E", "pr=1000/noprompt", req.Filter)
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
	}
	tool() // warm
	b.Run("ldapsearch", func(b *testing.B) {
		for b.Loop() {
			tool()
		}
	})
	for _, secure := range []bool{false, true} {
		for _, r := range readers {
			name := r.name
			cfg := syncConfig(s)
			cfg.Reader, cfg.AllowPlaintext = r.kind, true
			if secure {
				name += " over TLS"
				cfg.URLs = []string{s.TLSURL()}
			}
			b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
				c := dial(b, cfg)
				b.ReportAllocs()
				var octets int64
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for b.Loop() {
					values := 0
					done, err := c.Search(b.Context(), req, func(e *Entry) error {
						for _, a := range e.Attributes {
							values += len(a.Values)
						}
						return nil
					})
					if err != nil || done.Entries != n+1 || values < 13*n {
						b.Fatalf("%d entries, %d values, %v", done.Entries, values, err)
					}
					octets = done.Bytes
				}
				runtime.ReadMemStats(&after)
				b.SetBytes(octets)
				b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N)/n, "allocs/entry")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	var attributes [][]byte
	for _, name := range []string{"objectClass", "uid", "cn", "sn", "mail", "givenName", "employeeType", "employeeNumber", "title", "l"} {
		attributes = append(attributes, attribute(name, "a value of some length"))
	}
	raw := envelope(7, entryOp("uid=writer1,ou=people,dc=lab,dc=example", attributes...))
	var d entryDecoder
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := parseMessage(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.decode(m); err != nil {
			b.Fatal(err)
		}
	}
}
