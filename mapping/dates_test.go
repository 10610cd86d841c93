package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
)

var berlin = time.FixedZone("CET", 3600)

// dated compiles a policy with dates.
func dated(t *testing.T, zone *time.Location) *Policy {
	t.Helper()
	p, all := compileConfig(Config{Zone: zone, Sources: map[string]SourcePerson{"corp": {
		Start: "hireDate", End: "contractEnd", Required: []string{"cn"}, Disabled: `person.cn == "former"`}}})
	if p == nil {
		t.Fatalf("%+v", all)
	}
	return p
}

// Both days are whole days of the zone, whichever form they are written in.
func TestDates(t *testing.T) {
	p := dated(t, berlin)
	if got := strings.Join(p.Attributes(), " "); got != "cn contractend hiredate" {
		t.Errorf("the coverage is %s", got)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const eve, first, last, after = "2026-11-30 23:59:59", "2026-12-01 00:00:00", "2026-12-31 23:59:59", "2027-01-01 00:00:00"
	for _, c := range []struct {
		name, start, end, now string
		want                  identity.Standing
		why, next, invalid    string
	}{
		{"the eve", "2026-12-01", "2026-12-31", eve, identity.NotYet, "starts 2026-12-01 (hireDate)", first, ""},
		{"the first moment", "2026-12-01", "2026-12-31", first, identity.Active, "as read", after, ""},
		{"the last moment", "2026-12-01", "2026-12-31", last, identity.Active, "as read", after, ""},
		{"the day after", "2026-12-01", "2026-12-31", after, identity.Disabled, "ended 2026-12-31 (contractEnd)", "", ""},
		{"days since 1970", "20788", "20818", eve, identity.NotYet, "starts 2026-12-01 (hireDate)", first, ""},
		{"days since 1970, the last moment", "20788", "20818", last, identity.Active, "as read", after, ""},
		{"days since 1970, the day after", "20788", "20818", after, identity.Disabled, "ended 2026-12-31 (contractEnd)", "", ""},
		{"moments", "20261130230000Z", "20261231230000Z", eve, identity.NotYet, "starts 2026-12-01 00:00 CET (hireDate)", first, ""},
		{"moments, over", "20261130230000Z", "20261231230000Z", after, identity.Disabled, "ended 2027-01-01 00:00 CET (contractEnd)", "", ""},
		{"no end", "2026-12-01", "", first, identity.Active, "as read", "", ""},
		{"never", "2026-12-01", "9223372036854775807", after, identity.Active, "as read", "", ""},
		{"blank", " ", " ", first, identity.Active, "as read", "", ""},
		{"not read", "not read", "not read", first, identity.Active, "as read", "", "contractEnd was not read|hireDate was not read"},
		{"not understood", "soon", "", first, identity.Active, "as read", "", `hireDate: "soon" is no date that is understood`},
		{"not understood, and over", "soon", "2026-12-31", after, identity.Disabled, "ended 2026-12-31 (contractEnd)", "", ""},
		{"not understood, and to come", "2026-12-01", "soon", eve, identity.NotYet, "starts 2026-12-01 (hireDate)", first, ""},
		{"two values", "2026-12-01,2026-12-02", "", first, identity.Active, "as read", "", "hireDate has more than one value"},
		{"zero", "", "0", first, identity.Active, "as read", "", `contractEnd: "0" is never as a file time and 1970 as a day: it can be either`},
	} {
		attrs := map[string][]string{"cn": {"Writer One"}}
		for name, v := range map[string]string{"hireDate": c.start, "contractEnd": c.end} {
			switch v {
			case "not read":
			case "":
				attrs[name] = nil
			default:
				attrs[name] = strings.Split(v, ",")
			}
		}
		who := person(attrs)
		who.Why = "as read"
		d := p.Resolve(Subject{Person: who, Now: at(c.now)})
		next := ""
		if !d.Next.IsZero() {
			next = d.Next.In(berlin).Format("2006-01-02 15:04:05")
		}
		if since := d.Since.In(berlin).Format("2006-01-02 15:04:05"); !d.Since.IsZero() && since != first && since != after || d.Since.IsZero() != (next == first || c.invalid != "" || c.start == "" && d.Standing == identity.Active || strings.TrimSpace(c.start) == "") {
			t.Errorf("%s: since %s", c.name, d.Since)
		}
		if d.Standing != c.want || d.Why != c.why || next != c.next || strings.Join(d.Invalid, "|") != c.invalid {
			t.Errorf("%s: %s, %q, next %q, %q", c.name, d.Standing, d.Why, next, d.Invalid)
		}
	}
}

// What the server says and what the attributes say bound together; nothing of it
// speaks of somebody who is not there, and of one in doubt only that it is over.
func TestDatesBesideTheServer(t *testing.T) {
	p := dated(t, nil)
	now := time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC)
	over := identity.Validity{Until: identity.Bound{At: now.Add(-time.Hour), By: "accountExpires"}}
	later := identity.Validity{Until: identity.Bound{At: now.Add(time.Hour), By: "accountExpires"}}
	coming := identity.Validity{From: identity.Bound{At: now.Add(time.Hour), By: "pwdStartTime"}}
	for _, c := range []struct {
		name     string
		standing identity.Standing
		doubt    identity.Doubt
		server   identity.Validity
		end, cn  string
		want     identity.Standing
		next     bool
	}{
		{"the server's end comes first", identity.Active, 0, over, "2026-12-31", "x", identity.Disabled, false},
		{"the attribute's end comes first", identity.Active, 0, later, "2026-12-14", "x", identity.Disabled, false},
		{"both to come", identity.Active, 0, later, "2026-12-31", "x", identity.Active, true},
		{"closed by an administrator", identity.Disabled, 0, identity.Validity{ClosedBy: "nsAccountLock", From: coming.From}, "2026-12-31", "x", identity.Disabled, false},
		{"the condition holds besides", identity.Active, 0, later, "", "former", identity.Disabled, true},
		{"required is not asked of who has not begun", identity.Active, 0, coming, "", "", identity.NotYet, true},
		{"gone", identity.Gone, 0, coming, "2026-12-14", "x", identity.Gone, false},
		{"out of scope", identity.OutOfScope, 0, later, "2026-12-31", "x", identity.OutOfScope, false},
		{"not seen", identity.Unknown, identity.SecondLook, over, "", "x", identity.Unknown, false},
		{"another has the key, and it is over", identity.Unknown, identity.SharedKey, over, "", "x", identity.Disabled, false},
		{"another has the key, and it is to come", identity.Unknown, identity.SharedKey, coming, "", "x", identity.Unknown, true},
		{"another has the key", identity.Unknown, identity.SharedKey, later, "", "x", identity.Unknown, true},
	} {
		attrs := map[string][]string{"cn": {c.cn}, "hireDate": nil, "contractEnd": {c.end}}
		who := person(attrs)
		who.Standing, who.Doubt, who.Validity = c.standing, c.doubt, c.server
		d := p.Resolve(Subject{Person: who, Now: now})
		if d.Standing != c.want || d.Next.IsZero() == c.next {
			t.Errorf("%s: %s, next %s", c.name, d.Standing, d.Next)
		}
		if invalid := len(d.Invalid) > 0; invalid != (d.Standing == identity.Unknown && c.doubt == identity.SharedKey) {
			t.Errorf("%s: %q", c.name, d.Invalid)
		}
	}
}

// The well-known attributes keep their own meaning under start and end.
func TestDatesOfKnownAttributes(t *testing.T) {
	for name, want := range map[string]string{"accountExpires 0": "active", "AccountExpires 134116128000000000": "disabled", "shadowExpire 0": "disabled",
		"shadowExpire -1": "active", "accountExpires 20261231": "disabled", "hireDate 20261231": "active"} {
		attribute, value, _ := strings.Cut(name, " ")
		p, all := compileConfig(Config{Sources: map[string]SourcePerson{"corp": {End: attribute}}})
		if p == nil {
			t.Fatalf("%+v", all)
		}
		d := p.Resolve(Subject{Person: person(map[string][]string{attribute: {value}}), Now: time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC)})
		if d.Standing.String() != want || d.Invalid != nil {
			t.Errorf("%s: %s, %q", name, d.Standing, d.Invalid)
		}
	}
}

// Dates and their zone are policy, and a zone without dates is none.
func TestDatesInTheHash(t *testing.T) {
	hash := func(s SourcePerson, zone *time.Location) string {
		p, all := compileConfig(Config{Zone: zone, Sources: map[string]SourcePerson{"corp": s}})
		if p == nil {
			t.Fatalf("%+v", all)
		}
		return p.Hash()
	}
	seen := map[string]bool{}
	for _, s := range []SourcePerson{{}, {Start: "a"}, {End: "a"}, {Start: "a", End: "b"}, {Start: "b", End: "a"}} {
		seen[hash(s, nil)], seen[hash(s, berlin)] = true, true
	}
	// Without dates there is one; with them two for each.
	if len(seen) != 9 {
		t.Errorf("%d hashes", len(seen))
	}
}
