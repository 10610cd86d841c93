package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/targettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is a line of the file as a test reads it, without the code under test.
type record struct {
	ID           string              `json:"id"`
	Name         string              `json:"name"`
	Active       bool                `json:"active"`
	Attributes   map[string][]string `json:"attributes"`
	Entitlements []string            `json:"entitlements"`
	Mark         string              `json:"mark,omitempty"`
}

func readRecords(t *testing.T, path string) (out []record) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	for d.More() {
		var r record
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func writeRecords(t *testing.T, path string, list []record) {
	t.Helper()
	var out bytes.Buffer
	for _, r := range list {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// empty makes a file without accounts and the target on it.
func empty(t *testing.T, text string) (*Target, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := New(Config{Path: path}, "app")
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

func TestContract(t *testing.T) {
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) targettest.System {
			f, path := empty(t, "")
			inode, requests := uint64(0), 0
			outside := 0
			return targettest.System{
				Target: f,
				Read: func(t *testing.T) (out []target.Account) {
					for _, r := range readRecords(t, path) {
						out = append(out, target.Account{ID: target.NativeID(r.ID), Name: r.Name, Enabled: r.Active, Attributes: r.Attributes, Entitlements: r.Entitlements, Mark: r.Mark})
					}
					return out
				},
				Put: func(t *testing.T, a target.Account) target.NativeID {
					outside++
					r := record{ID: fmt.Sprintf("outside-%d", outside), Name: a.Name, Active: a.Enabled, Attributes: a.Attributes, Entitlements: a.Entitlements, Mark: a.Mark}
					writeRecords(t, path, append(readRecords(t, path), r))
					return target.NativeID(r.ID)
				},
				Set: func(t *testing.T, id target.NativeID, v target.Value) {
					list := readRecords(t, path)
					for i, r := range list {
						if r.ID == string(id) {
							list[i].Attributes[v.Name] = v.Values
						}
					}
					writeRecords(t, path, list)
				},
				Requests: func() int { // each rewrite is a new file
					info, err := os.Stat(path)
					if err != nil {
						t.Fatal(err)
					}
					if now := info.Sys().(*syscall.Stat_t).Ino; now != inode {
						inode = now
						requests++
					}
					return requests
				},
			}
		},
		Want:         target.Description{Kind: "file", NameAttribute: "name", CanRename: true, CanDisable: true, CanDelete: true, Entitlements: true, ReadBack: true, Marks: true},
		Single:       [2]string{"displayName", "title"},
		Multi:        "mail",
		Entitlements: [3]string{"Publishers", "Reviewers", "Writers"},
		Differ:       []targettest.Pair{{Attribute: "title", A: []string{"a"}, B: []string{"A"}}},
	})
}

func TestLaw01BrokenLineRefusesTheWhole(t *testing.T) {
	const good = `{"id":"1","name":"writer1"}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"torn":               {good + `{"id":"2","name":"wri`, ":2:"},
		"no object":          {good + good[:0] + "[]\n", ":2:"},
		"no id":              {`{"name":"writer1"}` + "\n", `"id" is missing`},
		"empty id":           {`{"id":"","name":"writer1"}`, `"id" is missing`},
		"no name":            {"\n\n" + `{"id":"1"}`, ":3:"},
		"id twice":           {good + good, ":2:"},
		"key twice":          {`{"id":"1","id":"2","name":"x"}`, "twice"},
		"attribute twice":    {`{"id":"1","name":"x","attributes":{"a":[],"a":[]}}`, "twice"},
		"number":             {`{"id":1,"name":"x"}`, `"id"`},
		"active as text":     {`{"id":"1","name":"x","active":"true"}`, `"active"`},
		"active null":        {`{"id":"1","name":"x","active":null}`, `"active" is null`},
		"value a number":     {`{"id":"1","name":"x","attributes":{"a":[1]}}`, `"a"`},
		"value null":         {`{"id":"1","name":"x","attributes":{"a":[null]}}`, "null"},
		"two on a line":      {`{"id":"1","name":"x"} {"id":"2","name":"y"}`, "follows"},
		"not UTF-8":          {"{\"id\":\"1\",\"name\":\"\xff\"}", "UTF-8"},
		"attributes a list":  {`{"id":"1","name":"x","attributes":[]}`, "attributes"},
		"entitlement a text": {`{"id":"1","name":"x","entitlements":"Writers"}`, "entitlements"},
	} {
		t.Run(name, func(t *testing.T) {
			f, path := empty(t, c.text)
			l, err := target.Collect(t.Context(), f, target.Scope{})
			if err == nil || len(l.Accounts()) > 0 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path+":") {
				t.Fatalf("listed %d accounts, %v; want an error with %q", len(l.Accounts()), err, c.want)
			}
			if _, err := f.Look(t.Context(), target.Scope{}, []target.Query{{ID: "1"}}); err == nil {
				t.Fatal("a look was answered from a broken file")
			}
			if _, err := f.Create(t.Context(), "writer9", nil, ""); target.ClassOf(err) != target.Refused {
				t.Fatalf("create in a broken file: %v", err)
			}
			if raw, _ := os.ReadFile(path); string(raw) != c.text {
				t.Fatalf("a broken file was changed to %q", raw)
			}
			if notes, err := f.Check(t.Context(), target.Scope{}); err != nil || len(notes) != 1 || !notes[0].Broken || notes[0].Hint == "" {
				t.Fatalf("check: %+v, %v", notes, err)
			}
		})
	}
}

func TestLaw02MissingFileIsNotEmpty(t *testing.T) {
	f, path := empty(t, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err := target.Collect(t.Context(), f, target.Scope{})
	var hinted *target.Error
	if !errors.As(err, &hinted) || hinted.Class != target.Denied || !strings.Contains(hinted.Hint(), "touch "+path) {
		t.Fatalf("list of a file that is not there: %v", err)
	}
	if _, err := f.Create(t.Context(), "writer1", nil, ""); target.ClassOf(err) != target.Denied {
		t.Fatalf("create: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("the file was made")
	}
}

func TestRewriteKeepsWhatItDoesNotKnow(t *testing.T) {
	const other = `{"zeta":{"deep":[1,2.50,"<&>"]},"id":"1","name":"writer1","attributes":{"mail":"a@b.example","x":[]},"active":false,"alpha":12345678901234567890}`
	f, path := empty(t, other+"\r\n\n"+`{"name":"writer2","id":"2"}`)
	if err := f.Update(t.Context(), target.Ref{ID: "2"}, []target.Value{{Name: "mail", Values: []string{"<b>", "ü"}}}); err != nil {
		t.Fatal(err)
	}
	want := other + "\r\n" + `{"id":"2","name":"writer2","active":true,"attributes":{"mail":["<b>","ü"]},"entitlements":[]}` + "\n"
	if raw, _ := os.ReadFile(path); string(raw) != want {
		t.Fatalf("the file is\n%s\nwant\n%s", raw, want)
	}
	if err := f.Enable(t.Context(), target.Ref{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	want = `{"id":"1","name":"writer1","active":true,"attributes":{"mail":["a@b.example"]},"entitlements":[],"alpha":12345678901234567890,"zeta":{"deep":[1,2.50,"<&>"]}}` + "\n" + want[len(other)+2:]
	if raw, _ := os.ReadFile(path); string(raw) != want {
		t.Fatalf("the file is\n%s\nwant\n%s", raw, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Fatalf("the mode is %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 2 { // the file and its lock
		t.Fatalf("left behind: %v, %v", left, err)
	}
}

func TestOwnerAndGroupStay(t *testing.T) {
	f, path := empty(t, "")
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	gid := 4242 // anything will do for root
	if os.Geteuid() != 0 {
		i := slices.IndexFunc(groups, func(g int) bool { return g != os.Getegid() })
		if i < 0 {
			gid = os.Getegid() // no other group to try
		} else {
			gid = groups[i]
		}
	}
	if err := os.Chown(path, -1, gid); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Create(t.Context(), "writer1", nil, ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || int(info.Sys().(*syscall.Stat_t).Gid) != gid {
		t.Fatalf("the group is %v, want %d (%v)", info.Sys(), gid, err)
	}
}

func TestSymbolicLinkStays(t *testing.T) {
	f, path := empty(t, "")
	real := filepath.Join(t.TempDir(), "real.jsonl")
	if err := errors.Join(os.Rename(path, real), os.Symlink(real, path)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Create(t.Context(), "writer1", nil, ""); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Fatalf("the link was replaced: %v, %v", info.Mode(), err)
	}
	if n := len(readRecords(t, real)); n != 1 {
		t.Fatalf("%d accounts", n)
	}
}

// TestTwoWriters: two targets on one file, as two processes would be, lose
// nothing of each other's.
func TestTwoWriters(t *testing.T) {
	f, path := empty(t, "")
	g, err := New(Config{Path: path}, "app")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var failed atomic.Value
	for i, w := range []*Target{f, g, f, g} {
		group.Go(func() {
			for n := range 25 {
				if _, err := w.Create(t.Context(), fmt.Sprintf("writer%d-%d", i, n), nil, ""); err != nil {
					failed.Store(err)
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		t.Fatal(err)
	}
	if n := len(readRecords(t, path)); n != 100 {
		t.Fatalf("%d accounts, want 100", n)
	}
}

// TestWaitingWriteCanBeCalledOff: a write that waits behind a lock ends with
// its context, and is never done.
func TestWaitingWriteCanBeCalledOff(t *testing.T) {
	f, path := empty(t, "")
	unlock, err := lock(t.Context(), path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	first := make(chan error, 1)
	go func() { _, err := f.Create(t.Context(), "first", nil, ""); first <- err }()
	for { // until the first has the turn
		f.queueMu.Lock()
		taken := len(f.turn) == 1 && len(f.queue) == 0
		f.queueMu.Unlock()
		if taken {
			break
		}
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := f.Create(ctx, "second", nil, ""); !errors.Is(err, context.DeadlineExceeded) || target.ClassOf(err) != target.Transient {
		t.Fatalf("a write that was called off: %v", err)
	}
	unlock()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if list := readRecords(t, path); len(list) != 1 || list[0].Name != "first" {
		t.Fatalf("the file holds %+v", list)
	}
}

// TestCancelledWriteOfABatch: one whose context ended is not done, and the
// others are.
func TestCancelledWriteOfABatch(t *testing.T) {
	f, path := empty(t, "")
	unlock, err := lock(t.Context(), path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	edits := make([]*edit, 2)
	for i, c := range []context.Context{ctx, t.Context()} {
		edits[i] = &edit{ctx: c, done: make(chan struct{}), do: func(c *content) (bool, error) {
			return true, c.book.Create(target.NativeID(fmt.Sprint(i)), fmt.Sprintf("writer%d", i), nil, "")
		}}
	}
	go f.commit(ctx, edits) // the first leads
	cancel()
	time.Sleep(3 * lockPause) // it waits for the lock
	unlock()
	for _, e := range edits {
		<-e.done
	}
	if !errors.Is(edits[0].err, context.Canceled) || target.ClassOf(edits[0].err) != target.Transient || edits[1].err != nil {
		t.Fatalf("the cancelled one: %v; the other: %v", edits[0].err, edits[1].err)
	}
	if list := readRecords(t, path); len(list) != 1 || list[0].Name != "writer1" {
		t.Fatalf("the file holds %+v", list)
	}
}

func TestFailedRewriteChangesNothing(t *testing.T) {
	// With its suffix the name of the new file is too long.
	path := filepath.Join(t.TempDir(), strings.Repeat("a", 250))
	const before = `{"id":"1","name":"writer1"}` + "\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := New(Config{Path: path}, "app")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Disable(t.Context(), target.Ref{ID: "1"}); err == nil || target.ClassOf(err) == target.InDoubt {
			t.Fatalf("a write that could not begin: %v", err)
		}
		if _, err := f.Create(t.Context(), "writer2", nil, ""); err == nil || target.ClassOf(err) == target.Exists {
			t.Fatalf("a write that could not begin: %v", err)
		}
		l, err := target.Collect(t.Context(), f, target.Scope{})
		if err != nil || len(l.Accounts()) != 1 || !l.Accounts()[0].Enabled {
			t.Fatalf("after a failed write: %+v, %v", l.Accounts(), err)
		}
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != before {
		t.Fatalf("the file is %q, %v", raw, err)
	}
}

func TestNotUTF8IsRefused(t *testing.T) {
	f, _ := empty(t, "")
	if _, err := f.Create(t.Context(), "a\xff", nil, ""); target.ClassOf(err) != target.Refused {
		t.Fatal(err)
	}
	if _, err := f.Create(t.Context(), "a", []target.Value{{Name: "photo", Values: []string{"\xff\xd8"}}}, ""); target.ClassOf(err) != target.Refused {
		t.Fatal(err)
	}
}

func TestValidate(t *testing.T) {
	for path, want := range map[string]int{"": 1, "accounts.jsonl": 1, "/var/lib/app/accounts.jsonl": 0} {
		var got []problem.Problem
		(&Config{Path: path}).Validate([]string{"target", "app"}, func(p problem.Problem) { got = append(got, p) })
		if len(got) != want || want == 1 && (got[0].Hint == "" || strings.Join(got[0].Path, ".") != "target.app.path") {
			t.Errorf("%q: %+v", path, got)
		}
	}
}

// createMany makes n accounts with eight workers.
func createMany(t testing.TB, f *Target, n int) {
	t.Helper()
	const workers = 8
	var group sync.WaitGroup
	var failed atomic.Value
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				set := []target.Value{{Name: "displayName", Values: []string{"Writer of the site"}}, {Name: "mail", Values: []string{fmt.Sprintf("w%d@corp.example", i)}}}
				if _, err := f.Create(t.Context(), fmt.Sprintf("w%d", i), set, "rosterd:1"); err != nil {
					failed.Store(err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		t.Fatal(err)
	}
}

// TestWritersShareRewrites: a write each would be 800 rewrites.
func TestWritersShareRewrites(t *testing.T) {
	f, path := empty(t, "")
	createMany(t, f, 800)
	if n := len(readRecords(t, path)); n != 800 {
		t.Fatalf("%d accounts", n)
	}
	if f.rewrites > 400 {
		t.Fatalf("%d rewrites for 800 writes of 8 workers", f.rewrites)
	}
}

// BenchmarkCreate10000 is the first provisioning of 10,000 accounts.
func BenchmarkCreate10000(b *testing.B) {
	for range b.N {
		path := filepath.Join(b.TempDir(), "accounts.jsonl")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		f, err := New(Config{Path: path}, "app")
		if err != nil {
			b.Fatal(err)
		}
		createMany(b, f, 10_000)
		b.ReportMetric(float64(f.rewrites), "rewrites")
	}
}

func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"id":"1","name":"writer1","active":false,"attributes":{"mail":["a"],"x":"y"},"entitlements":["b","a"],"mark":"m","other":{"a":[1]}}`))
	f.Add([]byte(`{"id":"1","name":"\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, other, err := parseLine(text)
		if err != nil {
			return
		}
		line, err := formatLine(&a, other)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", text, err)
		}
		if n := bytes.Count(line, []byte{'\n'}); n != 1 || line[len(line)-1] != '\n' {
			t.Fatalf("%q became %d lines", text, n)
		}
		again, otherAgain, err := parseLine(line)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, line, err)
		}
		if line2, _ := formatLine(&again, otherAgain); !bytes.Equal(line, line2) {
			t.Fatalf("%q and then %q", line, line2)
		}
	})
}
