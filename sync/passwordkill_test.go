package sync_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/handover"
	"github.com/rosterd/rosterd/internal/secret"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// mortal is a world that is killed: from then on nothing reaches the target or the
// post, and it goes on from the state as it was on disk.
type mortal struct {
	*world
	post *post

	mu    gosync.Mutex
	dead  bool
	asked int // looks at the clock
	at    int // the look that kills; 0: none
	// state and witness are the files as they were.
	state, witness []byte
}

func (k *mortal) clock() time.Time {
	k.mu.Lock()
	k.asked++
	now := k.asked == k.at
	k.mu.Unlock()
	if now {
		k.die()
	}
	return k.now
}

// die takes the state as it is on disk.
func (k *mortal) die() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead {
		return
	}
	var last []byte
	for { // a commit may be under way
		b, err := os.ReadFile(k.engine.Store.Path())
		if err == nil && bytes.Equal(b, last) {
			break
		}
		last = b
	}
	k.dead, k.state = true, last
	if k.witness, _ = os.ReadFile(k.engine.Store.Path() + ".last"); k.witness == nil {
		panic("the state has no witness")
	}
}

func (k *mortal) isDead() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dead
}

// Give is the post of somebody who may die before or after it.
func (k *mortal) Give(ctx context.Context, l handover.Letter) error {
	if k.isDead() {
		return &handover.Error{Err: errors.New("we are dead")}
	}
	return k.post.Give(ctx, l)
}

func (k *mortal) Make(length int, strong bool) (secret.Text, error) {
	return k.post.Make(length, strong)
}

func (k *mortal) Way() string { return k.post.Way() }

// killed runs a cycle that is killed at some instant, or not, and goes on.
func (k *mortal) killed(t *rapid.T, ask rostersync.Request) {
	how, n := rapid.SampledFrom([]string{"clock", "clock", "before", "after", "posting", "posted", "lost", "not"}).Draw(t, "killed"), rapid.IntRange(1, 6).Draw(t, "at")
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	count := 0
	k.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		if k.isDead() {
			return gone
		}
		k.mu.Lock()
		count++
		now := count == n
		k.mu.Unlock()
		switch {
		case !now:
		case how == "before":
			k.die()
			return gone
		case how == "after":
			k.die()
			return memory.Fault{Applied: true, Err: gone.Err}
		case how == "lost":
			return memory.Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: errors.New("the answer was lost")}}
		}
		return memory.Fault{}
	}})
	k.post.fails = func(at int) error {
		switch {
		case how == "posting" && at%3 == n%3:
			k.die()
			return errors.New("we are dead")
		case how == "posted" && at%3 == n%3:
			k.die() // it is taken, and nobody hears of it
		}
		return nil
	}
	k.mu.Lock()
	if k.asked = 0; how == "clock" {
		k.at = rapid.IntRange(1, 150).Draw(t, "look")
	}
	k.mu.Unlock()
	_, err := k.engine.Cycle(context.Background(), ask)
	k.wiki.SetFaults(memory.Faults{})
	k.post.fails, k.at = nil, 0
	if !k.isDead() {
		if err != nil {
			t.Fatal(err)
		}
		k.now = k.now.Add(time.Minute)
		return
	}
	k.engine.Store.Close()
	k.path += "+"
	for suffix, b := range map[string][]byte{"": k.state, ".last": k.witness} {
		if err := os.WriteFile(k.path+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.dead = false
	k.reopen()
	k.now = k.now.Add(time.Minute)
}

func (k *mortal) reopen() {
	rules := k.engine.Targets[0].Rules
	k.openWith(k.clock)
	k.engine.Targets[0].Rules, k.engine.Targets[0].Passwords = rules, k
}

// Killed at any instant, any number of times: who has an account has in the end
// exactly one letter that lets them in, which is the last; once it is handed over, no
// other follows; and nobody who left gets in.
func TestLaw07PasswordsOfAProcessThatIsKilled(t *testing.T) {
	const lives = "40"
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue {
		if err := f.Value.Set(lives); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	memoryFolder := ""
	if s, err := os.Stat("/dev/shm"); err == nil && s.IsDir() {
		memoryFolder = "/dev/shm" // so that a commit costs no disk
	}
	rapid.Check(t, func(r *rapid.T) {
		folder, err := os.MkdirTemp(memoryFolder, "rosterd-killed-")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(folder)
		w := newWorldIn(t, folder)
		w.engine.Store.Close()
		k := &mortal{world: w, post: newPost(t)}
		if rapid.Bool().Draw(r, "password first") {
			w.wiki.PasswordFirst()
		}
		all := &plan.Limit{Count: 100}
		guard := &k.engine.Targets[0].Rules.Guard
		guard.MaxRemove, guard.MaxRevoke, guard.MaxEnable = all, all, all
		k.engine.Targets[0].Rules.Password = plan.Password{Generate: true, OnReturn: rapid.Bool().Draw(r, "on return")}
		k.reopen()
		defer func() { k.engine.Store.Close() }()
		here, gone := map[string]identity.ID{}, map[string]identity.ID{}
		var logins []string
		for range rapid.IntRange(1, 7).Draw(r, "steps") {
			switch what := rapid.SampledFrom([]string{"join", "join", "leave", "return", "nothing", "full"}).Draw(r, "what"); what {
			case "join":
				login := fmt.Sprintf("writer%d", len(logins))
				logins = append(logins, login)
				here[login] = w.join(login)
				w.members("writers", logins...)
			case "leave", "return":
				from, to, value := here, gone, "former"
				if what == "return" {
					from, to, value = gone, here, "staff"
				}
				for _, login := range logins {
					if id, is := from[login]; is {
						w.set(id, "employeeType", value)
						to[login] = id
						delete(from, login)
						break
					}
				}
			}
			k.killed(r, rostersync.Request{Verb: "sync", Full: rapid.Bool().Draw(r, "full")})
		}
		for range 6 {
			w.now = w.now.Add(48 * time.Hour)
			w.cycle(rostersync.Request{Verb: "sync"})
		}
		w.quiet()
		for _, login := range logins {
			letters, works := k.post.of(login), 0
			a := w.account(login)
			for i, l := range letters {
				if in, _ := w.wiki.Login(a.ID, l.Password.Reveal()); in {
					if works++; i != len(letters)-1 {
						r.Fatalf("letter %d of %d of %s lets in", i+1, len(letters), login)
					}
				}
			}
			if _, is := here[login]; is {
				w.has(login, true, "Writers")
				if works != 1 {
					r.Fatalf("%d of %d letters let %s in", works, len(letters), login)
				}
			} else if a != nil && (a.Enabled || works > 0) {
				r.Fatalf("%s left and gets in", login)
			}
		}
		k.neverOnDisk(r, folder)
	})
}

// neverOnDisk looks for every password that was handed over in all that is on disk.
func (k *mortal) neverOnDisk(t *rapid.T, folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %d files", err, len(files))
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // a folder
		}
		for _, l := range k.post.letters {
			if strings.Contains(string(b), l.Password.Reveal()) {
				t.Fatalf("law 12: a password of %s stands in %s", l.Account, filepath.Base(f))
			}
		}
	}
}
