package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// smallDisk is a shell with a small disk of its own under the folder of the state,
// that nobody else sees. So the disk can be filled, and made read-only.
type smallDisk struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func newSmallDisk(t *testing.T, s *site, size string) *smallDisk {
	t.Helper()
	folder := filepath.Join(s.folder, "state")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"-rm", "sh"}
	if os.Geteuid() == 0 {
		args[0] = "-m"
	}
	cmd := exec.Command("unshare", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the shell: %v", err)
		}
	})
	d := &smallDisk{t: t, in: in, out: bufio.NewScanner(out)}
	d.out.Buffer(nil, 16<<20)
	d.want(0, "mount -t tmpfs -o mode=0700,size="+size+" none "+folder+" && cd "+folder+" && alias rosterd='"+rosterdBinary(t)+" -c "+s.config+"'")
	return d
}

// run runs a line of the shell, and returns how it ended and what it printed.
func (d *smallDisk) run(line string) (code int, output string) {
	d.t.Helper()
	if _, err := fmt.Fprintf(d.in, "{ %s\n} 2>&1; echo \"=== $?\"\n", line); err != nil {
		d.t.Fatal(err)
	}
	began := time.Now()
	defer func() { d.t.Logf("%s: %d in %s", line, code, time.Since(began).Round(time.Millisecond)) }()
	var b strings.Builder
	for d.out.Scan() {
		if text, is := strings.CutPrefix(d.out.Text(), "=== "); is {
			code, err := strconv.Atoi(text)
			if err != nil {
				d.t.Fatal(err)
			}
			return code, b.String()
		}
		b.WriteString(d.out.Text() + "\n")
	}
	d.t.Fatalf("the shell ended: %v", d.out.Err())
	return 0, ""
}

func (d *smallDisk) want(want int, line string, texts ...string) string {
	d.t.Helper()
	code, out := d.run(line)
	if code != want {
		d.t.Fatalf("%s: ended with %d, want %d\n%s", line, code, want, tail(out))
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			d.t.Fatalf("%s: %q is not in\n%s", line, text, out)
		}
	}
	return out
}

// fill leaves so many bytes of room.
func (d *smallDisk) fill(room int) {
	d.t.Helper()
	d.want(0, "rm -f filler; head -c $(( $(df --output=avail -B1 . | tail -1) - "+strconv.Itoa(room)+" )) /dev/zero > filler")
}

func (d *smallDisk) inDoubt() int {
	d.t.Helper()
	var doc struct {
		InDoubt int `json:"in_doubt"`
	}
	if err := json.Unmarshal([]byte(d.want(0, "rosterd status --json")), &doc); err != nil {
		d.t.Fatal(err)
	}
	return doc.InDoubt
}

// Law 7 on a disk that is full, at the command line: before the writes, and in the
// middle of them, when intents are on disk and there is no room for the outcomes.
func TestADiskThatIsFull(t *testing.T) {
	s := newSite(t, company.Company{People: 300, Units: 2, Groups: 10, Big: 20}, guardOff)
	d := newSmallDisk(t, s, "12M")
	d.want(3, "rosterd plan")
	d.fill(0)
	d.want(0, "rosterd status")
	d.want(0, "rosterd state check")
	d.want(1, "rosterd sync", "the disk of the state is full", "hint: make room")
	if n := len(s.accounts()); n != 0 {
		t.Fatalf("%d accounts were written, and no intent of them", n)
	}
	doubt := 0
	for room := 150_000; doubt == 0; room += 100_000 {
		if room > 3_000_000 {
			t.Fatal("the disk was never full between intents and outcomes")
		}
		d.fill(room)
		if code, out := d.run("rosterd sync"); code != 1 || !strings.Contains(out, "the disk of the state is full") {
			t.Fatalf("with room for %d bytes: %d\n%s", room, code, out)
		}
		doubt = d.inDoubt()
		t.Logf("room for %d bytes: %d writes in doubt, %d accounts", room, doubt, len(s.accounts()))
	}
	d.want(0, "rosterd state check")
	d.want(0, "rm filler")
	d.want(0, "rosterd sync")
	d.want(0, "rosterd audit --verify")
	d.want(0, "rosterd sync --full", "Done: nothing")
	if n := len(s.accounts()); n != 300 {
		t.Fatalf("%d accounts of 300", n)
	}
	// Each was made once, by one who knew of it.
	out := d.want(0, "rosterd audit --action create --kind outcome --jsonl")
	made := map[uint64]int{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var r struct {
			Person uint64 `json:"person"`
			Public struct {
				Done bool `json:"done"`
			} `json:"public"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err, line)
		}
		if r.Public.Done {
			made[r.Person]++
		}
	}
	for who, n := range made {
		if n != 1 {
			t.Errorf("%d was made %d times", who, n)
		}
	}
	if len(made) != 300 {
		t.Errorf("the journal has %d of 300", len(made))
	}
}

// The service says that it cannot write, looks as ever, and goes on by itself when
// there is room again. A disk that is read-only is said to be that.
func TestTheServiceOnAFullDisk(t *testing.T) {
	s := newSite(t, company.Company{People: 30, Units: 2, Groups: 10, Big: 20}, guardOff+"[control]\nsocket = \"@FOLDER@/c.sock\"\n")
	d := newSmallDisk(t, s, "4M")
	d.want(0, "rosterd run --log text > ../log 2>&1 & SERVICE=$!")
	d.want(0, "for i in $(seq 100); do grep -q 'cycle' ../log && break; sleep 0.1; done; rosterd sync")
	if n := len(s.accounts()); n != 30 {
		t.Fatalf("%d accounts of 30", n)
	}
	d.want(0, "rosterd state compact") // no free page is left in the file
	d.fill(0)
	s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n\n", s.company.DN(7))
	d.want(1, "rosterd sync", "the disk of the state is full", "hint: make room")
	d.want(0, "rosterd status", "the disk of the state is full")
	d.want(1, "rosterd status --exit-code")
	d.want(0, "rosterd explain p00007")
	d.want(0, "rm filler")
	d.want(0, "rosterd sync", "disable p00007")
	if out := d.want(0, "rosterd status --exit-code"); strings.Contains(out, "full") {
		t.Errorf("it still says so:\n%s", out)
	}
	d.want(0, "kill $SERVICE; wait $SERVICE")

	d.want(0, "mount -o remount,ro .")
	d.want(1, "rosterd sync", "the disk of the state is read-only", "hint: ")
	d.want(1, "rosterd run", "the disk of the state is read-only")
	d.want(0, "mount -o remount,rw .")
	d.want(0, "rosterd sync")
}
