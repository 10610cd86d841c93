// Package control is the control socket: whoever holds the state serves it, and
// runs there the commands of those who find the state held.
//
// A connection carries one command. The client sends a Request; the server sends
// what the command writes, asks for lines of input where it wants one, and ends
// with the exit code. Each message is a length (four bytes, big-endian) and so
// much JSON. The kernel says who the client is.
package control

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// version is of the protocol. Both sides come from one package as a rule; they
// differ while a service waits to be restarted after an upgrade.
const version = 1

// limit is how long one message may be: a plan file goes over in one.
const limit = 64 << 20

// chunk is how much output goes over at once.
const chunk = 32 << 10

// Request is the command that a client wants to be run.
type Request struct {
	Version int `json:"version"`
	// Args are those of the command line, the program's name left out.
	Args []string `json:"args"`
	// Config is a digest of the configuration that the client has read; empty if
	// it could not.
	Config string `json:"config,omitempty"`
	// Input is the content of the file that the command names.
	Input []byte `json:"input,omitempty"`
	// Terminal, Color and Width are of the client's terminal.
	Terminal bool `json:"terminal,omitempty"`
	Color    bool `json:"color,omitempty"`
	Width    int  `json:"width,omitempty"`
	// Sudo is who became root to type it; believed of root only.
	Sudo string `json:"sudo,omitempty"`
}

// frame is one message from the server.
type frame struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	File []byte `json:"file,omitempty"`
	// Ask wants a line of input.
	Ask bool `json:"ask,omitempty"`
	// Exit ends it.
	Exit *int `json:"exit,omitempty"`
}

// reply is one message from the client after the request.
type reply struct {
	// Line answers an Ask; End says that there is no more input.
	Line string `json:"line,omitempty"`
	End  bool   `json:"end,omitempty"`
	// Signal: somebody wants it to end.
	Signal bool `json:"signal,omitempty"`
}

var errLong = errors.New("a message is too long")

func send(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	if len(text) > limit {
		return fmt.Errorf("write message: %w", errLong)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

// receive reads one message of at most most bytes. Memory grows with what
// arrives, not with what is announced.
func receive(r io.Reader, v any, most int64) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > most {
		return fmt.Errorf("read message: %w", errLong)
	}
	text, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil {
		return err
	}
	if int64(len(text)) < n {
		return io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	return nil
}
