package ldap

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
)

// It looks back to where a replica came late, however long ago, and to the
// beginning for a server that was not there before.
func TestLooksBackToWhatCameLate(t *testing.T) {
	const a, b = "dc=x server 001", "dc=x server 002"
	early, late := "20260101000000.000000Z#000000#002#000000", "20260301115500.000000Z#000000#002#000000"
	token := stampToken{Attribute: entryCSN, From: "20260301115000", Shown: directory.Knowledge{a: "20260301120000.000000Z#000000#001#000000", b: early}}
	for name, c := range map[string]struct {
		seen directory.Knowledge
		want string
	}{
		"nothing came":           {token.Shown, "20260301115000" + csnStart},
		"nothing is shown":       {nil, "20260301115000" + csnStart},
		"the second came late":   {directory.Knowledge{a: token.Shown[a], b: late}, early},
		"a third is new":         {directory.Knowledge{a: token.Shown[a], b: early, "dc=x server 003": late}, firstDay + csnStart},
		"the first has gone on":  {directory.Knowledge{a: "20260301120500.000000Z#000000#001#000000", b: early}, "20260301115000" + csnStart},
		"a token by whole times": {nil, "20260301115000Z"},
	} {
		token := token
		if name == "a token by whole times" {
			token.Attribute = modifyTimestamp
		}
		if got := token.from(c.seen); got != c.want {
			t.Errorf("%s: from %s, want %s", name, got, c.want)
		}
	}
}

// A time in the future, of a clock that was wrong once, blinds nobody.
func TestATimeInTheFuture(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := &timestamp{s: &Source{cfg: Config{Now: func() time.Time { return now }}}}
	for last, want := range map[string]string{"20260301110000": "20260301105000", "20991231235959": "20260301115000", "garbage": firstDay} {
		if got := e.back(last); got != want {
			t.Errorf("back from %s is %s, want %s", last, got, want)
		}
	}
}
