package ldap_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/servers"
)

// An administrator's lock counts, one by failed logins or for a time does not.
func TestLockedAccountsOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Overlays: []string{"ppolicy"}})
	for login, at := range map[string]string{"forever": "000001010000Z", "attempts": "20260101120000Z", "free": ""} {
		dn := w.person(login, people)
		if at != "" {
			w.must(w.Set(dn, "pwdAccountLockedTime", at))
		}
	}
	w.must(w.conn.Modify(t.Context(), w.person("shadow", people), []ldapwire.Change{
		{Verb: ldapwire.AddValues, Name: "objectClass", Values: []string{"shadowAccount"}}, {Verb: ldapwire.ReplaceValues, Name: "shadowExpire", Values: []string{"20819"}}}))
	times := w.person("times", people)
	w.must(w.Set(times, "pwdStartTime", "20400101000000Z"))
	w.must(w.Set(times, "pwdEndTime", "20500101000000Z"))
	stage, _ := sourcetest.Read(t, w.open(nil))
	for _, e := range stage.Entries() {
		switch v := e.Validity; e.Login {
		case "shadow":
			if !v.Until.At.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) || v.Until.By != "shadowExpire" {
				t.Errorf("%+v", v)
			}
			continue
		case "times":
			if v.From.At.Year() != 2040 || v.From.By != "pwdStartTime" || v.Until.At.Year() != 2050 || v.Until.By != "pwdEndTime" {
				t.Errorf("%+v", v)
			}
			continue
		}
		if closed := e.Validity.ClosedBy == "pwdAccountLockedTime"; closed != (e.Login == "forever") || !closed && !e.Validity.IsZero() {
			t.Errorf("%s: %+v", e.Login, e.Validity)
		}
	}
}

// Whoever is closed for good and is seen open tells that a right was lost: no
// reading is complete then, and nothing is followed. A list of IDs shows no state.
func TestAClosedCanaryOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Overlays: []string{"ppolicy"}})
	canary := w.person("closed", people)
	w.must(w.Set(canary, "pwdAccountLockedTime", "000001010000Z"))
	w.crowd(3, people)
	s := w.open(func(c *ldap.Config) { c.ClosedCanaries, c.Changes = []string{strings.ToUpper(canary)}, "timestamp" })
	m := mirrorOf(t, s)
	lost := `to attrs=pwdAccountLockedTime by dn.exact="` + sync + `" none by * break`
	rest := w.slapd.DefaultAccess()
	w.must(w.slapd.SetAccess(append([]string{lost}, rest...)...))
	if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrCanary) || !strings.Contains(hintOf(t, err), "pwdAccountLockedTime") || !strings.Contains(err.Error(), "not seen to be closed") {
		t.Errorf("%v; %s", err, hintOf(t, err))
	}
	w.person("writer9", people)
	if _, err := m.follow(t.Context()); !errors.Is(err, ldap.ErrCanary) {
		t.Errorf("followed without the right: %v", err)
	}
	if _, err := s.Sweep(t.Context(), &sourcetest.Stage{}); err != nil {
		t.Errorf("a list of IDs: %v", err)
	}
	w.must(w.slapd.SetAccess(rest...))
	sourcetest.Read(t, s)
	m.must()
	// Opened on purpose it is the same: another one must be named.
	w.must(w.Set(canary, "pwdAccountLockedTime"))
	if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrCanary) {
		t.Errorf("%v", err)
	}
}
