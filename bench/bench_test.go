package bench

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/rosterd/rosterd/internal/company"
	"github.com/rosterd/rosterd/internal/servers"
)

var (
	people = flag.Int("people", 100_000, "how many people the directory has")
	pairs  = flag.Int("pairs", 5, "how often each is measured, in turn with what it is compared with")
	prove  = flag.Int("provisionings", 5, "how often the first provisioning of a tenth of them is measured, in turn with ldapadd of the same")
)

// site is the directory that everything is read from.
type site struct {
	tb      testing.TB
	company company.Company
	corp    *servers.Slapd
	folder  string
	rosterd string
	ldif    string // of the company, on disk: this process stays small
}

// BenchmarkPeople measures everything once and prints a table; the framework's
// own figures mean nothing.
func BenchmarkPeople(b *testing.B) {
	servers.Require(b, "slapd", "slapadd", "ldapsearch", "ldapadd")
	s := newSite(b)
	var t table
	s.reading(&t)
	s.cycles(&t)
	fmt.Printf("\n%d people, %d groups; %s\n\n%s\n", s.company.People, s.company.Groups+1, version(), &t)
}

func version() string {
	return fmt.Sprintf("%s, %d processors", runtime.Version(), runtime.NumCPU())
}

func newSite(tb testing.TB) *site {
	s := &site{tb: tb, folder: tb.TempDir(), company: company.Company{Suffix: "dc=lab,dc=example", People: *people, Units: 10,
		Groups: max(10, *people/100), Big: *people / 2}}
	s.ldif = filepath.Join(s.folder, "company.ldif")
	f, err := os.Create(s.ldif)
	if err != nil {
		tb.Fatal(err)
	}
	// The suffix is the first entry of a file that slapadd is given.
	if _, err = f.WriteString("dn: dc=lab,dc=example\nobjectClass: dcObject\nobjectClass: organization\no: lab\ndc: lab\n\n"); err == nil {
		err = s.company.Write(f)
	}
	if err := cmp.Or(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
	s.corp = servers.StartSlapd(tb, servers.SlapdConfig{LDIFFiles: []string{s.ldif}, Sync: servers.SyncSessionLog})
	s.write("corp.password", "sync")
	s.rosterd = filepath.Join(s.folder, "rosterd")
	build := exec.Command("go", "build", "-trimpath", "-o", s.rosterd, "../cmd/rosterd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("build rosterd: %v\n%s", err, out)
	}
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.folder, name) }

func (s *site) write(name, text string) string {
	s.tb.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	return s.path(name)
}

// took is what one run of a program cost.
type took struct {
	wall, cpu time.Duration
	peak      int64 // bytes resident at most
	output    string
}

// run runs a program to its end and watches its memory.
func (s *site) run(env []string, name string, args ...string) took {
	s.tb.Helper()
	bin, err := servers.Find(name)
	if err != nil {
		s.tb.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := os.CreateTemp(s.folder, "out")
	if err != nil {
		s.tb.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	var t took
	ended, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			t.peak = max(t.peak, highWater(cmd.Process.Pid))
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	err = cmd.Wait()
	t.wall = time.Since(began)
	close(ended)
	<-watched
	t.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	info, serr := out.Stat()
	if err = cmp.Or(err, serr); err != nil || info.Size() < 1<<20 {
		text, rerr := os.ReadFile(out.Name())
		if err = cmp.Or(err, rerr); err != nil {
			s.tb.Fatalf("run %s %s: %v\n%s", name, strings.Join(args, " "), err, text)
		}
		t.output = string(text)
	}
	if err := os.Remove(out.Name()); err != nil {
		s.tb.Fatal(err)
	}
	return t
}

// highWater is the memory that a process had resident at most; 0 if it has
// ended.
func highWater(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		return 0
	}
	return kb << 10
}

// table is what is printed at the end.
type table struct{ rows [][]string }

func (t *table) add(what string, ours, theirs []time.Duration, notes ...string) {
	row := []string{what, seconds(median(ours)), "", ""}
	if len(theirs) > 0 {
		ratios := make([]float64, len(ours))
		for i := range ours {
			ratios[i] = ours[i].Seconds() / theirs[i].Seconds()
		}
		row[2] = seconds(median(theirs))
		row[3] = fmt.Sprintf("%.2f (%.2f to %.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
	}
	t.rows = append(t.rows, append(row, strings.Join(notes, ", ")))
}

func (t *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "what\trosterd\tOpenLDAP's tool\tratio: median of pairs (least to most)\tbesides")
	for _, r := range t.rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush() //nolint:errcheck // a strings.Builder takes everything
	return b.String()
}

func median[T cmp.Ordered](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func megabytes(n int64) string { return fmt.Sprintf("peak %d MB", n>>20) }
