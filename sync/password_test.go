package sync_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/handover"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// post makes passwords as rosterd does, and keeps what is handed over to it.
type post struct {
	*handover.Desk
	mu      gosync.Mutex
	letters []handover.Letter
	// fails, if set, is asked before a letter is taken: by its number, from 1.
	fails func(n int) error
	made  int
	asked int
}

func newPost(t testing.TB) *post {
	t.Helper()
	desk, err := handover.New(handover.Config{Command: []string{"/bin/false"}})
	if err != nil {
		t.Fatal(err)
	}
	return &post{Desk: desk}
}

func (p *post) Give(_ context.Context, l handover.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.fails != nil {
		if err := p.fails(p.asked); err != nil {
			return &handover.Error{Err: fmt.Errorf("not handed over: %w", err)}
		}
	}
	p.letters = append(p.letters, l)
	return nil
}

func (p *post) Way() string { return "by hand" }

// passworded is a world whose wiki has passwords for new accounts.
func passworded(t *testing.T, first bool) (*world, *post) {
	t.Helper()
	w := newWorld(t)
	if first {
		w.wiki.PasswordFirst()
	}
	p := newPost(t)
	w.generate(p, plan.Password{Generate: true, MustChange: true})
	return w, p
}

func (w *world) generate(p *post, rules plan.Password) {
	w.engine.Targets[0].Rules.Password, w.engine.Targets[0].Passwords = rules, p
}

// letter wants exactly one letter of an account, and returns it.
func (p *post) letter(t *testing.T, account string) handover.Letter {
	t.Helper()
	found := p.of(account)
	if len(found) != 1 {
		t.Fatalf("%d letters of %s, want one", len(found), account)
	}
	return found[0]
}

func (p *post) of(account string) (out []handover.Letter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.letters {
		if l.Account == account {
			out = append(out, l)
		}
	}
	return out
}

// works wants the last letter of an account to let its reader in.
func (w *world) works(p *post, account string, letters int) {
	w.t.Helper()
	found := p.of(account)
	if len(found) != letters {
		w.t.Fatalf("%d letters of %s, want %d", len(found), account, letters)
	}
	a := w.account(account)
	if a == nil {
		w.t.Fatalf("%s has no account", account)
	}
	if in, _ := w.wiki.Login(a.ID, found[letters-1].Password.Reveal()); !in {
		w.t.Fatalf("the last password of %s does not work", account)
	}
}

func eachOrder(t *testing.T, test func(t *testing.T, first bool)) {
	for _, first := range []bool{false, true} {
		t.Run(fmt.Sprintf("first=%v", first), func(t *testing.T) { test(t, first) })
	}
}

// A new account gets one password, after everything else that it is to have, and the
// person's name goes with it.
func TestPasswordOfANewAccount(t *testing.T) {
	eachOrder(t, func(t *testing.T, first bool) {
		w, p := passworded(t, first)
		w.join("writer1")
		w.members("writers", "writer1")
		r := w.synced()
		w.has("writer1", true, "Writers")
		w.works(p, "writer1", 1)
		l := p.letter(t, "writer1")
		if l.Target != "wiki" || l.Login != "writer1" || l.Mail != "writer1@corp.example" || l.Name != "writer1" || !l.MustChange {
			t.Errorf("the letter is %+v", l)
		}
		if n := len(l.Password.Reveal()); n != plan.DefaultLength {
			t.Errorf("the password has %d characters", n)
		}
		if _, must := w.wiki.Login(w.account("writer1").ID, l.Password.Reveal()); !must {
			t.Error("nobody has to change it")
		}
		var verbs []string
		for _, write := range w.wiki.Writes() {
			verbs = append(verbs, write.Verb.String())
		}
		want := "create grant password"
		if first {
			want += " enable"
		}
		if got := strings.Join(verbs, " "); got != want {
			t.Errorf("the writes are %s, want %s", got, want)
		}
		if r.Done[target.SetPassword] != 1 {
			t.Errorf("done: %v", r.Done)
		}
		shown := text(r)
		if !strings.Contains(shown, "set an initial password") || strings.Contains(shown, l.Password.Reveal()) {
			t.Errorf("the plan says:\n%s", shown)
		}
	})
}

// Nobody gets a password for an account that was there before it was asked for, or
// that we did not make.
func TestLaw05NoPasswordForAccountsThatExist(t *testing.T) {
	w, p := passworded(t, false)
	w.generate(nil, plan.Password{})
	w.engine.Targets[0].Passwords = nil
	w.join("writer1")
	w.synced()
	w.generate(p, plan.Password{Generate: true})
	c := w.config.Targets["wiki"]
	c.Account.Adopt = map[string]string{"name": "link"}
	w.config.Targets["wiki"] = c
	w.engine.Policy = w.compile()
	w.wiki.Put(target.Account{Name: "writer2", Enabled: true})
	w.join("writer2")
	w.synced()
	if len(p.letters) > 0 {
		t.Fatalf("%d passwords were set", len(p.letters))
	}
	// Whoever comes back to an account of theirs keeps their password, too.
	leaver := w.join("writer3")
	w.synced()
	w.works(p, "writer3", 1)
	w.leave(leaver)
	w.synced()
	w.set(leaver, "employeeType", "staff")
	w.synced()
	w.works(p, "writer3", 1)
	// It is deleted by hand, and made again: that one is new.
	w.wiki.Drop(w.account("writer3").ID)
	w.engine.Targets[0].Rules.Drift.Missing = "recreate"
	if r := w.cycle(rostersync.Request{Verb: "sync", Full: true}); r.Exit() != 0 {
		t.Fatal(text(r))
	}
	w.quiet()
	w.works(p, "writer3", 2)
}

// on_return: who comes back gets another password, though the process ends between
// the two.
func TestPasswordOnReturn(t *testing.T) {
	eachOrder(t, func(t *testing.T, first bool) {
		w, p := passworded(t, first)
		w.generate(p, plan.Password{Generate: true, OnReturn: true})
		leaver := w.join("writer1")
		w.synced()
		w.leave(leaver)
		w.synced()
		w.set(leaver, "employeeType", "staff")
		p.fails = func(int) error { return errors.New("the office is closed") }
		if r := w.sync(); r.Exit() == 0 {
			t.Fatal("nobody was told that the password was not handed over")
		}
		w.has("writer1", true)
		p.fails = nil
		w.now = w.now.Add(48 * time.Hour)
		w.synced()
		w.works(p, "writer1", 2)
	})
}

// A leaver whose account was never opened stays closed, and gets a password only on
// coming back.
func TestPasswordOfALeaverWhoNeverCame(t *testing.T) {
	w, p := passworded(t, true)
	p.fails = func(int) error { return errors.New("the office is closed") }
	leaver := w.join("writer1")
	if r := w.sync(); r.Exit() != rostersync.ExitParked {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.has("writer1", false)
	w.leave(leaver)
	w.now = w.now.Add(48 * time.Hour)
	asked := p.asked
	w.synced()
	w.has("writer1", false)
	if p.asked != asked {
		t.Fatal("a leaver got a password")
	}
	p.fails = nil
	w.set(leaver, "employeeType", "staff")
	w.synced()
	w.has("writer1", true)
	w.works(p, "writer1", 1)
}

// Whatever cannot be handed over is parked with its reason, holds up nothing else, and
// another password is set when it is tried again. A few losses end the trying, and no
// target is left alone for it.
func TestPasswordNotHandedOver(t *testing.T) {
	eachOrder(t, func(t *testing.T, first bool) {
		w, p := passworded(t, first)
		p.fails = func(int) error { return errors.New("the office is closed") }
		w.joinMany("writer", 40)
		logins := make([]string, 40)
		for i := range logins {
			logins[i] = fmt.Sprintf("writer%04d", i)
		}
		w.members("writers", logins...)
		r := w.sync()
		if r.Exit() != rostersync.ExitParked || len(r.Down) > 0 {
			t.Fatalf("exit %d\n%s", r.Exit(), text(r))
		}
		if p.asked > 3+4 { // those that were under way together
			t.Errorf("%d passwords were set for nobody", p.asked)
		}
		w.has("writer0039", !first, "Writers")
		parked, err := w.engine.Store.Parked()
		if err != nil || len(parked) != 40 || !strings.Contains(parked[0].Error, "not handed over") || parked[0].Class != "transient" {
			t.Fatalf("%v: %d parked, the first: %+v", err, len(parked), parked[0])
		}
		p.fails = nil
		w.now = w.now.Add(48 * time.Hour)
		w.synced()
		for _, l := range logins {
			w.has(l, true, "Writers")
			w.works(p, l, 1)
		}
	})
}

// strict is a target whose policy takes only what is long and has signs in it.
type strict struct {
	*memory.Target
	least int
	says  func(password string) string
	seen  []target.Password
}

func (s *strict) SetPassword(ctx context.Context, a target.Ref, p target.Password) error {
	s.seen = append(s.seen, p)
	if text := p.Text.Reveal(); len(text) < s.least || !strings.ContainsAny(text, "-_.") {
		// A rude server, which repeats what it was sent.
		if s.says != nil {
			return &target.Error{Class: target.Refused, Err: fmt.Errorf("set the password of %s: %s", a.Name, s.says(text)), Tip: s.says(text)}
		}
		return &target.Error{Class: target.Refused, Err: fmt.Errorf("set the password of %s: %q is too weak", a.Name, text), Tip: "not " + text}
	}
	return s.Target.SetPassword(ctx, a, p)
}

// A password that the policy of the target refuses is followed by a stronger one, once;
// what is refused again waits with the reason, and no text of it.
func TestLaw12PasswordRefused(t *testing.T) {
	for _, least := range []int{30, 200} {
		w, p := passworded(t, false)
		s := &strict{Target: w.wiki, least: least}
		w.engine.Targets[0].Target, w.engine.Targets[0].Concurrency = s, 1
		w.join("writer1")
		if least == 30 {
			w.synced()
			w.works(p, "writer1", 1)
			continue
		}
		r := w.sync()
		if r.Exit() != rostersync.ExitParked || len(s.seen) != 2 {
			t.Fatalf("exit %d after %d passwords\n%s", r.Exit(), len(s.seen), text(r))
		}
		parked, err := w.engine.Store.Parked()
		if err != nil || len(parked) != 1 || parked[0].Class != "refused" || !strings.Contains(parked[0].Error, "is too weak") {
			t.Fatalf("%v: %+v", err, parked)
		}
		for _, p := range s.seen {
			if said := fmt.Sprintf("%+v %s", parked, text(r)); strings.Contains(said, p.Text.Reveal()) {
				t.Errorf("a password is shown: %s", said)
			}
		}
	}
}

// Who left before the target took any password for them gets one when they come back,
// before the account is opened.
func TestPasswordRefusedUntilTheyLeft(t *testing.T) {
	w, p := passworded(t, true)
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, write memory.Write) memory.Fault {
		if write.Verb == target.SetPassword {
			return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("not now")}}
		}
		return memory.Fault{}
	}})
	leaver := w.join("writer1")
	if r := w.sync(); r.Exit() != rostersync.ExitParked {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.leave(leaver)
	w.now = w.now.Add(48 * time.Hour)
	w.synced()
	w.wiki.SetFaults(memory.Faults{})
	w.set(leaver, "employeeType", "staff")
	w.synced()
	w.works(p, "writer1", 1)
}

// A server that repeats a part of what it was sent, or changes its case, tells no more
// than one that repeats all of it: what has many characters in common with the password
// is kept out of every word.
func TestLaw12PasswordRepeatedInPart(t *testing.T) {
	for name, says := range map[string]func(string) string{
		"cut off":   func(s string) string { return "too weak: " + s[:len(s)/2] + "…" },
		"its end":   func(s string) string { return "must not end in " + s[len(s)-8:] + ", it does" },
		"upper":     func(s string) string { return strings.ToUpper(s) + " is too weak" },
		"base64":    func(s string) string { return "userPassword:: " + base64.StdEncoding.EncodeToString([]byte(s))[:20] },
		"in pieces": func(s string) string { return s[:10] + " " + s[10:20] },
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := passworded(t, false)
			s := &strict{Target: w.wiki, least: 200, says: says}
			w.engine.Targets[0].Target, w.engine.Targets[0].Concurrency = s, 1
			w.join("writer1")
			r := w.sync()
			parked, err := w.engine.Store.Parked()
			if err != nil || len(parked) != 1 || !strings.Contains(parked[0].Error, "set the password of writer1") {
				t.Fatalf("%v: %+v", err, parked)
			}
			said := strings.ToLower(fmt.Sprintf("%+v %s", parked, text(r)))
			for _, p := range s.seen {
				for _, shown := range []string{p.Text.Reveal(), base64.StdEncoding.EncodeToString([]byte(p.Text.Reveal()))} {
					shown = strings.ToLower(shown)
					for at := 0; at+7 <= len(shown); at++ {
						if strings.Contains(said, shown[at:at+7]) {
							t.Fatalf("a part of the password is shown, %s of %s: %s", shown[at:at+7], shown, said)
						}
					}
				}
			}
		})
	}
}
