package identity

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestValidityAt(t *testing.T) {
	from := Bound{At: day("2026-12-01"), By: "hireDate", Day: "2026-12-01"}
	until := Bound{At: day("2027-01-01"), By: "contractEnd", Day: "2026-12-31"}
	for _, c := range []struct {
		name  string
		v     Validity
		at    string
		want  Standing
		why   string
		since string
		next  string
	}{
		{"nothing is said", Validity{}, "2026-12-01", Active, "", "", ""},
		{"closed", Validity{ClosedBy: "nsAccountLock"}, "2026-12-01", Disabled, "disabled at the source by nsAccountLock", "", ""},
		{"closed, whatever the dates", Validity{ClosedBy: "nsAccountLock", From: from, Until: until}, "2026-12-15", Disabled, "disabled at the source by nsAccountLock", "", ""},
		{"before the first day", Validity{From: from, Until: until}, "2026-11-30", NotYet, "starts 2026-12-01 (hireDate)", "", "2026-12-01"},
		{"on the first day", Validity{From: from, Until: until}, "2026-12-01", Active, "", "2026-12-01", "2027-01-01"},
		{"on the last day", Validity{From: from, Until: until}, "2026-12-31", Active, "", "2026-12-01", "2027-01-01"},
		{"on the day after", Validity{From: from, Until: until}, "2027-01-01", Disabled, "ended 2026-12-31 (contractEnd)", "2027-01-01", ""},
		{"a start alone", Validity{From: from}, "2026-12-05", Active, "", "2026-12-01", ""},
		{"an end before the start", Validity{From: until, Until: from}, "2026-11-01", NotYet, "starts 2026-12-31 (contractEnd)", "", "2026-12-01"},
		{"an end before the start, between them", Validity{From: until, Until: from}, "2026-12-05", Disabled, "ended 2026-12-01 (hireDate)", "2026-12-01", ""},
		{"a moment", Validity{Until: Bound{At: day("2026-12-01").Add(17 * time.Hour), By: "accountExpires"}}, "2026-12-02", Disabled,
			"ended 2026-12-01 17:00 UTC (accountExpires)", "", ""},
		{"not told", Validity{Unread: []string{"x: ?"}}, "2026-12-01", Active, "", "", ""},
	} {
		got := c.v.At(day(c.at))
		if got.Standing != c.want || got.Why != c.why || c.since != "" && !got.Since.Equal(day(c.since)) ||
			(c.next == "") != got.Next.IsZero() || c.next != "" && !got.Next.Equal(day(c.next)) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func anyValidity(t *rapid.T) Validity {
	bound := func(name string) Bound {
		if rapid.Bool().Draw(t, "no "+name) {
			return Bound{}
		}
		return Bound{At: day("2026-01-01").Add(time.Duration(rapid.IntRange(0, 40).Draw(t, name)) * time.Hour), By: name}
	}
	v := Validity{From: bound("from"), Until: bound("until")}
	if rapid.IntRange(0, 4).Draw(t, "closed") == 0 {
		v.ClosedBy = "lock"
	}
	if rapid.IntRange(0, 4).Draw(t, "unread") == 0 {
		v.Unread = []string{rapid.SampledFrom([]string{"a: ?", "b: ?"}).Draw(t, "of")}
	}
	return v
}

// As time goes on nobody goes back, and what is said to come next comes then and
// not before: so one due date for each person is enough.
func TestValidityGoesForwardAndSaysWhen(t *testing.T) {
	order := map[Standing]int{NotYet: 0, Active: 1, Disabled: 2}
	rapid.Check(t, func(t *rapid.T) {
		v := anyValidity(t)
		now := day("2025-12-31")
		was := v.At(now)
		for range 80 {
			later := now.Add(30 * time.Minute)
			is := v.At(later)
			if order[is.Standing] < order[was.Standing] {
				t.Fatalf("%+v: %s, then %s", v, was.Standing, is.Standing)
			}
			came := !was.Next.IsZero() && !later.Before(was.Next)
			if (is.Standing != was.Standing) != came {
				t.Fatalf("%+v: %s at %s with next %s, then %s", v, was.Standing, now, was.Next, is.Standing)
			}
			if !is.Next.IsZero() && !is.Next.After(later) || is.Since.After(later) {
				t.Fatalf("%+v at %s: %+v", v, later, is)
			}
			now, was = later, is
		}
	})
}

// Two say more than one: both bound, in either order.
func TestValidityAnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyValidity(t), anyValidity(t)
		now := day("2026-01-01").Add(time.Duration(rapid.IntRange(-1, 41).Draw(t, "now")) * time.Hour)
		both, other := a.And(b), b.And(a)
		if !slices.Equal(both.Unread, other.Unread) || both.At(now).Standing != other.At(now).Standing || !both.At(now).Next.Equal(other.At(now).Next) {
			t.Fatalf("%+v and %+v: %+v, the other way %+v", a, b, both, other)
		}
		active := a.At(now).Standing == Active && b.At(now).Standing == Active
		if got := both.At(now).Standing; (got == Active) != active {
			t.Fatalf("%+v and %+v: %s at %s", a, b, got, now)
		}
		if len(both.Unread) < len(a.Unread) || !slices.IsSorted(both.Unread) {
			t.Fatalf("%q and %q: %q", a.Unread, b.Unread, both.Unread)
		}
		if !a.And(Validity{}).At(now).Next.Equal(a.At(now).Next) || !a.IsZero() && a.And(Validity{}).IsZero() {
			t.Fatalf("%+v and nothing: %+v", a, a.And(Validity{}))
		}
	})
}
