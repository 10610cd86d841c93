package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	gosync "sync"
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// File is the file that the command writes; nil if it writes none.
	File io.Writer
}

// ErrLost: the server went away before the command ended.
var ErrLost error = &lostError{}

type lostError struct{}

func (*lostError) Error() string {
	return "the service went away before the command ended"
}

// Hint says what to do.
func (*lostError) Hint() string {
	return "what was begun is looked at by the next cycle: rosterd status, and journalctl -u rosterd"
}

// Call has the command run by the server at the other end of conn, which it
// closes, and returns its exit code. Each value from signals asks it to end.
func Call(ctx context.Context, conn net.Conn, ask Request, s Streams, signals <-chan struct{}) (int, error) {
	defer conn.Close()
	ask.Version = version
	if err := send(conn, ask); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrLost, err)
	}
	var mu gosync.Mutex
	say := func(r reply) error {
		mu.Lock()
		defer mu.Unlock()
		return send(conn, r)
	}
	ended := make(chan struct{})
	var watching gosync.WaitGroup
	defer watching.Wait()
	defer close(ended)
	watching.Go(func() {
		for {
			select {
			case <-signals:
				if say(reply{Signal: true}) != nil {
					return
				}
			case <-ctx.Done():
				conn.Close()
				return
			case <-ended:
				return
			}
		}
	})
	in := bufio.NewReader(s.In)
	for {
		var f frame
		if err := receive(conn, &f, limit); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrLost, err)
		}
		if err := f.write(s); err != nil {
			return 0, err
		}
		switch {
		case f.Exit != nil:
			return *f.Exit, nil
		case f.Ask:
			line, err := in.ReadString('\n')
			if err := say(reply{Line: line, End: err != nil}); err != nil {
				return 0, fmt.Errorf("%w: %w", ErrLost, err)
			}
		}
	}
}

func (f frame) write(s Streams) error {
	for _, part := range []struct {
		text []byte
		to   io.Writer
	}{{f.Out, s.Out}, {f.Err, s.Err}, {f.File, s.File}} {
		if len(part.text) == 0 {
			continue
		}
		if part.to == nil {
			return errors.New("the service sent a file that nobody asked for")
		}
		if _, err := part.to.Write(part.text); err != nil {
			return err
		}
	}
	return nil
}
