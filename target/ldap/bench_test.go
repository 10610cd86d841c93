package ldap

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// BenchmarkCreate is first provisioning on slapd by four workers, beside the
// same entries added and nothing else.
func BenchmarkCreate(b *testing.B) {
	f := startSlapdLogging(b, "0")
	c := f.corner(b, entries.StyleMember, byAttribute, "Writers")
	each := func(b *testing.B, do func(worker, i int) error) {
		var group sync.WaitGroup
		const workers = 4
		for w := range workers {
			group.Go(func() {
				for i := w; i < b.N; i += workers {
					if err := do(w, i); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
	}
	rounds := 0
	b.Run("target", func(b *testing.B) {
		tg := c.target(b)
		rounds++
		each(b, func(_, i int) error {
			_, err := tg.Create(b.Context(), fmt.Sprintf("writer%d-%d", rounds, i), person("Writer of the site"), "")
			return err
		})
	})
	b.Run("add alone", func(b *testing.B) {
		rounds++
		conns := map[int]*ldapwire.Conn{}
		for w := range 4 {
			conn, err := ldapwire.Dial(b.Context(), c.cfg.withDefaults().wire())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			conns[w] = conn
		}
		b.ResetTimer()
		each(b, func(w, i int) error {
			uid := fmt.Sprintf("writer%d-%d", rounds, i)
			return conns[w].Add(b.Context(), "uid="+uid+","+c.accounts, []ldapwire.Values{
				{Name: "objectClass", Values: []string{"inetOrgPerson"}}, {Name: "uid", Values: []string{uid}},
				{Name: "cn", Values: []string{"Writer of the site"}}, {Name: "sn", Values: []string{"Writer of the site"}},
			})
		})
	})
}
