//go:build servers

package ldap_test

import (
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// samba is a domain of Samba's.
func samba(t *testing.T, user string) (*forest, *servers.Samba) {
	t.Helper()
	dc := servers.StartSamba(t, servers.SambaConfig{})
	return founded(t, dc.TLSURL(), dc.CACert, dc.AdminDN, user), dc
}

func TestSambaIsReadAsItIs(t *testing.T) {
	f, _ := samba(t, "reader")
	readAsItIs(t, f)
}

func TestSambaPrimaryGroups(t *testing.T) {
	f, _ := samba(t, "reader")
	primaryGroupsAreRead(t, f)
}

func TestSambaIsFollowed(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f, _ := samba(t, c.user)
			follows(t, f, c.user, c.engine)
		})
	}
}
