package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	gosync "sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// steps are what a run says of itself, in their order; "begin" is all before the
// first of them.
var steps = []string{"begin", "read", "seal", "drain", "take", "desire", "observe", "judge", "apply", "verify", "settle"}

// strike is how a run is ended: so long after it said that a step began.
type strike struct {
	step  string
	after time.Duration
	// frozen: it is stopped, the folder of the state copied, and only then
	// killed; who comes next finds the copy.
	frozen bool
}

// outcome is how a run ended.
type outcome struct {
	code   int // -1 if it was killed
	step   string
	output string
}

// draw chooses a strike: the step that was hit least, at any instant of the time
// that it takes.
func (s *storm) draw(among []string) *strike {
	var least []string
	for _, step := range among {
		switch {
		case least == nil || s.hits[step] < s.hits[least[0]]:
			least = []string{step}
		case s.hits[step] == s.hits[least[0]]:
			least = append(least, step)
		}
	}
	step := least[s.random.IntN(len(least))]
	if s.random.IntN(3) == 0 {
		step = among[s.random.IntN(len(among))]
	}
	took := max(s.took[step], 500*time.Microsecond)
	return &strike{step: step, after: time.Duration(s.random.Int64N(int64(took))), frozen: s.random.IntN(4) == 0}
}

// child runs the program, alone or as the service that is asked by another
// process, and strikes if that is wanted.
func (s *storm) child(how *strike, service bool, args ...string) outcome {
	s.t.Helper()
	var out bytes.Buffer
	command := slices.Concat([]string{"-c", s.config}, args)
	if service {
		command = []string{"-c", s.config, "run"}
	}
	cmd := exec.Command(s.binary, command...)
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &out, s.ear.env()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var waiting, striking gosync.WaitGroup
	waiting.Go(func() {
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			s.t.Error(err)
		}
		s.ear.say("ended")
	})
	copied := ""
	aim := func() {
		striking.Go(func() {
			time.Sleep(how.after)
			if how.frozen {
				copied = s.freeze(cmd.Process.Pid)
			}
			_ = cmd.Process.Kill()
		})
	}
	r := outcome{step: "begin"}
	began, asked, answered := time.Now(), false, make(chan outcome, 1)
	if how != nil && how.step == "begin" {
		aim()
	}
	for aimed := false; ; {
		said := s.ear.next(time.Minute)
		step, isStep := stepOf(said)
		switch {
		case said == "ended":
			waiting.Wait()
			striking.Wait()
			r.code = cmd.ProcessState.ExitCode()
			if asked {
				if a := <-answered; r.code == 0 {
					r.code, out = a.code, *bytes.NewBufferString(a.output)
				}
			}
			r.output = out.String()
			if copied != "" {
				s.thaw(copied)
			}
			return r
		case said == "":
			_ = cmd.Process.Kill()
			s.t.Fatalf("rosterd %s hangs in %s\n%s", strings.Join(args, " "), r.step, out.String())
		case said == "READY=1" && service:
			asked = true
			go func() {
				code, stdout, stderr := s.rosterd(args...)
				answered <- outcome{code: code, output: stdout + stderr}
				_ = cmd.Process.Signal(syscall.SIGTERM)
			}()
		case isStep && step != r.step:
			if now := time.Now(); r.step != "" {
				s.took[r.step] = (3*s.took[r.step] + now.Sub(began)) / 4
				began = now
			}
			r.step = step
			if how != nil && step == how.step && !aimed {
				aimed = true
				aim()
			}
		}
	}
}

// stepOf is the step that a status line is of.
func stepOf(said string) (string, bool) {
	line, is := strings.CutPrefix(said, "STATUS=")
	step, _, _ := strings.Cut(line, " ")
	return step, is && slices.Contains(steps, step)
}

// freeze stops the process and copies the folder of the state as it is then.
func (s *storm) freeze(pid int) string {
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return ""
	}
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return "" // it has ended
		}
		break
	}
	from, to := filepath.Join(s.folder, "state"), filepath.Join(s.folder, "copy")
	if err := os.RemoveAll(to); err != nil {
		s.t.Error(err)
	}
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		there := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case e.IsDir():
			return os.MkdirAll(there, 0o700)
		case !e.Type().IsRegular():
			return nil // the socket
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(there, text, 0o600)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return "" // not made yet
	}
	if err != nil {
		s.t.Error(err)
	}
	return to
}

// thaw puts the copy where the state was.
func (s *storm) thaw(copied string) {
	s.frozen++
	from := filepath.Join(s.folder, "state")
	if err := os.RemoveAll(from); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(copied, from); err != nil {
		s.t.Fatal(err)
	}
}

// run has a command done, killed now and then on the way, until it ends with
// want. It returns how often it was killed.
func (s *storm) run(want int, args ...string) int {
	s.t.Helper()
	kills := 0
	for s.left > 0 && (kills == 0 || s.random.IntN(3) > 0) {
		r := s.child(s.draw(steps), s.random.IntN(3) == 0, args...)
		if r.code != -1 {
			if r.code != want {
				s.t.Fatalf("round %d: rosterd %s ended with %d, want %d\n%s", s.number, strings.Join(args, " "), r.code, want, tail(r.output))
			}
			return kills
		}
		kills++
		s.hit(r, args)
	}
	for more := 1; ; more++ {
		r := s.child(nil, s.random.IntN(5) == 0, args...)
		if r.code == want {
			s.more[more]++
			return kills
		}
		s.t.Logf("round %d: run %d after the kill ended with %d\n%s", s.number, more, r.code, tail(r.output))
		if more == 5 {
			s.t.Fatalf("round %d: rosterd %s does not end with %d", s.number, strings.Join(args, " "), want)
		}
	}
}

// hit counts a kill.
func (s *storm) hit(r outcome, args []string) {
	s.left--
	s.hits[r.step]++
	s.during[args[0]]++
}
