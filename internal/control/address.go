package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrNobody: nobody serves the socket.
var ErrNobody = errors.New("nobody serves the control socket")

// A path in a sockaddr_un has at most 107 bytes (unix(7)); through the folder's
// descriptor any path is short.
func short(path string) (string, *os.File, error) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path)), folder, nil
}

// Listen makes the socket. What lies there is removed only if it is a socket
// that nobody serves. Every user may connect: the server asks the kernel who
// they are.
func Listen(path string) (net.Listener, error) {
	name, folder, err := short(path)
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", path, err)
	}
	defer folder.Close()
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("serve %s: something else lies there", path)
		}
		if conn, err := net.DialTimeout("unix", name, time.Second); err == nil {
			conn.Close()
			return nil, fmt.Errorf("serve %s: somebody serves it already", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("serve %s: %w", path, err)
		}
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", path, err)
	}
	// The name under /proc is gone with the folder: the socket is removed by its
	// own, at the end.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, fmt.Errorf("serve %s: %w", path, err)
	}
	return &listener{l, path}, nil
}

type listener struct {
	net.Listener
	path string
}

func (l *listener) Close() error {
	_ = os.Remove(l.path)
	return l.Listener.Close()
}

// Dial connects to whoever serves the socket; ErrNobody if nobody does.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	name, folder, err := short(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	defer folder.Close()
	conn, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "unix", name)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return conn, nil
}
