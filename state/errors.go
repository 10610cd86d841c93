package state

import (
	"errors"
	"fmt"
	"time"
)

// hinted is an error that says what to type or change next.
type hinted struct {
	text, hint string
	err        error
}

func (e *hinted) Error() string {
	if e.err != nil {
		return e.text + ": " + e.err.Error()
	}
	return e.text
}
func (e *hinted) Unwrap() error { return e.err }

// Hint is what to type or change next.
func (e *hinted) Hint() string { return e.hint }

var (
	// ErrMissing: there is no state file, and the caller wanted one to exist.
	ErrMissing error = &hinted{text: "there is no state yet", hint: "run `rosterd sync` or `rosterd plan` first"}
	// ErrNetworkFilesystem: locks and memory maps cannot be trusted there.
	ErrNetworkFilesystem error = &hinted{text: "the state lies on a network or user-space file system",
		hint: "set state.path to a folder on a local disk"}
	// ErrNewerSchema: a later version of rosterd wrote the file.
	ErrNewerSchema error = &hinted{text: "the state was written by a newer rosterd", hint: "install the newer version again"}
	// ErrOlderSchema: the file is from before the first release.
	ErrOlderSchema error = &hinted{text: "the state was written by a rosterd from before its first release",
		hint: "begin with an empty one: rosterd state restore --empty; what it plans for each target is held until you approve it"}
	// ErrOpenToOthers: others than its owner may read the file, which names
	// people, and this process may not change that.
	ErrOpenToOthers error = &hinted{text: "others than its owner may read or write the state file", hint: "chmod 0600 as its owner"}
	// ErrNotOurs: this user may not use the state.
	ErrNotOurs error = &hinted{text: "this user may not use the state", hint: "run it as the owner of the folder, or as root, who becomes that owner"}
	// ErrCorrupt: the file cannot be read as a state.
	ErrCorrupt error = &hinted{text: "the state file is damaged or is not a state of rosterd",
		hint: "put a backup in its place: rosterd state restore FILE; if there is none: rosterd state restore --empty"}
	// ErrReplaced: somebody moved or replaced the file while it was in use.
	ErrReplaced error = &hinted{text: "the state file was moved or replaced while it is in use, and nothing more is written to it",
		hint: "stop what uses it, put in place the file that is to stay, and start again"}
	// ErrNoBackup: the file is no backup, or not the whole of one.
	ErrNoBackup error = &hinted{text: "the file is no backup, or is damaged", hint: "take another backup; nothing was changed"}
	// ErrDiskFull: there is no room for what was to be written. What was written
	// before is there.
	ErrDiskFull error = &hinted{text: "the disk of the state is full", hint: "make room on it; nothing is lost, and the next cycle looks at what was under way"}
	// ErrReadOnlyDisk: nothing can be written there at all.
	ErrReadOnlyDisk error = &hinted{text: "the disk of the state is read-only",
		hint: "find out why (a disk that fails is made read-only), and mount it for writing again"}
	// ErrUndrained: a sealed listing waits to be drained; nothing may plan or
	// read before that.
	ErrUndrained = errors.New("a sealed listing was not drained yet")
	// ErrSettledIntent: an outcome was recorded for an intent that has one.
	ErrSettledIntent = errors.New("the intent has an outcome already")
	// ErrTaken: the account is linked to another person.
	ErrTaken = errors.New("the account is linked to another person")
	// ErrNoPerson: there is no person with this ordinal.
	ErrNoPerson = errors.New("there is no such person")
	// ErrNoHold: there is no hold with this ID.
	ErrNoHold error = &hinted{text: "there is no such hold", hint: "`rosterd status` lists the holds"}
)

// BusyError says that another process has the state open.
type BusyError struct {
	Path string
	// PID is 0 and Command empty where the holder left no word.
	PID     int
	Command string
	Since   time.Time
}

func (e *BusyError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("open state %s: another process has it", e.Path)
	}
	return fmt.Sprintf("open state %s: process %d (%s) has it since %s", e.Path, e.PID, e.Command, e.Since.UTC().Format(time.RFC3339))
}

// Hint is what to do.
func (e *BusyError) Hint() string { return "wait until it ends" }

// LostCoverageError: an attribute, or the members of groups, that most entries
// had is gone from nearly all of them: a right was lost, not data. Nothing was
// sealed.
type LostCoverageError struct {
	Source string
	// Attribute is the name, or "members of groups".
	Attribute string
	// Had counts those seen that had it, Lack those of them that lack it now.
	Had, Lack int
}

func (e *LostCoverageError) Error() string {
	return fmt.Sprintf("seal listing of %s: %s: %d entries had it and %d of them lack it now", e.Source, e.Attribute, e.Had, e.Lack)
}

// Hint is what to do.
func (e *LostCoverageError) Hint() string {
	return "give the bind identity the right to read it again; if it was really given up, take it out of the configuration"
}

// NobodyError: the listing was empty where people were known. Nothing was
// sealed.
type NobodyError struct {
	Source string
	Known  int
}

func (e *NobodyError) Error() string {
	return fmt.Sprintf("seal listing of %s: it shows nobody, and %d people were known", e.Source, e.Known)
}

// Hint is what to do.
func (e *NobodyError) Hint() string {
	return "look at the bases, the filter and the rights of the bind identity; `rosterd check` shows what it sees"
}
