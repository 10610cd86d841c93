package mapping

import (
	"strings"
	"testing"
	"time"
)

// A day is after its beginning and before its end; the next flip is the nearest
// of those looked at.
func TestCalendar(t *testing.T) {
	const eve, first, last, after = "2026-11-30 23:59:59", "2026-12-01 00:00:00", "2026-12-31 23:59:59", "2027-01-01 00:00:00"
	const yes, no = "yes", "no"
	for _, c := range []struct{ when, now, want, next string }{
		{`after(person.begin)`, eve, no, first},
		{`after(person.begin)`, first, yes, ""},
		{`before(person.over)`, last, yes, after},
		{`before(person.over)`, after, no, ""},
		{`within(person.begin, person.over)`, eve, no, first},
		{`within(person.begin, person.over)`, first, yes, after},
		{`within(person.begin, person.over)`, after, no, ""},
		{`not within(person.begin, person.over)`, after, yes, ""},
		{`not after(person.begin)`, eve, yes, first},
		{`after("2026-12-01")`, eve, no, first},
		{`after("20261130230000Z")`, first, yes, ""},
		{`before("2026-12-31T23:59:59+01:00")`, last, no, ""},
		{`after(person.days)`, eve, no, first},
		// A shift moves the day, whole.
		{`after(person.begin, "-14d")`, "2026-11-16 23:59:59", no, "2026-11-17 00:00:00"},
		{`after(person.begin, "-2w")`, "2026-11-17 00:00:00", yes, ""},
		{`before(person.over, "1d")`, after, yes, "2027-01-02 00:00:00"},
		{`within(person.begin, person.over, "1d")`, first, no, "2026-12-02 00:00:00"},
		{`after(person.begin, "12h")`, first, no, "2026-12-01 12:00:00"},
		// What does not come.
		{`before(person.none)`, after, yes, ""},
		{`after(person.none)`, after, no, ""},
		{`after(person.none, "-14d")`, after, no, ""},
		{`before(person.never)`, after, yes, ""},
		{`after(person.never)`, after, no, ""},
		{`before(person.blank)`, after, yes, ""},
		{`within(person.begin, person.none)`, first, yes, ""},
		{`within(person.none, person.over)`, first, no, ""},
		{`before(person.accountExpires)`, after, yes, ""},
		{`before(person.none ?? "2026-12-31")`, last, yes, after},
		{`before(lookup("seasons", person.l))`, last, yes, after},
		{`after(first(person.two))`, first, yes, ""},
		// What cannot be read decides nothing, nor does what was not read.
		{`before(person.soon)`, first, doubtValue, ""},
		{`after(person.soon)`, first, doubtValue, ""},
		{`not before(person.soon)`, first, doubtValue, ""},
		{`before(person.two)`, first, doubtValue, ""},
		{`before(person.zero)`, first, doubtValue, ""},
		{`before(person.bin)`, first, doubtValue, ""},
		{`before(person.unread)`, first, doubtCoverage, ""},
		{`after(person.unread)`, first, doubtCoverage, ""},
		{`within(person.begin, person.unread)`, eve, no, first},
		{`within(person.unread, person.over)`, after, no, ""},
		{`within(person.unread, person.over)`, last, doubtCoverage, after},
		{`before(lookup("seasons", person.cn))`, last, yes, ""},
		// Only what is looked at flips, and the nearest is told.
		{`person.cn == "other" and after(person.begin)`, eve, no, ""},
		{`after(person.begin) and person.cn == "other"`, eve, no, ""},
		{`after(person.begin) or before(person.over)`, eve, yes, first},
		{`before(person.over) or after(person.begin)`, eve, yes, first},
		{`person.cn == "writer" ? after(person.begin) : before(person.over)`, eve, no, first},
		{`person.cn == "writer" ? before(person.over) : after(person.begin)`, eve, yes, after},
	} {
		p, all := compileConfig(Config{Zone: berlin, Roles: map[string]Role{"r": {When: c.when}},
			Tables: map[string]map[string]string{"seasons": {"Vienna": "2026-12-31"}}})
		if p == nil {
			t.Errorf("%s: %+v", c.when, all)
			continue
		}
		now, err := time.ParseInLocation(time.DateTime, c.now, berlin)
		if err != nil {
			t.Fatal(err)
		}
		d := p.Resolve(Subject{Now: now, Person: person(map[string][]string{
			"begin": {"2026-12-01"}, "over": {" ", " 20261231 "}, "days": {"20788"}, "cn": {"writer"}, "l": {"Vienna"}, "none": nil, "blank": {" "},
			"never": {"9223372036854775807"}, "accountExpires": {"0"}, "two": {"2026-12-01", "2026-12-02"}, "soon": {"soon"}, "zero": {"0"}, "bin": {"\xff"},
		})})
		got := no
		if len(d.Roles) > 0 {
			got = yes
		}
		if len(d.Doubts) > 0 {
			got = d.Doubts[0].Doubt.Rule
		}
		next := ""
		if !d.Next.IsZero() {
			next = d.Next.In(berlin).Format(time.DateTime)
		}
		if got != c.want || next != c.next {
			t.Errorf("%s at %s: %s, next %q; want %s, %q (%+v)", c.when, c.now, got, next, c.want, c.next, d.Doubts)
		}
	}
}

func TestCalendarMistakes(t *testing.T) {
	for _, c := range []struct {
		when          string
		at            int
		message, hint string
	}{
		{`after()`, 0, "takes 1, or 2 with a shift", "write after("},
		{`within(person.a)`, 0, "takes 2, or 3 with a shift", "write within("},
		{`before(person.a, "1d", "2d")`, 0, "stands here with 3", ""},
		{`before("soon")`, 7, `"soon" is no date`, "2026-12-31"},
		{`before("-1")`, 7, "is never", ""},
		{`before("0")`, 7, "it can be either", ""},
		{`within(person.a, "14d")`, 17, "no date", "a shift stands last"},
		{`after(person.a, "14")`, 16, "unit is missing", `"14d" later`},
		{`after(person.a, "2026-12-31")`, 16, "", `"14d" later`},
		{`after(person.a, person.b)`, 16, "a shift is written out", ""},
		{`after(values(person.a))`, 6, "a list stands where a date", ""},
		{`after(person.a == "x")`, 15, "a condition stands where a date", ""},
		{`after(exact(person.a))`, 6, "exact", ""},
		{`within("2026-12-31", "2026-12-01")`, 0, "ends before it begins", "earlier date first"},
		{`within("2026-12-31", "2026-12-30")`, 0, "ends before it begins", ""},
		{`before(2026)`, 7, "a number", ""},
		{`after(person.a) == "x"`, 0, "a condition cannot be compared", ""},
		{`after(inGroup("cn=a"))`, 6, "take rights away", ""},
		{`today() == person.a`, 0, `unknown function "today"`, ""},
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: c.when}}})
		if p != nil || len(all) != 1 {
			t.Errorf("%s: compiled %v, %+v", c.when, p != nil, all)
			continue
		}
		if got := all[0]; got.Offset != c.at || !strings.Contains(got.Message, c.message) || !strings.Contains(got.Hint, c.hint) {
			t.Errorf("%s: %+v, want %d %q %q", c.when, got, c.at, c.message, c.hint)
		}
	}
	if p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: `within("2026-12-31", "2026-12-31")`}}}); p == nil {
		t.Errorf("one day is refused: %+v", all)
	}
}

// A value may hang on a date too; without a value it parks, as any other.
func TestCalendarInAValue(t *testing.T) {
	p := policy(t, `
[role.r]
birthright = true
[target.t.account]
for = ["r"]
[target.t.attributes]
state = "${after(person.begin) ? 'here' : 'soon'}"
`)
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]string{"2026-12-01": "here", "2026-12-02": "soon 2026-12-02", "": "state: person.begin has no value"} {
		attrs := map[string][]string{"begin": nil}
		if value != "" {
			attrs["begin"] = []string{value}
		}
		d := p.Resolve(Subject{Now: now, Person: person(attrs)})
		a := account(t, d, "t")
		got := a.Invalid
		if got == "" {
			got = a.Attributes[0].Values[0]
		}
		if !d.Next.IsZero() {
			got += d.Next.Format(" " + time.DateOnly)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// The zone is policy where there are dates, and only there; and so are the dates.
func TestCalendarInTheHash(t *testing.T) {
	hash := func(when string, zone *time.Location) string {
		p, all := compileConfig(Config{Zone: zone, Roles: map[string]Role{"r": {When: when}}})
		if p == nil {
			t.Fatalf("%+v", all)
		}
		return p.Hash()
	}
	seen := map[string]string{}
	for _, when := range []string{`after(person.a)`, `before(person.a)`, `after(person.b)`, `after(person.a, "1d")`, `after(person.a, "-1d")`,
		`after("2026-12-31")`, `before("2026-12-31")`, `within(person.a, "2026-12-31")`, `within("2026-12-31", person.a)`} {
		for _, zone := range []*time.Location{nil, berlin} {
			h := hash(when, zone)
			if other, twice := seen[h]; twice {
				t.Errorf("%s in %v is %s", when, zone, other)
			}
			seen[h] = when
		}
	}
	for a, b := range map[string]string{`after("2026-12-31")`: `after("20261231")`, `after(person.a, "14d")`: `after(person.A, "2w")`,
		`after("2026-12-31", "1d")`: `after("2027-01-01")`, `after(person.a, "0d")`: `after(person.a)`} {
		if hash(a, nil) != hash(b, nil) {
			t.Errorf("%s and %s differ", a, b)
		}
	}
	if hash(`person.a == "x"`, nil) != hash(`person.a == "x"`, berlin) {
		t.Error("the zone counts where there is no date")
	}
}
