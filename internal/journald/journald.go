// Package journald writes log records to systemd's journal by its native
// protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that each field can be asked
// for: journalctl ROSTERD_PERSON=writer7.
package journald

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket is where journald listens.
const Socket = "/run/systemd/journal/socket"

// Handler is a slog.Handler. Attributes become fields: their keys in capitals,
// those that journald knows as they are, others after the prefix ROSTERD_.
type Handler struct {
	conn  *net.UnixConn
	attrs []slog.Attr
}

// New connects to the socket.
func New(socket string) (*Handler, error) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("connect to journald: %w", err)
	}
	return &Handler{conn: conn}, nil
}

// Close ends the connection.
func (h *Handler) Close() error { return h.conn.Close() }

// IsJournal says whether the file is the stream that systemd connected to the
// journal (JOURNAL_STREAM, systemd.exec(5)).
func IsJournal(f *os.File, stream string) bool {
	var device, inode uint64
	if n, err := fmt.Sscanf(stream, "%d:%d", &device, &inode); n != 2 || err != nil {
		return false
	}
	var stat syscall.Stat_t
	return syscall.Fstat(int(f.Fd()), &stat) == nil && stat.Dev == device && stat.Ino == inode
}

// Enabled takes everything from Info on.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// WithAttrs is as slog has it.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.conn, append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}

// WithGroup leaves groups out: the fields of the journal are flat.
func (h *Handler) WithGroup(string) slog.Handler { return h }

// Handle sends one record.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	field(&b, "MESSAGE", r.Message)
	field(&b, "PRIORITY", priority(r.Level))
	field(&b, "SYSLOG_IDENTIFIER", "rosterd")
	for _, a := range h.attrs {
		field(&b, Name(a.Key), a.Value.String())
	}
	r.Attrs(func(a slog.Attr) bool {
		field(&b, Name(a.Key), a.Value.String())
		return true
	})
	return h.send(b.Bytes())
}

// priority is the level as syslog has it.
func priority(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "3"
	case l >= slog.LevelWarn:
		return "4"
	}
	return "6"
}

// known are fields that journald has a meaning for.
var known = []string{"MESSAGE_ID", "ERRNO", "UNIT", "DOCUMENTATION"}

// Name is the field of an attribute: capitals, digits and "_", at most 64, and
// no "_" or digit at the begin.
func Name(key string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, key)
	for _, k := range known {
		if name == k {
			return name
		}
	}
	name = "ROSTERD_" + strings.TrimPrefix(name, "ROSTERD_")
	return name[:min(len(name), 64)]
}

// field writes one field: as a line, or with its length where a line will not do.
func field(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	if !strings.Contains(value, "\n") {
		b.WriteByte('=')
	} else {
		b.WriteByte('\n')
		_ = binary.Write(b, binary.LittleEndian, uint64(len(value)))
	}
	b.WriteString(value)
	b.WriteByte('\n')
}

// send sends a datagram; what is too long for one goes in a sealed file.
func (h *Handler) send(text []byte) error {
	_, err := h.conn.Write(text)
	if !errors.Is(err, syscall.EMSGSIZE) && !errors.Is(err, syscall.ENOBUFS) {
		return err
	}
	fd, err := unix.MemfdCreate("rosterd", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("write to journald: %w", err)
	}
	f := os.NewFile(uintptr(fd), "journal")
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return fmt.Errorf("write to journald: %w", err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE|unix.F_SEAL_SEAL); err != nil {
		return fmt.Errorf("write to journald: %w", err)
	}
	raw, err := h.conn.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	if err := raw.Write(func(s uintptr) bool {
		serr = unix.Sendmsg(int(s), nil, unix.UnixRights(fd), nil, 0)
		return serr != unix.EAGAIN
	}); err != nil {
		return err
	}
	return serr
}
