package main

import (
	"fmt"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/daemon"
)

// pushers are the sources that are to say at once that something changed. One
// that was made anew is connected to anew.
func (u *unit) pushers() []daemon.Pusher {
	var out []daemon.Pusher
	for _, s := range u.session().engine.Current().Sources {
		if w, is := s.Source.(directory.Watcher); is && w.Watches() {
			out = append(out, daemon.Pusher{Name: s.Source.Name(), Key: fmt.Sprintf("%p", s.Source), Watch: w.Watch})
		}
	}
	return out
}

// sayPushed logs that a connection was made or lost, and not each attempt.
func (u *unit) sayPushed(p daemon.Pushed) {
	switch {
	case !p.Since.IsZero():
		u.log.Info(fmt.Sprintf("source %s says at once that something changed: %s", p.Name, p.How), "MESSAGE_ID", eventPush)
	case p.Failures == 1:
		u.log.Warn(fmt.Sprintf("source %s does not say at once what changed, the schedule goes on: %v", p.Name, p.Err), "MESSAGE_ID", eventPush, "hint", hintOf(p.Err))
	}
}

// pushed is how it stands with each source that is to say at once that something
// changed; none where no service runs.
func (a *app) pushed() map[string]daemon.Pushed {
	out := map[string]daemon.Pushed{}
	if a.service == nil || a.service.pushed == nil {
		return out
	}
	for _, p := range a.service.pushed() {
		out[p.Name] = p
	}
	return out
}

// pushText says it for people.
func pushText(p daemon.Pushed, now time.Time) (hue, string) {
	switch {
	case p.Since.IsZero() && p.Err == nil:
		return dim, "push: connecting"
	case p.Since.IsZero():
		return yellow, fmt.Sprintf("push: not connected, tried again %s; the schedule goes on: %v", ago(now, p.Next), p.Err)
	case p.Told.IsZero():
		return dim, fmt.Sprintf("push: %s, since %s", p.How, moment(p.Since))
	}
	return dim, fmt.Sprintf("push: %s, since %s; something changed %s", p.How, moment(p.Since), ago(now, p.Told))
}

// pushDocument is it for machines.
type pushDocument struct {
	Connected bool       `json:"connected"`
	How       string     `json:"how,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	Told      *time.Time `json:"told,omitempty"`
	Error     string     `json:"error,omitempty"`
	Next      *time.Time `json:"next,omitempty"`
}

func newPushDocument(p daemon.Pushed) *pushDocument {
	d := &pushDocument{Connected: !p.Since.IsZero(), How: p.How, Since: some(p.Since), Told: some(p.Told), Next: some(p.Next)}
	if p.Err != nil {
		d.Error = p.Err.Error()
	}
	return d
}

// push adds to each source how it stands with what it says at once.
func (d *statusDocument) push(pushed map[string]daemon.Pushed) {
	for name, p := range pushed {
		if s, is := d.Sources[name]; is {
			s.Push = newPushDocument(p)
			d.Sources[name] = s
		}
	}
}
