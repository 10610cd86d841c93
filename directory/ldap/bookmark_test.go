package ldap

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Groups that may still change without a trace are looked at once more, not before
// the server had its time, and not for ever.
func TestGroupsThatAreLate(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	plain := bookmark{Engine: []byte("x")}
	if plain.due(now) {
		t.Error("nothing is late, and something is due")
	}
	late := plain.with(map[identity.ID]bool{"b": true, "a": true}, now)
	for after, want := range map[time.Duration]bool{0: false, time.Second: false, lookAgain: true, time.Hour: true, -time.Second: true} {
		if late.due(now.Add(after)) != want {
			t.Errorf("due after %v: %t", after, !want)
		}
	}
	text, err := late.text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := bookmarkOf(text)
	if err != nil || !slices.Equal(again.Late, []identity.ID{"a", "b"}) || !again.Since.Equal(now) || string(again.Engine) != "x" {
		t.Errorf("read back: %+v, %v", again, err)
	}
	if more := again.with(map[identity.ID]bool{"c": true}, now.Add(time.Second)); !slices.Equal(more.Late, []identity.ID{"a", "b", "c"}) {
		t.Errorf("with one more: %v", more.Late)
	}
	for _, bad := range []string{"", "{}", "null", "[]", "x", `{"late":["a"]}`} {
		if _, err := bookmarkOf([]byte(bad)); !errors.As(err, new(*directory.LostError)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestUpdateVector(t *testing.T) {
	for line, want := range map[string][2]string{
		"{replica 7 ldap://localhost:389} 6b0b3814000100070000 6B0B3814000300070000": {"7", "6b0b3814000300070000"},
		"{replica 7 ldap://localhost:389}":                                           {},
		"{replicageneration} 6b0b3814000000070000":                                   {},
		"{replica 7} 6b0b3814000100070000 6b0b3814000300070000":                      {"7", "6b0b3814000300070000"},
		"": {},
	} {
		replica, csn, ok := lastOfReplica(line)
		if [2]string{replica, csn} != want || ok != (want[0] != "") {
			t.Errorf("%q: %q %q %t", line, replica, csn, ok)
		}
	}
}
