package targettest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// The passwords that the suite sets: long, of every class, and found wherever they
// show.
const (
	onePassword     = "Canary-One.4711xKmPwq"
	anotherPassword = "Canary-Two.8325rTgHzn"
)

// Logins is asked whether somebody gets in, and whether they have to choose another
// password first.
type Logins func(t *testing.T, account target.Ref, password string) (in, mustChange bool)

func password(text string) target.Password { return target.Password{Text: secret.NewText(text)} }

func (b *bench) setPassword(ref target.Ref, p target.Password) error {
	return b.Target.(target.Passworder).SetPassword(b.t.Context(), ref, p)
}

// open gives an account what it needs before it can be open.
func (b *bench) open(ref target.Ref) {
	b.t.Helper()
	if b.h.Want.PasswordFirst {
		b.ok(b.setPassword(ref, password(onePassword)))
		b.ok(b.Target.Enable(b.t.Context(), ref))
	}
}

func (b *bench) wantLogin(ref target.Ref, text string, want bool) {
	b.t.Helper()
	if b.Login == nil {
		return
	}
	if in, _ := b.Login(b.t, ref, text); in != want {
		b.t.Fatalf("%q with the password %.10s…: in is %v, want %v", ref.Name, text, in, want)
	}
}

// setPassword: the last that was set is the one that works, it changes nothing else
// and no reader shows it.
func setPassword(b *bench) {
	ref, other := b.create("writer1", value(b.h.Single[0], "one")), b.create("writer2")
	b.ok(b.setPassword(other, password(anotherPassword+"-of-writer2")))
	before := b.must(ref.ID)
	b.untouched(func() {
		b.ok(b.setPassword(ref, password(onePassword)))
		b.wantLogin(ref, onePassword, true)
		b.wantLogin(ref, onePassword+"x", false)
		b.ok(b.setPassword(ref, password(anotherPassword)))
	}, ref.ID)
	b.wantLogin(ref, anotherPassword, true)
	b.wantLogin(ref, onePassword, false)
	b.wantLogin(other, anotherPassword+"-of-writer2", true)
	b.ok(b.setPassword(ref, password(anotherPassword))) // as after a write in doubt
	b.wantLogin(ref, anotherPassword, true)
	after := b.must(ref.ID)
	if was, is := b.visible(before), b.visible(after); was != is {
		b.t.Fatalf("a password changed more than itself:\n was %s\n is  %s", was, is)
	}
	listing, err := target.Collect(b.t.Context(), b.Target, b.scope)
	b.ok(err)
	b.secret(fmt.Sprintf("%+v %+v", listing.Accounts(), b.byID(ref.ID)))
}

// visible is what the scope shows of an account.
func (b *bench) visible(a target.Account) string {
	out := a
	out.Attributes = map[string][]string{}
	for _, name := range b.scope.Attributes {
		if values := a.Attributes[name]; len(values) > 0 {
			out.Attributes[name] = values
		}
	}
	return show(out)
}

func (b *bench) secret(text string) {
	b.t.Helper()
	if strings.Contains(text, "Canary-") {
		b.t.Fatalf("a password is shown: %s", text)
	}
}

// passwordOfDisabled: setting a password opens nothing.
func passwordOfDisabled(b *bench) {
	ref := b.create("writer1")
	b.ok(b.Target.Disable(b.t.Context(), ref))
	b.ok(b.setPassword(ref, password(anotherPassword)))
	if a := b.must(ref.ID); a.Enabled {
		b.t.Fatal("setting a password opened the account")
	}
	b.wantLogin(ref, anotherPassword, false)
	b.ok(b.Target.Enable(b.t.Context(), ref))
	b.wantLogin(ref, anotherPassword, true)
}

func passwordMustChange(b *bench) {
	ref := b.create("writer1")
	p := password(anotherPassword)
	p.MustChange = true
	b.ok(b.setPassword(ref, p))
	if b.Login == nil {
		return
	}
	if _, must := b.Login(b.t, ref, anotherPassword); !must {
		b.t.Fatal("who logs in need not change the password")
	}
	b.ok(b.setPassword(ref, password(onePassword)))
	if in, must := b.Login(b.t, ref, onePassword); !in || must {
		b.t.Fatalf("in is %v, must change is %v", in, must)
	}
}

// passwordFails: a password that was not set is told by its class, and by no text of
// its own.
func passwordFails(b *bench) {
	ghost := b.ghost()
	heir := b.create(ghost.Name)
	b.ok(b.setPassword(heir, password(onePassword)))
	b.untouched(func() {
		err := b.setPassword(ghost, password(anotherPassword))
		b.wantClass(err, target.Missing)
		b.secret(err.Error())
		b.quiet("a cancelled context", func() {
			err := b.Target.(target.Passworder).SetPassword(cancelled(), heir, password(anotherPassword))
			if err == nil || target.ClassOf(err) == target.InDoubt {
				b.t.Fatalf("set with a cancelled context: %v", err)
			}
			b.secret(err.Error())
		})
		if b.h.Weak != "" {
			err := b.setPassword(heir, password(b.h.Weak))
			b.wantClass(err, target.Refused)
			if strings.Contains(err.Error(), b.h.Weak) || strings.Contains(hint(err), b.h.Weak) {
				b.t.Fatalf("the error shows the password: %v", err)
			}
		}
	})
	b.wantLogin(heir, onePassword, true)
}

func hint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// createdShut: an account is closed until it has a password.
func createdShut(b *bench) {
	ref, err := b.Target.Create(b.t.Context(), "writer1", b.h.set("writer1"), "mark of writer1")
	b.ok(err)
	if a := b.must(ref.ID); a.Enabled {
		b.t.Fatal("an account without a password is open")
	}
	b.ok(b.setPassword(ref, password(onePassword)))
	if a := b.must(ref.ID); a.Enabled {
		b.t.Fatal("setting a password opened the account")
	}
	b.ok(b.Target.Enable(b.t.Context(), ref))
	if a := b.must(ref.ID); !a.Enabled {
		b.t.Fatal("the account is not open")
	}
	b.wantLogin(ref, onePassword, true)
}
