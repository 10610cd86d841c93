package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/rosterd/rosterd/internal/journald"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// The events of the log. Each has an ID of its own, by which it is found and by
// which packaging/systemd/rosterd.catalog explains those that need somebody.
const (
	eventStarted  = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b01"
	eventStopping = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b02"
	eventCycle    = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b03"
	eventChange   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b04"
	eventFailed   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b05"
	eventHeld     = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b06"
	eventUnread   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b07"
	eventDown     = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b08"
	eventReload   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b09"
	eventPanic    = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b0a"
	eventForgot   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b20"
	eventHead     = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b0b"
	eventReread   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b0e"
	eventParked   = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b0c"
	eventPush     = "5f3c1a7e0b6f4a0f9a4f6a3e1d2c8b0d"
)

// logger makes the log of the service. The function closes it.
func (a *app) logger(form string) (*slog.Logger, func(), error) {
	if form == "auto" {
		form = "text"
		if f, is := a.stderr.(*os.File); is && journald.IsJournal(f, a.getenv("JOURNAL_STREAM")) {
			form = "journald"
		}
	}
	options := &slog.HandlerOptions{ReplaceAttr: quiet}
	switch form {
	case "journald":
		h, err := journald.New(first(a.journal, journald.Socket))
		if err != nil {
			return nil, nil, err
		}
		return slog.New(h), func() { _ = h.Close() }, nil
	case "text":
		return slog.New(&plainHandler{w: a.stderr}), func() {}, nil
	case "logfmt":
		return slog.New(slog.NewTextHandler(a.stderr, options)), func() {}, nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.stderr, options)), func() {}, nil
	}
	return nil, nil, fmt.Errorf("read --log %q: it is auto, journald, text, logfmt or json", form)
}

// quiet keeps what a directory holds from steering a terminal.
func quiet(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindString {
		a.Value = slog.StringValue(printable(a.Value.String()))
	}
	return a
}

// plainHandler writes one line a record for people: the journal and the terminal
// know the time.
type plainHandler struct {
	w     io.Writer
	attrs []slog.Attr
}

func (h *plainHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (h *plainHandler) WithGroup(string) slog.Handler                { return h }
func (h *plainHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &plainHandler{h.w, append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}

func (h *plainHandler) Handle(_ context.Context, r slog.Record) error {
	word := ""
	switch {
	case r.Level >= slog.LevelError:
		word = "error: "
	case r.Level >= slog.LevelWarn:
		word = "warning: "
	}
	_, err := fmt.Fprintf(h.w, "rosterd: %s%s\n", word, printable(inOneLine(r.Message)))
	return err
}

// inOneLine is a text of lines in one.
func inOneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "; ")
}

// logReport writes what a cycle did: one line a change, one line of totals.
func logReport(log *slog.Logger, r *rostersync.Report, err error) {
	if r == nil {
		if err != nil {
			log.Error("the cycle failed: "+err.Error(), "MESSAGE_ID", eventCycle, "hint", hintOf(err))
		}
		return
	}
	if r.Then != nil {
		defer logReport(log, r.Then, nil)
	}
	log = log.With("cycle", r.Cycle, "verb", r.Verb, "by", r.By)
	if r.Forgotten > 0 {
		log.Info("forgot "+count(r.Forgotten, "person who left long ago"), "MESSAGE_ID", eventForgot, "people", r.Forgotten)
		for _, where := range r.StillNamed {
			log.Warn("people who were forgotten are named still, and it is not rosterd's to change: "+where, "MESSAGE_ID", eventForgot)
		}
	}
	for _, m := range r.Closed {
		log.Info(fmt.Sprintf("the month %s of the journal is closed: records %d to %d, head %s", m.Name, m.From, m.To, m.Head),
			"MESSAGE_ID", eventHead, "head", m.Head.String(), "records", m.To)
	}
	for _, read := range r.Reads {
		if read.Err != nil {
			log.Error(read.Err.Error()+"; nobody's standing has changed", "MESSAGE_ID", eventUnread, "source", read.Source, "hint", first(hintOf(read.Err), "rosterd check"))
		} else if text := rereadText(read); text != "" {
			log.Warn(text, "MESSAGE_ID", eventReread, "source", read.Source, "hint", hintOf(read.Cause))
		}
	}
	if p := r.Policy; p != nil && p.Err != nil {
		log.Error(fmt.Sprintf("judge %s: %v; the policy in force goes on", p.File, p.Err), "MESSAGE_ID", eventUnread, "hint", first(hintOf(p.Err), "rosterd check"))
	} else if p != nil && p.Fate == rostersync.Taken {
		log.Info(fmt.Sprintf("the policy of %s is in force", p.File), "MESSAGE_ID", eventReload)
	}
	for _, p := range r.Pauses {
		log.Warn(fmt.Sprintf("%s is paused by %s: %s", first(p.Target, "every target"), p.By, p.Reason), "MESSAGE_ID", eventHeld, "target", p.Target)
	}
	for _, d := range r.Down {
		log.Error(fmt.Sprintf("target %s: %v", d.Target, d.Err), "MESSAGE_ID", eventDown, "target", d.Target, "hint", first(hintOf(d.Err), "rosterd check"))
	}
	for _, o := range r.Carried {
		log.Info(fmt.Sprintf("%s: %s", o.Change.Target, plan.Words(o.Change)), changeFields(r, o, eventChange)...)
	}
	for _, f := range r.Failed {
		fields := append(changeFields(r, f.Order, eventFailed), "class", f.Outcome.Class.String(), "hint", f.Outcome.Hint, "attempts", f.Outcome.Attempts)
		if !f.Outcome.Next.IsZero() {
			fields = append(fields, "next", f.Outcome.Next.UTC().Format("2006-01-02T15:04:05Z"))
		}
		log.Warn(fmt.Sprintf("%s: %s: %s", f.Order.Change.Target, plan.Words(f.Order.Change), f.Outcome.Err), fields...)
	}
	for _, u := range r.Unverified {
		log.Warn(fmt.Sprintf("%s: %s: %s", u.Target, u.Subject, u.Error), "MESSAGE_ID", eventParked, "target", u.Target, "person", first(r.Login(u.Person), u.Person.String()))
	}
	for _, h := range waiting(r.Holds) {
		log.Warn(fmt.Sprintf("%s: %s: %s; decide: rosterd approve %s", h.Target, h.ID, h.Text, h.ID),
			"MESSAGE_ID", eventHeld, "hold", h.ID, "target", h.Target, "rule", h.Rule, "version", h.Version())
	}
	level := slog.LevelInfo
	if r.Exit() == rostersync.ExitFailed {
		level = slog.LevelError
	}
	text := totals(r)
	if err != nil {
		text = err.Error() + "; " + text
	}
	log.Log(context.Background(), level, text, "MESSAGE_ID", eventCycle, "exit", r.Exit())
}

func changeFields(r *rostersync.Report, o ledger.Order, event string) []any {
	return []any{"MESSAGE_ID", event, "person", first(r.Login(o.Change.Person), o.Change.Name), "target", o.Change.Target,
		"action", o.Change.Verb.String(), "situation", o.Situation, "account", o.Change.Name, "entitlement", o.Change.Entitlement}
}
