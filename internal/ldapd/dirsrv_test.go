//go:build servers

package ldapd

import (
	"io"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// TestDirsrvTellsTheStory writes the golden file of TestChangelogStory
// (-update), and holds it to 389-ds.
func TestDirsrvTellsTheStory(t *testing.T) {
	s := servers.StartDirsrv(t, servers.DirsrvConfig{Suffix: lab, Users: []servers.User{}, Plugins: []servers.DirsrvPlugin{servers.ContentSync},
		LDIF: []io.Reader{strings.NewReader(syncFixture)}})
	p := &syncPlace{t: t, native: true, dial: func() *client { return dialURL(t, s.URL(), "").mustBind(s.AdminDN, s.AdminPassword) },
		restart: func() {
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
		}}
	compareStory(t, "testdata/changelog.golden", p.tell(), true)
}
