package directory

import "context"

// Watcher is a source that can say at once that something may have changed. What
// it says is a hint that wakes the next cycle, and never what changed: the cycle
// reads as it always does, and the schedule goes on.
type Watcher interface {
	// Watches says whether the configuration asks for it.
	Watches() bool
	// Watch connects and calls moved each time that something may have changed. It
	// ends with the context or with the connection, always with an error; whoever
	// calls it again thinks that something changed in between. Watching is called
	// once, when it has begun, with how. Neither function may block; both may be
	// called from any goroutine.
	Watch(ctx context.Context, watching func(how string), moved func()) error
}
