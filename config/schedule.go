package config

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a server may have no zone files

	"github.com/robfig/cron/v3"
	"github.com/rosterd/rosterd/internal/problem"
)

// Schedule is [schedule]: when a daemon does what.
type Schedule struct {
	// Changes asks for what changed, Sweep lists IDs, Resync reads everything.
	Changes, Sweep, Resync Cron
	Timezone               *time.Location
}

// Cron is a set of instants.
type Cron struct {
	// Text is as it was written.
	Text     string
	schedule cron.Schedule
	// zone is set where the schedule names hours of the day.
	zone *time.Location
}

// Next is the first instant after another one; zero if there is none. It is pure.
//
// A schedule that names hours goes by the clock on the wall, as cron does: an
// hour that summer time leaves out is made up for as much later, and one that
// comes twice counts once. A schedule of every hour goes by the time that passes.
func (c Cron) Next(after time.Time) time.Time {
	if c.zone == nil {
		return c.schedule.Next(after)
	}
	wall := onWall(after.In(c.zone))
	for {
		if wall = c.schedule.Next(wall); wall.IsZero() {
			return wall
		}
		if at := fromWall(wall, c.zone); at.After(after) {
			return at
		}
	}
}

// onWall is what the clock shows, as if that were UTC.
func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// fromWall is the first instant at which the clock shows this; where it never
// does, as long after the gap as the time lies in it.
func fromWall(wall time.Time, zone *time.Location) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	if shows := onWall(at); shows.Before(wall) {
		return at.Add(wall.Sub(shows))
	}
	for _, shift := range []time.Duration{time.Hour, 30 * time.Minute} {
		if earlier := at.Add(-shift); onWall(earlier).Equal(wall) {
			return earlier
		}
	}
	return at
}

// scheduleTable is [schedule] as it is written.
type scheduleTable struct {
	Changes  string `toml:"changes"`
	Sweep    string `toml:"sweep"`
	Resync   string `toml:"resync"`
	Timezone string `toml:"timezone"`
}

func defaultSchedule() scheduleTable {
	return scheduleTable{Changes: "*/5 * * * *", Sweep: "7 * * * *", Resync: "30 2 * * *", Timezone: "UTC"}
}

const cronHint = `write five fields: minute hour day-of-month month day-of-week, such as "*/5 * * * *" or "30 2 * * *"`

// compile reports what is wrong with the schedule.
func (t scheduleTable) compile(report problem.Report) Schedule {
	var s Schedule
	zone, err := time.LoadLocation(t.Timezone)
	if err != nil || t.Timezone == "" || t.Timezone == "Local" {
		report.At([]string{"schedule", "timezone"}, fmt.Sprintf("%q is not a time zone", t.Timezone),
			`write "UTC", or a name of the IANA list such as "Europe/Berlin"`)
		zone = time.UTC
	}
	s.Timezone = zone
	usual := defaultSchedule()
	for _, c := range []struct {
		key, text, usual string
		into             *Cron
	}{{"changes", t.Changes, usual.Changes, &s.Changes}, {"sweep", t.Sweep, usual.Sweep, &s.Sweep}, {"resync", t.Resync, usual.Resync, &s.Resync}} {
		path := []string{"schedule", c.key}
		if c.text == c.usual {
			// Only the zone can be wrong with it.
			path[1] = "timezone"
		}
		*c.into = compileCron(path, c.text, zone, report)
	}
	return s
}

// compileCron parses one schedule. The parser panics on a zone without fields,
// knows no Sunday 7 and accepts dates that never come; all that is caught here.
func compileCron(path []string, text string, zone *time.Location, report problem.Report) (out Cron) {
	defer func() {
		if r := recover(); r != nil {
			report.At(path, fmt.Sprintf("the schedule cannot be read: %v", r), cronHint)
		}
	}()
	fields := strings.Fields(text)
	if len(fields) > 0 && (strings.HasPrefix(fields[0], "TZ=") || strings.HasPrefix(fields[0], "CRON_TZ=")) {
		report.At(path, "the time zone does not stand here", "write it in the key timezone of [schedule]")
		return out
	}
	if len(fields) == 5 {
		fields[4] = sunday(fields[4])
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	schedule, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		report.At(path, "the schedule cannot be read: "+err.Error(), cronHint)
		return out
	}
	out.Text = text
	every, ok := schedule.(cron.ConstantDelaySchedule)
	if ok {
		if every.Delay < time.Minute {
			report.At(path, "more often than once a minute", `write "@every 1m" or longer`)
		}
		out.schedule = every
		return out
	}
	spec := schedule.(*cron.SpecSchedule)
	spec.Location = zone
	// A leap year lies within the five years that the parser looks ahead.
	if spec.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, zone)).IsZero() {
		report.At(path, "never runs: there is no such date", "look at the day of the month and the month")
	}
	out.schedule = spec
	if spec.Hour&(1<<24-1) != 1<<24-1 {
		out.zone = zone
		spec.Location = time.UTC
	}
	warnCron(path, fields, spec, zone, report)
	return out
}

// sunday writes the 7 of a day of the week as 0, alone or in a list or range.
func sunday(field string) string {
	items := strings.Split(field, ",")
	for i, item := range items {
		switch from, to, isRange := strings.Cut(item, "-"); {
		case item == "7":
			items[i] = "0"
		case isRange && to == "7" && from == "7":
			items[i] = "0"
		case isRange && to == "7" && len(from) == 1 && from >= "0" && from <= "6":
			items[i] = from + "-6,0"
		}
	}
	return strings.Join(items, ",")
}

// warnCron says what works and surprises.
func warnCron(path []string, fields []string, spec *cron.SpecSchedule, zone *time.Location, report problem.Report) {
	warn := func(message, hint string) {
		report(problem.Problem{Path: path, Offset: -1, Message: message, Hint: hint, Warning: true})
	}
	if len(fields) == 5 && !strings.HasPrefix(fields[2], "*") && !strings.HasPrefix(fields[4], "*") {
		warn("runs on each of these days of the month and on each of these days of the week", "cron joins the two by or; leave one of them *")
	}
	// The hours in which clocks are put forward and back.
	const night, anyHour = 0b1111, 1<<24 - 1
	if hours := spec.Hour & anyHour; hours&night != 0 && hours != anyHour && shifts(zone) {
		warn("in "+zone.String()+" an hour of the night is skipped once a year and comes twice once a year",
			`write timezone = "UTC", or an hour from 4 on`)
	}
}

// shifts says whether the zone has summer time.
func shifts(zone *time.Location) bool {
	_, january := time.Date(2026, 1, 15, 12, 0, 0, 0, zone).Zone()
	for month := time.February; month <= time.December; month++ {
		if _, other := time.Date(2026, month, 15, 12, 0, 0, 0, zone).Zone(); other != january {
			return true
		}
	}
	return false
}
