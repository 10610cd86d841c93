package config

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
)

// A run at half past two is neither lost nor doubled by summer time; one of every
// half hour goes by the time that passes.
func TestSummerTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		from       time.Time
		want       []string
	}{
		{"spring", "30 2 * * *", time.Date(2026, 3, 28, 12, 0, 0, 0, zone), []string{"2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"autumn", "30 2 * * *", time.Date(2026, 10, 24, 12, 0, 0, 0, zone), []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"after the first of the two", "30 2 * * *", time.Date(2026, 10, 25, 0, 45, 0, 0, time.UTC), []string{"2026-10-26T02:30:00+01:00"}},
		{"each half hour in autumn", "*/30 * * * *", time.Date(2026, 10, 24, 23, 50, 0, 0, time.UTC),
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00"}},
	} {
		cron := compileCron([]string{"schedule", "resync"}, c.text, zone, func(problem.Problem) {})
		at := c.from
		for _, want := range c.want {
			at = cron.Next(at)
			if got := at.In(zone).Format(time.RFC3339); got != want {
				t.Errorf("%s: %s, want %s", c.name, got, want)
			}
		}
	}
}
