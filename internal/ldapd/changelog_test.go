package ldapd

import (
	"strings"
	"testing"
)

// TestChangelogStory: what the content synchronisation of 389-ds tells who
// follows it. The golden file is what 389-ds told (TestDirsrvTellsTheStory).
func TestChangelogStory(t *testing.T) {
	d := NewAs(Dirsrv, lab)
	if err := d.Load(strings.NewReader(syncFixture)); err != nil {
		t.Fatal(err)
	}
	s := serve(t, d, Options{})
	p := &syncPlace{t: t, native: true, dial: func() *client { return asAdmin(t, s) }, restart: s.DropAll}
	compareStory(t, "testdata/changelog.golden", p.tell(), false)
}
