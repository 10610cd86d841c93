package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/state"
)

// TestScripts tells stories at the command line, one a file in testdata/script.
// They are read from the top; README.md there says what each command does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Values["directories"] = map[string]*served{}
			env.Values["later"] = new(atomic.Int64)
			env.Values["scim"] = map[string]*scimd.Server{}
			env.Values["services"] = map[string]*running{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"rosterd":   func(ts *testscript.TestScript, neg bool, args []string) { sure(ts, neg); program(ts, 0, args) },
			"exit":      exitWith,
			"company":   startCompany,
			"directory": startDirectory,
			"configure": configure,
			"set":       set,
			"add":       add,
			"remove":    remove,
			"rename":    renamed,
			"down":      down,
			"agree":     func(ts *testscript.TestScript, _ bool, args []string) { agree(ts, 0, args) },
			"shown":     shown,
			"typed":     typed,
			"look":      func(ts *testscript.TestScript, _ bool, args []string) { look(ts, args[0]) },
			"json":      printed,
			"tamper":    tamper,
			"busy":      busy,
			"kept":      kept,
			"service":   serviceVerb,
			"follow":    follow,
			"later":     later,
			"scim":      scimVerb,
			"append":    appended,
		},
	})
}

// served is a directory of a script.
type served struct {
	*ldapd.Directory
	server *ldapd.Server
}

// clockOf is the clock of a script, which `later` moves.
func clockOf(ts *testscript.TestScript) func() time.Time {
	ahead := ts.Value("later").(*atomic.Int64)
	return func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
}

// later lets time pass.
func later(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: later DURATION")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ts.Value("later").(*atomic.Int64).Add(int64(d))
}

func sure(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("say which exit code is wanted: exit N rosterd …")
	}
}

// program runs rosterd in this process.
func program(ts *testscript.TestScript, want int, args []string) {
	programWith(ts, strings.NewReader(""), want, args)
}

func programWith(ts *testscript.TestScript, stdin io.Reader, want int, args []string) {
	a := &app{stdin: stdin, stdout: ts.Stdout(), stderr: ts.Stderr(), now: clockOf(ts), getenv: ts.Getenv, stop: make(chan struct{})}
	if !strings.Contains(strings.Join(args, " "), "-c ") {
		args = append([]string{"-c", ts.MkAbs("rosterd.toml")}, args...)
	}
	if got := a.run(args); got != want {
		ts.Fatalf("rosterd %s ended with %d, want %d", strings.Join(args, " "), got, want)
	}
}

func exitWith(ts *testscript.TestScript, neg bool, args []string) {
	sure(ts, neg)
	if len(args) < 2 || args[1] != "rosterd" && args[1] != "agree" && args[1] != "typed" {
		ts.Fatalf("usage: exit N rosterd VERB …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if args[1] == "typed" {
		onTerminal(ts, want, args[2], args[4:])
		return
	}
	if args[1] == "agree" {
		agree(ts, want, args[2:])
		return
	}
	program(ts, want, args[2:])
}

// startCompany sets up so many people, all of them staff, the first of them writer,
// with the configuration of testdata/company.toml.
func startCompany(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: company PEOPLE")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	b.WriteString("dn: dc=corp,dc=example\nobjectClass: domain\ndc: corp\n\n")
	for _, ou := range []string{"people", "groups"} {
		fmt.Fprintf(&b, "dn: ou=%[1]s,dc=corp,dc=example\nobjectClass: organizationalUnit\nou: %[1]s\n\n", ou)
	}
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "dn: uid=writer%[1]d,ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: writer%[1]d\ncn: Content Writer %[1]d\nsn: %[1]d\n"+
			"mail: Writer%[1]d@corp.example\nemployeeType: staff\nemployeeNumber: %[2]d\n\n", i, 100+i)
	}
	b.WriteString("dn: cn=team,ou=groups,dc=corp,dc=example\nobjectClass: groupOfNames\ncn: team\nmember: uid=writer1,ou=people,dc=corp,dc=example\n\n" +
		"dn: cn=writers,ou=groups,dc=corp,dc=example\nobjectClass: groupOfNames\ncn: writers\nmember: cn=team,ou=groups,dc=corp,dc=example\n")
	serve(ts, "corp", b.String())
	text, err := os.ReadFile(filepath.Join(home, "testdata", "company.toml"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("rosterd.toml"), text, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("wiki.jsonl"), nil, 0o600))
	configure(ts, false, nil)
}

// home is the folder of this package; scripts run elsewhere.
var home, _ = os.Getwd()

// startDirectory serves an LDIF: $NAME is its address, $NAME_CA its certificate.
func startDirectory(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: directory NAME FILE")
	}
	serve(ts, args[0], ts.ReadFile(args[1]))
}

func serve(ts *testscript.TestScript, name, ldif string) {
	suffix := strings.TrimPrefix(strings.SplitN(strings.TrimSpace(ldif), "\n", 2)[0], "dn: ")
	d := ldapd.New(suffix)
	ts.Check(d.Load(strings.NewReader(ldif)))
	server, err := d.Serve(context.Background(), ldapd.Options{AdminDN: "cn=rosterd," + suffix, AdminPassword: name, NoAnonymous: true})
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	ts.Value("directories").(map[string]*served)[name] = &served{d, server}
	ca := ts.MkAbs(name + "-ca.pem")
	ts.Check(os.WriteFile(ca, server.CAPEM(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(name+".password"), []byte(name), 0o600))
	ts.Setenv(strings.ToUpper(name), server.TLSURL())
	ts.Setenv(strings.ToUpper(name)+"_CA", ca)
}

func (s *served) close() { s.server.Close() }

func named(ts *testscript.TestScript, name string) *served {
	d := ts.Value("directories").(map[string]*served)[name]
	if d == nil {
		ts.Fatalf("there is no directory %q", name)
	}
	return d
}

var placeholder = regexp.MustCompile(`@([A-Z_]+)@`)

// configure fills in what stands as @NAME@ in rosterd.toml, and replaces one
// text by another if two are given.
func configure(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("rosterd.toml")
	if len(args) == 2 {
		if !strings.Contains(text, args[0]) {
			ts.Fatalf("%q is not in the configuration", args[0])
		}
		text = strings.Replace(text, args[0], args[1], 1)
	}
	text = placeholder.ReplaceAllStringFunc(text, func(p string) string { return ts.Getenv(strings.Trim(p, "@")) })
	ts.Check(os.WriteFile(ts.MkAbs("rosterd.toml"), []byte(text), 0o600))
}

func set(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: set DIRECTORY DN ATTRIBUTE VALUE…")
	}
	ts.Check(named(ts, args[0]).Modify(args[1], ldapd.Change{Op: ldapd.ReplaceValues, Attr: args[2], Values: args[3:]}))
}

// appended puts the text of one file at the end of another.
func appended(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: append FILE OTHER")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+"\n"+ts.ReadFile(args[1])), 0o600))
}

func add(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(named(ts, args[0]).Load(strings.NewReader(ts.ReadFile(args[1]))))
}

func remove(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(named(ts, args[0]).Delete(args[1]))
}

func renamed(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(named(ts, args[0]).Rename(args[1], args[2], true, ""))
}

func down(ts *testscript.TestScript, _ bool, args []string) { named(ts, args[0]).close() }

// look remembers the version that a hold shows as $VERSION.
func look(ts *testscript.TestScript, hold string) {
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: clockOf(ts), getenv: ts.Getenv, stop: make(chan struct{})}
	if got := a.run([]string{"-c", ts.MkAbs("rosterd.toml"), "approve", hold}); got != 4 {
		ts.Fatalf("approve %s shows nothing: %d\n%s%s", hold, got, &out, &errs)
	}
	_, rest, ok := strings.Cut(out.String(), "version ")
	if !ok {
		ts.Fatalf("no version in\n%s", &out)
	}
	ts.Setenv("VERSION", strings.Fields(rest)[0])
}

// shown looks at what adopt finds in the wiki; $VERSION is the version shown.
func shown(ts *testscript.TestScript, neg bool, args []string) {
	sure(ts, neg)
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: io.MultiWriter(ts.Stdout(), &out), stderr: &errs, now: clockOf(ts), getenv: ts.Getenv, stop: make(chan struct{})}
	if got := a.run(append([]string{"-c", ts.MkAbs("rosterd.toml"), "adopt", "wiki"}, args...)); got != 4 {
		ts.Fatalf("adopt wiki shows nothing to link: %d\n%s%s", got, &out, &errs)
	}
	v := regexp.MustCompile(`version"?:? "?([0-9a-f]{12})`).FindStringSubmatch(out.String())
	if v == nil {
		ts.Fatalf("adopt wiki shows no version:\n%s", &out)
	}
	ts.Setenv("VERSION", v[1])
}

// agree looks at a hold and approves what it shows.
func agree(ts *testscript.TestScript, want int, args []string) {
	look(ts, args[0])
	program(ts, want, append([]string{"approve", args[0], "--version", ts.Getenv("VERSION"), "--yes"}, args[1:]...))
}

var snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// printed checks that the last output is one document with snake_case names,
// and what stands in it: json PATH VALUE.
func printed(ts *testscript.TestScript, neg bool, args []string) {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var doc any
	ts.Check(dec.Decode(&doc))
	if dec.More() {
		ts.Fatalf("there is more than one document")
	}
	names(ts, "", doc)
	if v, ok := at(doc, "format_version"); !ok || fmt.Sprint(v) != "1" {
		ts.Fatalf("no format_version 1")
	}
	if len(args) == 0 {
		return
	}
	v, ok := at(doc, args[0])
	if !ok {
		ts.Fatalf("there is no %s", args[0])
	}
	text := fmt.Sprint(v)
	if list, is := v.([]any); is {
		text = strconv.Itoa(len(list))
	}
	if (text == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], text)
	}
}

// free are maps whose names are not ours.
var free = map[string]bool{"situations": true, "sources": true, "down": true, "due": true, "counts": true, "done": true, "personal": true, "public": true}

func names(ts *testscript.TestScript, under string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if !free[under] && !snake.MatchString(k) {
				ts.Fatalf("the name %s.%s is not in snake_case", under, k)
			}
			names(ts, k, x)
		}
	case []any:
		for _, x := range v {
			names(ts, under, x)
		}
	}
}

// at finds a value by a path such as plan.subjects.0.login.
func at(v any, path string) (any, bool) {
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[step]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// tamper replaces one text in a file by another of the same length, as somebody
// would who covers something up.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 || len(args[1]) != len(args[2]) {
		ts.Fatalf("usage: tamper FILE OLD NEW, both of the same length")
	}
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if !bytes.Contains(text, []byte(args[1])) {
		ts.Fatalf("%q is not in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.ReplaceAll(text, []byte(args[1]), []byte(args[2])), 0o600))
}

// kept changes the text of the policy in force, as another version of rosterd
// would have kept it.
func kept(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: kept STATE OLD NEW")
	}
	store, err := state.Open(ts.MkAbs(args[0]), state.Options{Now: time.Now, MustExist: true})
	ts.Check(err)
	record, known, err := store.Policy()
	ts.Check(err)
	if !known || !strings.Contains(record.Text, args[1]) {
		ts.Fatalf("%q is not in the policy in force", args[1])
	}
	record.Hash, record.Text = "of another version", strings.Replace(record.Text, args[1], args[2], 1)
	ts.Check(store.SavePolicy(record))
	ts.Check(store.Close())
}

// busy opens the state, as a cycle that is under way, until the script ends.
func busy(ts *testscript.TestScript, _ bool, args []string) {
	store, err := state.Open(ts.MkAbs(args[0]), state.Options{Now: time.Now, MustExist: true})
	ts.Check(err)
	ts.Setenv("PID", strconv.Itoa(os.Getpid()))
	ts.Defer(func() { ts.Check(store.Close()) })
}

// running is a service of a script.
type running struct {
	app   *app
	ended chan int
	log   *lockedBuffer
}

// lockedBuffer is a buffer that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = bytes.Buffer{}
}

// serviceVerb starts and stops rosterd run: service start [FLAGS], service stop.
func serviceVerb(ts *testscript.TestScript, neg bool, args []string) {
	sure(ts, neg)
	all := ts.Value("services").(map[string]*running)
	switch args[0] {
	case "start":
		r := &running{ended: make(chan int, 1), log: &lockedBuffer{}}
		r.app = &app{stdin: strings.NewReader(""), stdout: r.log, stderr: r.log, now: clockOf(ts), getenv: ts.Getenv, stop: make(chan struct{}), listening: true}
		all["one"] = r
		go func() { r.ended <- r.app.run(append([]string{"-c", ts.MkAbs("rosterd.toml"), "run"}, args[1:]...)) }()
		ts.Defer(func() { r.end(ts) })
		until(ts, "the service to start", func() bool { return strings.Contains(r.log.String(), "started") })
	case "stop":
		all["one"].end(ts)
		ts.Logf("the log of the service:\n%s", all["one"].log)
	default:
		ts.Fatalf("usage: service start|stop")
	}
}

func (r *running) end(ts *testscript.TestScript) {
	select {
	case <-r.app.stop:
		return
	default:
		close(r.app.stop)
	}
	select {
	case code := <-r.ended:
		if code != 0 {
			ts.Fatalf("the service ended with %d:\n%s", code, r.log)
		}
	case <-time.After(30 * time.Second):
		ts.Fatalf("the service does not end:\n%s", r.log)
	}
}

// follow waits until the log of the service has a text: follow 'REGEXP'.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	sure(ts, neg)
	r := ts.Value("services").(map[string]*running)["one"]
	want := regexp.MustCompile(args[0])
	until(ts, "the log to say "+args[0]+"; it says:\n"+r.log.String(), func() bool { return want.MatchString(r.log.String()) })
}

func until(ts *testscript.TestScript, what string, is func() bool) {
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited for %s", what)
		}
	}
}
