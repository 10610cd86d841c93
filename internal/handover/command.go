package handover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// What access asks for.
const (
	mayRun   = 1
	mayWrite = 2
)

// command is a program with its arguments.
type command []string

func (c command) String() string { return "by the command " + c[0] }

// give runs the program. Its environment has nothing of ours, and its output goes
// nowhere: it may repeat what it was given.
func (c command) give(ctx context.Context, text []byte, _ Letter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := trusted(c[0]); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c[0], c[1:]...)
	cmd.Stdin = bytes.NewReader(text)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"}
	// A group of its own: what it started ends with it when it takes too long, and a
	// signal from a terminal is for us. It ends when we are killed, too: the next of us sets
	// another password, and this one must not be delivered after that. The kernel
	// means the thread by "we".
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil // at the last moment, too
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return fmt.Errorf("it ended with %s", exit.ProcessState)
	}
	return err
}

// ready looks whether the program is there.
func (c command) ready() (string, error) {
	info, err := os.Stat(c[0])
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return "", fmt.Errorf("%s is no program", c[0])
	case syscall.Access(c[0], mayRun) != nil:
		return "", fmt.Errorf("%s may not be run by this user", c[0])
	}
	if err := trusted(c[0]); err != nil {
		return "", err
	}
	return "passwords are handed over " + c.String(), nil
}
