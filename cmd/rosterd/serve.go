package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/control"
	"github.com/rosterd/rosterd/internal/daemon"
	rostersync "github.com/rosterd/rosterd/sync"
)

// access is what a verb needs of whoever asks the service to run it.
type access uint8

const (
	looks access = iota + 1
	decides
)

// accesses are the verbs that a service runs for others. What is not here is
// refused.
var accesses = map[string]access{
	"adopt": decides, "exceptions": looks, "grant": decides, "ungrant": decides, "retain": decides, "unretain": decides,
	"status": looks, "explain": looks, "policy": looks, "check": looks, "plan": looks, "audit": looks,
	"sync": decides, "apply": decides, "approve": decides, "reject": decides, "offboard": decides, "release": decides, "pause": decides, "resume": decides, "retry": decides, "forget": decides, "reload": decides, "target forget": decides,
	"what-if":     looks,
	"state check": looks, "state compact": decides, "state backup": decides,
}

// service is what a verb works with that runs inside the process that holds the
// state, for somebody at the control socket.
type service struct {
	// current is the session in force; reload changes it.
	current func() *session
	peer    control.Peer
	ask     control.Request
	streams control.Streams
	// later runs what nobody waits for.
	later func(func(context.Context, func(*rostersync.Report, error)))
	// next is when the next cycle is due; nil where a one-shot serves.
	next func() time.Time
	// pushed is how it stands with what sources say at once; nil where a one-shot
	// serves.
	pushed func() []daemon.Pushed
	// progress hears how far a verb has come, until the function is called; nil
	// where a one-shot serves.
	progress func() (func(rostersync.Progress), func())
	// log writes what a verb did into the log of the service; nil where a
	// one-shot serves.
	log func(*rostersync.Report, error)
	// reload takes the changed file; nil where a one-shot serves.
	reload func(ctx context.Context, by, forget string, mistakes io.Writer) (reloaded, error)
}

// serving is an open control socket.
type serving struct{ server *control.Server }

func (s *serving) close() {
	if s.server != nil {
		_ = s.server.Close()
	}
}

// serve opens the control socket of a session. Where that cannot be done a
// one-shot goes on without: whoever comes is told that it has the state.
func (a *app) serve(current func() *session, more service) (*serving, error) {
	s := current()
	l, err := control.Listen(s.config.Control.Socket)
	if err != nil {
		return nil, err
	}
	handler := func(c *control.Session) int { return a.answer(c, current, more) }
	panicked := func(p any, stack []byte) {
		fmt.Fprintf(a.stderr, "rosterd: error: a command panicked: %v\n%s", p, stack)
	}
	decides := func(p control.Peer) bool { return rightsOf(current()).MayDecide(p) }
	return &serving{control.Serve(l, handler, decides, panicked)}, nil
}

// answer runs one command of somebody at the socket, by the code that runs it by
// hand.
func (a *app) answer(c *control.Session, current func() *session, more service) int {
	more.current, more.peer, more.ask, more.streams = current, c.Peer, c.Request, c.Streams
	inner := &app{stdin: c.Streams.In, stdout: c.Streams.Out, stderr: c.Streams.Err, now: a.now, getenv: func(string) string { return "" },
		stop: make(chan struct{}), service: &more, by: c.Peer.Name, listening: true}
	if c.Peer.UID == 0 && c.Sudo != "" {
		inner.by = c.Sudo
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-c.Stop:
		case <-a.stop:
		case <-done:
			return
		}
		close(inner.stop)
	}()
	ctx := context.Background()
	if v, err := inner.verbOf(c.Args); err == nil && accesses[v] == looks {
		ctx = c.Gone
	}
	return inner.runContext(ctx, c.Args)
}

// verbOf is the verb that the arguments name.
func (a *app) verbOf(args []string) (string, error) {
	cmd, _, err := a.root().Find(args)
	if err != nil {
		return "", err
	}
	return verbOf(cmd), nil
}

// admit refuses what a service does not do for others, and whom it does not do
// it for. Every verb of a service passes here before it begins.
func (a *app) admit(verb string) error {
	if a.service == nil {
		return nil
	}
	s := a.service.current()
	rights := rightsOf(s)
	kind, known := accesses[verb]
	switch {
	case !known:
		return usage(fmt.Errorf("%s: this verb is not run by the service", verb), "")
	case kind == decides && !rights.MayDecide(a.service.peer):
		return &exit{code: rostersync.ExitFailed, err: fmt.Errorf("%s: %s may look, and not decide", verb, a.service.peer.Name),
			tip: "those may who are named under decide in [control], and root: sudo rosterd " + verb}
	case !rights.MayLook(a.service.peer):
		return &exit{code: rostersync.ExitFailed, err: fmt.Errorf("%s: %s may not look", verb, a.service.peer.Name),
			tip: "those may who are named under look or decide in [control], and root"}
	}
	ask, lenient := strings.CutPrefix(a.service.ask.Config, orAny)
	if path, only := strings.CutPrefix(ask, ofState); only {
		if path != s.config.State.Path {
			return usage(fmt.Errorf("%s: the service has %s, and not %s", verb, s.config.State.Path, path), "another state.path takes a restart: systemctl restart rosterd")
		}
		return nil
	}
	if ask != "" && ask != s.config.Digest && ask != ofMain+s.config.Main && verb != "reload" && verb != "what-if" {
		if !lenient || !whatever[verb] {
			return usage(fmt.Errorf("%s: %s changed since the service took it", verb, s.config.File), "take the changed file first: rosterd reload")
		}
		a.warn(s.config.File + " changed since the service took it, and this is of what it took; to take the changed file: rosterd reload")
	}
	return nil
}

func rightsOf(s *session) control.Rights {
	return control.Rights{Look: s.config.Control.Look, Decide: s.config.Control.Decide}
}

// elsewhere has the verb run by whoever serves the socket. It returns nil if
// nobody does; what it returns otherwise ends the verb.
func (a *app) elsewhere(ctx context.Context, socket, config string) error {
	conn, err := control.Dial(ctx, socket)
	if errors.Is(err, control.ErrNobody) {
		return nil
	}
	if err != nil {
		return failed(err)
	}
	ask := control.Request{Args: a.args, Config: config, Input: a.input, Terminal: terminal(a.stdin), Color: a.colored(a.stdout),
		Width: a.width(), Sudo: a.getenv("SUDO_USER")}
	signals, end := relay()
	defer end()
	streams := control.Streams{In: a.stdin, Out: a.stdout, Err: a.stderr}
	if a.output != nil {
		streams.File = a.output
	}
	code, err := control.Call(ctx, conn, ask, streams, signals)
	if err != nil {
		return failed(err)
	}
	return &exit{code: code}
}
