package main

import (
	"fmt"
	"io"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// typed runs rosterd on a terminal at which somebody types the answer.
func typed(ts *testscript.TestScript, neg bool, args []string) {
	sure(ts, neg)
	if len(args) < 3 || args[1] != "rosterd" {
		ts.Fatalf("usage: typed ANSWER rosterd VERB …")
	}
	onTerminal(ts, 0, args[0], args[2:])
}

func onTerminal(ts *testscript.TestScript, want int, answer string, args []string) {
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	defer screen.Close()
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	ts.Check(err)
	ts.Check(unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0))
	keys, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	defer keys.Close()
	_, err = io.WriteString(screen, answer+"\n")
	ts.Check(err)
	programWith(ts, keys, want, args)
}
