package state

import (
	"encoding/json"
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
		err = os.WriteFile(holderPath(path), b, 0o600)
	}
	if err != nil {
		dropHolder(path)
	}
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
