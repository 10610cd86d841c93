package moment

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGeneralized(t *testing.T) {
	for text, want := range map[string]string{
		"20261231170000Z":              "2026-12-31T17:00:00Z",
		"202612311700Z":                "2026-12-31T17:00:00Z",
		"2026123117Z":                  "2026-12-31T17:00:00Z",
		"20261231170000.5Z":            "2026-12-31T17:00:00.5Z",
		"20261231170000,25Z":           "2026-12-31T17:00:00.25Z",
		"202612311700.5Z":              "2026-12-31T17:00:30Z",
		"2026123117.75Z":               "2026-12-31T17:45:00Z",
		"20261231170000+0100":          "2026-12-31T16:00:00Z",
		"20261231170000-0530":          "2026-12-31T22:30:00Z",
		"20261231230000-02":            "2027-01-01T01:00:00Z",
		"20261231235960Z":              "2027-01-01T00:00:00Z",
		"20240229000000Z":              "2024-02-29T00:00:00Z",
		"20261231170000.0Z":            "2026-12-31T17:00:00Z",
		"19700101000000Z":              "1970-01-01T00:00:00Z",
		"99991231235959Z":              "9999-12-31T23:59:59Z",
		"20261231170000.123456789123Z": "2026-12-31T17:00:00.123456789Z",
	} {
		if got, err := Generalized(text); err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s, %v", text, got.Format(time.RFC3339Nano), err)
		}
	}
	for _, text := range []string{"", "Z", "2026", "20261231", "20261231Z", "20261231170000", "20261231170000z", "20261331170000Z", "20260230000000Z",
		"20261231240000Z", "20261231176000Z", "20261231170061Z", "20261231170000.Z", "20261231170000+1Z", "20261231170000+24", "20261231170000+0160",
		"20261231170000Z ", " 20261231170000Z", "2026123117000Z", "+0261231170000Z", "20261231170000ZZ", "never", "00000101000000Z", "18991231235959Z",
		"99991231235959-0100", "２０261231170000Z", "\x00"} {
		if got, err := Generalized(text); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestFileTime(t *testing.T) {
	for text, want := range map[string]string{
		"134116128000000000":  "2025-12-31T00:00:00Z",
		"134116128000000001":  "2025-12-31T00:00:00.0000001Z",
		"116444736000000000":  "1970-01-01T00:00:00Z",
		"1":                   "1601-01-01T00:00:00.0000001Z",
		"0":                   "never",
		"9223372036854775807": "never",
		"9223372036854775806": "never",
		"2650467743999999999": "9999-12-31T23:59:59.9999999Z",
		"2650467744000000000": "never",
	} {
		at, never, err := FileTime(text)
		got := at.Format(time.RFC3339Nano)
		if never {
			got = "never"
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "9223372036854775808", "0x1", "1.5", "never", "20261231170000Z"} {
		if at, never, err := FileTime(text); err == nil {
			t.Errorf("%q: %s, never %v", text, at, never)
		}
	}
}

func TestShadowExpire(t *testing.T) {
	for text, want := range map[string]string{"20819": "2027-01-01", "1": "1970-01-02", "0": "1970-01-01", "-1": "never", "2932896": "9999-12-31"} {
		at, never, err := ShadowExpire(text)
		got := at.Format(time.DateOnly)
		if never {
			got = "never"
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-2", "2932897", "99999999999", "soon", "1.0"} {
		if at, never, err := ShadowExpire(text); err == nil {
			t.Errorf("%q: %s, never %v", text, at, never)
		}
	}
}

func TestParse(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		// A day is as long as it is on the wall.
		"2026-12-31":                "2026-12-31T00:00:00+01:00 2027-01-01T00:00:00+01:00 2026-12-31",
		"20261231":                  "2026-12-31T00:00:00+01:00 2027-01-01T00:00:00+01:00 2026-12-31",
		"20818":                     "2026-12-31T00:00:00+01:00 2027-01-01T00:00:00+01:00 2026-12-31",
		"2026-03-29":                "2026-03-29T00:00:00+01:00 2026-03-30T00:00:00+02:00 2026-03-29",
		" 2026-12-31 ":              "2026-12-31T00:00:00+01:00 2027-01-01T00:00:00+01:00 2026-12-31",
		"9999-12-31":                "9999-12-31T00:00:00+01:00 10000-01-01T00:00:00+01:00 9999-12-31",
		"2026-12-31T17:00:00Z":      "2026-12-31T18:00:00+01:00",
		"2026-12-31T17:00:00+03:00": "2026-12-31T15:00:00+01:00",
		"2026-12-31T17:00:00":       "2026-12-31T17:00:00+01:00",
		"2026-12-31T17:00":          "2026-12-31T17:00:00+01:00",
		"2026-12-31 17:00":          "2026-12-31T17:00:00+01:00",
		"20261231170000Z":           "2026-12-31T18:00:00+01:00",
		"20261231170000":            "2026-12-31T17:00:00+01:00",
		"202612311700":              "2026-12-31T17:00:00+01:00",
		"134116128000000000":        "2025-12-31T01:00:00+01:00",
		"9223372036854775807":       "never",
		"-1":                        "never",
	} {
		m, err := Parse(text, berlin)
		got := m.At.Format(time.RFC3339)
		switch {
		case m.Never:
			got = "never"
		case m.Day != "":
			got += " " + m.After.In(berlin).Format(time.RFC3339) + " " + m.Day
		case !m.After.Equal(m.At):
			got += " and not a moment"
		}
		if err != nil || got != want {
			t.Errorf("%q: %s, want %s, %v", text, got, want, err)
		}
	}
	for _, text := range []string{"", " ", "0", "-2", "1767139200", "1767139200000", "31.12.2026", "12/31/2026", "2026-13-01", "2026-02-30", "20260230", "0001-01-01",
		"0001-01-01T00:00:00Z", "1899-12-31", "2026-12-31T25:00", "2026-12-3", "999999999", "0000-00-00", "00000000", "never", "9999999", "2999999999999999999999"} {
		if m, err := Parse(text, berlin); err == nil {
			t.Errorf("%q: %+v", text, m)
		}
	}
}

// Where summer time begins at midnight the day begins later, and never on the
// day before.
func TestDaysWithoutMidnight(t *testing.T) {
	for zone, text := range map[string]string{"America/Sao_Paulo": "2018-11-04", "Asia/Beirut": "2022-03-27", "America/Havana": "2024-03-10", "Pacific/Apia": "2011-12-31"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(text, loc)
		if err != nil || m.At.In(loc).Format(time.DateOnly) != text || m.At.Add(-time.Second).In(loc).Format(time.DateOnly) >= text {
			t.Errorf("%s in %s begins at %s, %v", text, zone, m.At.In(loc), err)
		}
	}
}

// What is written of a moment is read as that moment, in every form.
func TestRoundTrip(t *testing.T) {
	zone := time.FixedZone("x", 3600)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 250_000_000_000).Draw(t, "at"), 0).UTC()
		for _, form := range []string{"20060102150405Z", "20060102150405.0Z", "2006-01-02T15:04:05Z"} {
			if m, err := Parse(at.Format(form), zone); err != nil || !m.At.Equal(at) {
				t.Fatalf("%s: %+v, %v", at.Format(form), m, err)
			}
		}
		m, err := Parse(at.Format(time.DateOnly), time.UTC)
		if err != nil || at.Before(m.At) || !at.Before(m.After) {
			t.Fatalf("%s is not within %+v, %v", at, m, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"2026-12-31", "20261231170000.5+0100", "134116128000000000", "20818", "0", "-1", "2026-12-31T17:00:00Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text, time.UTC)
		switch {
		case err != nil && (m != Moment{} || strings.ContainsAny(err.Error(), "\n\x00")):
			t.Errorf("%q: %+v beside %q", text, m, err)
		case err == nil && !m.Never && (m.After.Before(m.At) || m.At.Year() < 1900 || m.At.Year() > 9999 || m.After.Year() > 9999):
			t.Errorf("%q: %+v", text, m)
		}
		if at, err := Generalized(text); err == nil && (at.Year() < 1900 || at.Year() > 9999) {
			t.Errorf("%q: %s", text, at)
		}
		_, _, _ = FileTime(text)
		_, _, _ = ShadowExpire(text)
	})
}
