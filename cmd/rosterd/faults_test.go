package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// The parts of the company that a round changes. Every second round undoes the
// one before, so that the servers stay up; only the joiners grow in number.
const (
	leaving    = 200  // below: disabled and stripped in one round, back in the next
	returning  = 400  // below: the other way round
	promoted   = 600  // below: gain a right, lose it
	demoted    = 800  // below: the other way round
	remailed   = 1390 // below: another address
	killPeople = 1500 // the rest stays as it is
	joiners    = 100  // in each round, with a right each
	// killWrites is what comes of one round: 410 of those who leave, ten of whom
	// had two rights, 400 of those who return, 200 and 200 of rights, 590
	// addresses, 200 of joiners.
	killWrites = 2000
	// killsASite is after how many kills both servers and the state are made
	// afresh, since joiners and journal make every round longer.
	killsASite = 20
)

// Law 7: rosterd is killed at random instants of an apply of 2,000 changes.
// Whatever the instant: the next run ends it, both directories agree, and the
// journal accounts for every write, once.
func TestKilledInMidApply(t *testing.T) {
	kills, seed := fromEnv(t, "ROSTERD_KILLS", 10), uint64(fromEnv(t, "ROSTERD_SEED", int(time.Now().UnixNano()&0xffffffff)))
	t.Logf("%d kills; to repeat them: ROSTERD_KILLS=%d ROSTERD_SEED=%d", kills, kills, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	fell, runs, rounds := map[string]int{}, map[int]int{}, 0
	for left := kills; left > 0 && !t.Failed(); {
		k := newKilling(t, random)
		for range killsASite {
			if left == 0 || t.Failed() {
				break
			}
			left -= k.round(left, fell, runs)
			rounds++
		}
		k.stop()
	}
	t.Logf("%d kills in %d rounds of %d changes, seed %d", kills, rounds, killWrites, seed)
	tell(t, fell, runs)
}

func fromEnv(t *testing.T, name string, value int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return value
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("read %s: %q is not a number of at least 1", name, text)
	}
	return n
}

// killing is a site in which rosterd is killed.
type killing struct {
	*site
	random *rand.Rand
	number int // of the round
	wrong  int // faults that were told
	// A sync that is left alone takes so long, and applies from and until these
	// moments.
	whole, from, until time.Duration
}

func newKilling(t *testing.T, random *rand.Rand) *killing {
	k := &killing{random: random, site: newSite(t, company.Company{People: killPeople, Groups: 10, Big: returning}, guardOff)}
	k.binary = rosterdBinary(t)
	k.edit("${lower(person.mail)}\"", "${lower(person.mail)}\"\nemployeeNumber = \"${person.employeeNumber}\"")
	k.want(0, "sync")
	var change strings.Builder
	for i := leaving; i < returning; i++ {
		k.set(&change, i, "employeeType", "former")
	}
	for i := promoted; i < demoted; i++ {
		k.set(&change, i, "title", "Publisher")
	}
	k.modify("%s", change.String())
	k.want(0, "sync")

	// One round that nobody disturbs says how long it takes.
	before, last := k.entries(), k.last()
	k.change()
	began := time.Now()
	if code, out := k.child(0); code != 0 {
		t.Fatalf("sync ended with %d\n%s", code, out)
	}
	k.whole = time.Since(began)
	records := k.since(last)
	if n := k.account(before, k.entries(), records); n != killWrites {
		t.Fatalf("a round is %d writes, want %d", n, killWrites)
	}
	for _, r := range records {
		switch at := r.Time.Sub(began); {
		case r.Kind == "intent" && k.from == 0:
			k.from = at
		case r.Kind == "outcome":
			k.until = at
		}
	}
	t.Logf("left alone, sync takes %s and applies from %s until %s", k.whole.Round(time.Millisecond), k.from.Round(time.Millisecond), k.until.Round(time.Millisecond))
	return k
}

// stop ends both servers before the test does, unless their logs are wanted.
func (k *killing) stop() {
	if k.t.Failed() {
		return
	}
	for _, s := range []interface{ Close() error }{k.corp, k.apps} {
		if err := s.Close(); err != nil {
			k.t.Log(err)
		}
	}
}

func (k *killing) set(b *strings.Builder, i int, attribute, value string) {
	fmt.Fprintf(b, "dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n\n", k.company.DN(i), attribute, attribute, value)
}

// change changes the company for the next round.
func (k *killing) change() {
	k.number++
	either := func(odd, even string) string {
		if k.number%2 == 1 {
			return odd
		}
		return even
	}
	var b strings.Builder
	for i := range remailed {
		switch {
		case i < leaving:
			k.set(&b, i, "employeeType", either("former", "staff"))
		case i < returning:
			k.set(&b, i, "employeeType", either("staff", "former"))
		case i < promoted:
			k.set(&b, i, "title", either("Publisher", "Writer"))
		case i < demoted:
			k.set(&b, i, "title", either("Writer", "Publisher"))
		default:
			k.set(&b, i, "mail", fmt.Sprintf("%s@round%d.example", k.company.Login(i), k.number))
		}
	}
	for i := range joiners {
		i += killPeople + (k.number-1)*joiners
		b.WriteString(ldifOf(k.company.Person(i)))
		k.set(&b, i, "title", "Publisher")
	}
	k.company.People += joiners
	k.modify("%s", b.String())
}

// round changes the source, kills the run that follows, now and then the one
// after it too, and lets the last one end. It returns how often it killed: a
// run that ended before its moment came is none.
func (k *killing) round(most int, fell map[string]int, runs map[int]int) int {
	t := k.t
	before, last := k.entries(), k.last()
	k.change()
	kills, more, ended := 0, 0, false
	for !ended && (kills == 0 || kills < most && k.random.IntN(4) == 0) {
		after := k.from + time.Duration(k.random.Int64N(int64(k.until-k.from)))
		aimed := kills == 0 && k.random.IntN(5) > 0
		if !aimed {
			after = time.Duration(k.random.Int64N(int64(k.whole)))
		}
		began := time.Now()
		code, out := k.child(after)
		switch {
		case code == -1:
			where := k.fell(k.since(last))
			kills++
			fell[where]++
			t.Logf("round %d: killed after %s, %s", k.number, after.Round(time.Millisecond), where)
			if aimed && where == tooEarly {
				k.pace(1.2) // the machine is busier than it was
			}
		case code != 0:
			t.Fatalf("round %d: sync ended with %d before it was killed\n%s", k.number, code, out)
		default:
			ended = true
			if took := time.Since(began); kills == 0 && took < k.whole {
				k.pace(float64(took) / float64(k.whole)) // less busy
			}
		}
	}
	for !ended {
		more++
		code, out := k.child(0)
		if ended = code == 0; !ended {
			t.Logf("round %d: run %d after the kill ended with %d\n%s", k.number, more, code, out)
		}
		if more == 5 && !ended {
			t.Fatalf("round %d: it does not end", k.number)
		}
	}
	if kills > 0 {
		runs[more]++
	}
	k.agree()
	k.entitled()
	if n := k.account(before, k.entries(), k.since(last)); n != killWrites {
		t.Errorf("round %d: %d writes, want %d", k.number, n, killWrites)
	}
	k.want(0, "audit", "--verify")
	k.want(0, "plan")
	return kills
}

// pace takes the moments of a run for longer, or shorter, than they were.
func (k *killing) pace(by float64) {
	for _, d := range []*time.Duration{&k.whole, &k.from, &k.until} {
		*d = time.Duration(float64(*d) * by)
	}
}

// child runs sync in a process of its own, and kills it after a while unless
// that is 0. The code of one that was killed is -1.
func (k *killing) child(after time.Duration) (code int, output string) {
	k.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(k.binary, "-c", k.config, "sync")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		k.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// auditRecord is a record as `audit --json` prints it.
type auditRecord struct {
	Seq          uint64
	Time         time.Time
	Kind, Action string
	Person       uint64
	Public       struct {
		Intent      uint64
		Entitlement string
		Done        bool
		Class       string
	}
	Personal []struct {
		Data struct {
			Event struct{ Account, Name string }
		}
	}
}

func (k *killing) audit(args ...string) []auditRecord {
	k.t.Helper()
	code, out, errs := k.rosterd(append([]string{"audit", "--json"}, args...)...)
	var doc struct{ Records []auditRecord }
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 {
		k.t.Fatalf("audit: %d, %v\n%s", code, err, errs)
	}
	return doc.Records
}

// last is the newest record of the journal.
func (k *killing) last() auditRecord { k.t.Helper(); return k.audit("--last", "1")[0] }

// since are the records after one.
func (k *killing) since(last auditRecord) []auditRecord {
	k.t.Helper()
	all := k.audit("--since", last.Time.Format(time.RFC3339))
	return slices.DeleteFunc(all, func(r auditRecord) bool { return r.Seq <= last.Seq })
}
