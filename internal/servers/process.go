package servers

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// readyWithin is how long a server may take until it answers a bind.
const readyWithin = 30 * time.Second

// process is a server that we started. The nil process is one that is not
// running.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	// The server dies with us even when a test binary is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		cmd.Wait() //nolint:errcheck // how a server ended is in its log
		close(p.exited)
	}()
	return p, nil
}

func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) pid() int {
	if !p.running() {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *process) signal(sig syscall.Signal) error {
	if !p.running() {
		return errors.New("signal the server: it is not running")
	}
	return p.cmd.Process.Signal(sig)
}

func (p *process) kill() error {
	if !p.running() {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the server: %w", err)
	}
	<-p.exited
	return nil
}

// stop asks the server to end, and kills it when it has not after 10 s.
func (p *process) stop() error {
	if !p.running() {
		return nil
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop the server: %w", err)
		}
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("stop the server: it did not end within 10 s"), p.kill())
	}
}

// pause returns once every thread has stopped, which on a busy machine is a
// good while after the signal was sent.
func (p *process) pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WSTOPPED, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("pause the server: %w", err)
		}
		return nil
	}
}

func (p *process) resume() error { return p.signal(syscall.SIGCONT) }

var (
	anonymousBind = []byte{0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0}
	// The lengths before it are written in more than one way.
	bindSuccess = []byte{0x0a, 1, 0, 4, 0, 4, 0}
)

// ready waits until the server answers an anonymous bind with success.
func (p *process) ready(addr string) error {
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := tryBind(addr)
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		case <-deadline.C:
			return fmt.Errorf("no answer within %s: %w", readyWithin, err)
		case <-tick.C:
		}
	}
}

func tryBind(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write(anonymousBind); err != nil {
		return err
	}
	buf := make([]byte, 256)
	n, err := c.Read(buf)
	if err != nil {
		return err
	}
	if !bytes.Contains(buf[:n], bindSuccess) {
		return fmt.Errorf("bind anonymously: answered % x", buf[:n])
	}
	return nil
}

// Ports below the range that the system gives to outgoing connections: one of
// those may otherwise sit on the port of a server that is down for a moment.
const (
	firstPort = 12000
	lastPort  = 32000
)

// freePorts returns two ports of 127.0.0.1 that were free a moment ago.
func freePorts() (int, int, error) {
	var ports []int
	var last error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		defer l.Close()
		if ports = append(ports, port); len(ports) == 2 {
			return ports[0], ports[1], nil
		}
	}
	return 0, 0, fmt.Errorf("find a free port: %w", last)
}

// run runs a program to its end; the error carries what it printed.
func run(name string, args ...string) error {
	_, err := output(nil, nil, name, args...)
	return err
}

func output(env []string, stdin []byte, name string, args ...string) ([]byte, error) {
	bin, err := Find(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		e := &ToolError{Tool: filepath.Base(bin), Output: strings.TrimSpace(errs.String() + "\n" + out.String()), err: err}
		if x := (*exec.ExitError)(nil); errors.As(err, &x) {
			e.Code = x.ExitCode()
		}
		return out.Bytes(), e
	}
	return out.Bytes(), nil
}

// ToolError says how a program that was run failed. For the LDAP tools Code is
// the LDAP result code.
type ToolError struct {
	Tool   string
	Code   int
	Output string
	err    error
}

func (e *ToolError) Error() string { return fmt.Sprintf("run %s: %v: %s", e.Tool, e.err, e.Output) }
func (e *ToolError) Unwrap() error { return e.err }
