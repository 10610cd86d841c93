package state

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// holder is the word that a process leaves beside the file it has locked, for
// those who find it locked.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func holderPath(path string) string { return path + ".holder" }

// writeHolder leaves the word. It is a courtesy: on a full disk, where it cannot
// be left, the state is still to be looked at.
func writeHolder(path string, now time.Time) {
	// The arguments may name people; the program and its verb are enough.
	command := filepath.Base(os.Args[0])
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		command += " " + os.Args[1]
	}
	b, err := json.Marshal(holder{PID: os.Getpid(), Command: command, Since: now})
	if err == nil {
		err = leave(holderPath(path), b)
	}
	if err != nil {
		dropHolder(path)
	}
}

// leave makes a new file: what stands there is of a process that was killed, or
// a link that somebody laid.
func leave(path string, b []byte) error {
	_ = os.Remove(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func dropHolder(path string) { _ = os.Remove(holderPath(path)) }

func busy(path string) error {
	e := &BusyError{Path: path}
	var h holder
	if b, err := os.ReadFile(holderPath(path)); err == nil && json.Unmarshal(b, &h) == nil {
		e.PID, e.Command, e.Since = h.PID, h.Command, h.Since
	}
	return e
}
