package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/state"
)

// pageSize is that of both sides.
const pageSize = 1000

// attributes are those that a policy may name, beside login, mail, name and key.
var attributes = []string{"sn", "givenName", "title", "employeeType", "departmentNumber", "l"}

// readEnv makes of this test binary the process that reads once; what it holds
// is the job.
const readEnv = "ROSTERD_BENCH_READ"

// job is one read, and readTook what it cost.
type job struct {
	URL, CA, Password, State, Profile string
	People                            int
}

type readTook struct {
	Wall           time.Duration
	Mallocs, Bytes uint64
	Peak           int64
}

func (s *site) job(state string) job {
	return job{URL: s.corp.TLSURL(), CA: s.corp.CACert, Password: s.path("corp.password"), State: state, People: s.company.People}
}

// TestReadOnce is not a test of its own: reading runs it in a process that does
// nothing else.
func TestReadOnce(t *testing.T) {
	text := os.Getenv(readEnv)
	if text == "" {
		t.Skip("the benchmark runs this")
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		t.Fatal(err)
	}
	source, err := ldap.New("corp", ldap.Config{URLs: []string{j.URL}, CAFile: j.CA, BindDN: "cn=sync,dc=lab,dc=example",
		Password: secret.File(j.Password), PageSize: pageSize,
		People: ldap.People{Bases: []string{"ou=people,dc=lab,dc=example"}},
		Groups: ldap.Groups{Bases: []string{"ou=groups,dc=lab,dc=example"}, Filter: "(objectClass=groupOfNames)", Members: []string{"member"}},
		Person: ldap.Person{Key: "employeeNumber"}}, attributes)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(j.State, state.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if j.Profile != "" {
		f, err := os.Create(j.Profile)
		if err != nil {
			t.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	stage, err := store.Stage("corp", source.Coverage())
	if err != nil {
		t.Fatal(err)
	}
	proof, err := source.Read(t.Context(), stage)
	if err != nil {
		t.Fatal(err)
	}
	missing, err := stage.Missing()
	if err != nil || len(missing) > 0 || proof.People() != j.People {
		t.Fatalf("read %d people, %d missing: %v", proof.People(), len(missing), err)
	}
	if _, err := stage.Seal(proof, state.SealRules{Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := readTook{Wall: time.Since(began)}
	runtime.ReadMemStats(&after)
	took.Mallocs, took.Bytes, took.Peak = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc, highWater(os.Getpid())
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(took)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s%s\n", readEnv, out)
}

// readOnce reads and compares in a process of its own.
func (s *site) readOnce(j job) readTook {
	s.tb.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		s.tb.Fatal(err)
	}
	t := s.run([]string{readEnv + "=" + string(text)}, os.Args[0], "-test.run=^TestReadOnce$", "-test.v")
	_, after, _ := strings.Cut(t.output, readEnv)
	line, _, _ := strings.Cut(after, "\n")
	var took readTook
	if err := json.Unmarshal([]byte(line), &took); err != nil {
		s.tb.Fatalf("read what a read took: %v\n%s", err, t.output)
	}
	return took
}

// search runs ldapsearch for the same entries, attributes, filters and pages.
func (s *site) search() time.Duration {
	s.tb.Helper()
	var sum time.Duration
	for _, q := range [][]string{
		append([]string{"-b", s.company.PeopleBase(), "(objectClass=inetOrgPerson)", "uid", "mail", "cn", "employeeNumber", "objectClass", "entryUUID", "pwdAccountLockedTime"}, attributes...),
		{"-b", s.company.GroupsBase(), "(objectClass=groupOfNames)", "member", "entryUUID", "cn"},
	} {
		sum += s.run([]string{"LDAPTLS_CACERT=" + s.corp.CACert}, "ldapsearch", append([]string{"-x", "-LLL", "-o", "ldif-wrap=no",
			"-H", s.corp.TLSURL(), "-D", "cn=sync,dc=lab,dc=example", "-w", "sync", "-E", fmt.Sprintf("pr=%d/noprompt", pageSize)}, q...)...).wall
	}
	return sum
}

// reading measures first load and unchanged read, each in turn with ldapsearch.
func (s *site) reading(t *table) {
	s.search() // warms the server
	measure := func(what string, state func(int) string) {
		var ours, theirs []time.Duration
		var last readTook
		for i := range *pairs {
			theirs = append(theirs, s.search())
			j := s.job(state(i))
			if i == 0 {
				j.Profile = os.Getenv("BENCH_PROFILE")
				if j.Profile != "" {
					j.Profile += "." + strings.Fields(what)[0]
				}
			}
			last = s.readOnce(j)
			ours = append(ours, last.Wall)
		}
		n := uint64(s.company.People)
		t.add(what, ours, theirs, megabytes(last.Peak), fmt.Sprintf("%d allocations and %d bytes a person", last.Mallocs/n, last.Bytes/n))
	}
	measure("first load", func(i int) string { return s.path(fmt.Sprintf("load%d/state.db", i)) })
	measure("read and compare", func(int) string { return s.path("load0/state.db") })
}
