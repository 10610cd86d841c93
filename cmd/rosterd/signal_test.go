package main

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestTheFirstSignalStopsAndTheSecondAborts(t *testing.T) {
	a := &app{stderr: io.Discard, stop: make(chan struct{})}
	aborted := make(chan struct{})
	end := a.listen(func() { close(aborted) })
	defer end()
	a.listen(nil)() // a cycle within the demo does not end the listening
	wait := func(what string, c <-chan struct{}) {
		t.Helper()
		select {
		case <-c:
		case <-time.After(5 * time.Second):
			t.Fatal(what)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait("the first signal did not stop", a.stop)
	select {
	case <-aborted:
		t.Fatal("the first signal aborted")
	default:
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	wait("the second signal did not abort", aborted)
}

func TestOnlyRootIsBelievedWhoTyped(t *testing.T) {
	a := &app{getenv: func(string) string { return "somebody.else" }}
	if by := a.caller(); (by == "somebody.else") != (os.Geteuid() == 0) {
		t.Errorf("the journal would name %q", by)
	}
}
