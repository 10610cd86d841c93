//go:build servers

package ldapd

import (
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// TestSambaTellsTheStory writes the golden file of TestDomainStory (-update),
// and holds it to Samba.
func TestSambaTellsTheStory(t *testing.T) {
	s := servers.StartSamba(t, servers.SambaConfig{})
	p := &adPlace{t: t, base: s.BaseDN, c: dialURL(t, s.TLSURL(), s.CACert).mustBind(s.AdminDN, s.AdminPassword),
		reader: dialURL(t, s.TLSURL(), s.CACert).mustBind("reader@lab.example", servers.SambaPassword)}
	compareStory(t, "testdata/domain.golden", p.tell(), true)
}
