package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rosterd/rosterd/internal/clock"
)

// Notifier tells systemd how the service is (sd_notify(3)); without systemd it
// tells nobody. It may be used from several goroutines.
type Notifier struct {
	clock clock.Clock
	// beats counts signs of progress.
	beats atomic.Uint64
	last  atomic.Pointer[string]
	idle  atomic.Bool
}

// NewNotifier speaks to the socket that the environment names.
func NewNotifier(c clock.Clock) *Notifier { return &Notifier{clock: c} }

// patience is how long telling waits for a manager that does not listen: what it
// must hear, and what it may miss.
const (
	patience = 5 * time.Second
	aside    = 250 * time.Millisecond
)

// tell says something to systemd. Nobody to tell, or nobody who listens: the work
// does not depend on it, and does not wait for it.
func tell(state string, within time.Duration) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	// The time of the machine: a clock that stands still would wait for ever.
	_ = conn.SetWriteDeadline(clock.Real{}.Now().Add(within))
	_, _ = conn.Write([]byte(state))
}

// Ready says that the service does its work.
func (n *Notifier) Ready() { tell(daemon.SdNotifyReady, patience) }

// Stopping says that it ends.
func (n *Notifier) Stopping() { tell(daemon.SdNotifyStopping, patience) }

// Status is one line for systemctl status. The same line is said once.
func (n *Notifier) Status(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if was := n.last.Swap(&line); was == nil || *was != line {
		tell("STATUS="+line, aside)
	}
}

// Extend asks for so much more time to start or stop.
func (n *Notifier) Extend(d time.Duration) {
	tell(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", d.Microseconds()), patience)
}

// Beat is a sign of progress.
func (n *Notifier) Beat() { n.beats.Add(1) }

// Idle says whether there is nothing to do: then nothing moves, and rightly.
func (n *Notifier) Idle(is bool) { n.idle.Store(is) }

// Watch feeds the watchdog for as long as there is progress, or nothing to do, until the context
// ends. It returns at once where systemd asks for no watchdog.
func (n *Notifier) Watch(ctx context.Context) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return
	}
	seen := uint64(0)
	for {
		if now := n.beats.Load(); now != seen || n.idle.Load() {
			seen = now
			tell(daemon.SdNotifyWatchdog, patience)
		}
		woken, free := n.clock.After(every / 3)
		select {
		case <-woken:
		case <-ctx.Done():
			free()
			return
		}
	}
}
