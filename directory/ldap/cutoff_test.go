package ldap_test

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/ldapd"
)

// What begins the following is asked before a listing. A server that ends the
// connection for it, or never ends its answer, does so at each read: everything is read
// all the same, and check says why nothing is followed.
func TestAServerThatEndsTheConnectionIsReadAndNotFollowed(t *testing.T) {
	for _, w := range ways {
		if w.engine != "timestamp" {
			continue
		}
		for name, do := range map[string]ldapd.Action{"drop": ldapd.Drop, "stall": ldapd.Hang} {
			if do == ldapd.Hang && w.kind != ldapd.Generic {
				continue // it costs its time-outs
			}
			t.Run(w.name+", "+name, func(t *testing.T) {
				t.Parallel()
				b := newBeset(t, w)
				b.crowd()
				// Of the whole tree nothing else is listed.
				b.server.Faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Base: besetSuffix, After: 2, Do: do})
				s := b.open(nil)
				m := mirrorOf(t, s)
				if len(m.entries) == 0 || !m.cursor.IsZero() {
					t.Fatalf("%d entries were read, and the cursor is %+v", len(m.entries), m.cursor)
				}
				report, err := s.Check(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				said := ""
				for _, n := range report.Notes {
					if n.Level == directory.Warning {
						said += n.Text + "\n"
					}
				}
				if !strings.Contains(said, "changes are not followed: begin to follow changes (timestamp)") {
					t.Errorf("check warns only of\n%s", said)
				}
				b.server.Faults().Clear()
				if m.read(); m.cursor.Engine != w.engine {
					t.Errorf("the server is well again, and the cursor is %+v", m.cursor)
				}
				m.same()
			})
		}
	}
}
