package sync

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/handover"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// Passwords makes the passwords of new accounts and hands them over. It is safe for
// several goroutines.
type Passwords interface {
	Make(length int, strong bool) (secret.Text, error)
	Give(ctx context.Context, l handover.Letter) error
	Way() string
}

// loseAtMost is how many passwords in a row may be set and not handed over, before no
// more are set in this cycle.
const loseAtMost = 3

// newPassword makes a password, sets it, hands it over and forgets it. Whatever ends
// it before its last line, the password is nobody's: the next attempt sets another one,
// so that the last one set is the last one handed over. It is never on a disk of ours.
func (a *applier) newPassword(ctx context.Context, who identity.Ordinal, ref target.Ref) error {
	if a.target.Passwords == nil {
		return &target.Error{Class: target.Refused, Err: errors.New("nobody hands over passwords")}
	}
	if a.losing() {
		return withoutText(&handover.Error{Err: fmt.Errorf("no password was set: %d before it were not handed over", loseAtMost)}, secret.Text{})
	}
	rules := a.target.Rules.Password
	p := target.Password{MustChange: rules.MustChange}
	set := func(strong bool) (err error) {
		if p.Text, err = a.target.Passwords.Make(rules.Chars(), strong); err != nil {
			return notSent(err)
		}
		return withoutText(a.setPassword(ctx, ref, p), p.Text)
	}
	err := set(false)
	if target.ClassOf(err) == target.Refused {
		// It may be the policy there, which seldom says so in a way that can be told.
		if err := a.pace(ctx, 1); err != nil {
			return notSent(err)
		}
		err = set(true)
	}
	if err != nil {
		return err
	}
	l := handover.Letter{Target: a.target.Name, Account: ref.Name, Password: p.Text, MustChange: p.MustChange}
	if person := a.person(who); person != nil {
		l.Login, l.Mail, l.Name = person.Login, person.Mail, person.Name
	}
	err = withoutText(a.target.Passwords.Give(ctx, l), p.Text)
	a.count(err)
	return err
}

// person is somebody of this cycle.
func (a *applier) person(who identity.Ordinal) *identity.Person {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.people == nil {
		a.people = make(map[identity.Ordinal]*identity.Person, len(a.input.People))
		for i := range a.input.People {
			a.people[a.input.People[i].Ordinal] = &a.input.People[i].Person
		}
	}
	return a.people[who]
}

func (a *applier) losing() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost >= loseAtMost
}

func (a *applier) count(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lost++; err == nil {
		a.lost = 0
	}
}

// undelivered says whether a password was set and not handed over.
func undelivered(err error) bool {
	var e *handover.Error
	return errors.As(err, &e)
}

// withoutText keeps a password out of an error, whatever a target repeats in it, a part
// of it too. It gives the error a class: a way of handing over knows none, and what it
// failed at can be tried again.
func withoutText(err error, text secret.Text) error {
	if err == nil {
		return nil
	}
	shown := forms(text.Reveal())
	said, hid := withoutForms(err.Error(), shown)
	tip, hidden := withoutForms(hint(err), shown)
	clean := &target.Error{Class: target.ClassOf(err), Err: err, Tip: tip}
	if hid || hidden {
		clean.Err = errors.New(said)
	}
	if undelivered(err) {
		clean.Class = target.Transient
		if hid || hidden {
			clean.Err = &handover.Error{Err: errors.New(said)}
		}
	}
	return clean
}

// showsTooMuch is how many characters in a row of a password nobody repeats.
const showsTooMuch = 6

// withoutForms takes out of a text what it has in common with forms of a password, in
// whatever case.
func withoutForms(said string, shown []string) (string, bool) {
	lower, hide := plainLower(said), make([]bool, len(said))
	for _, f := range shown {
		f = plainLower(f)
		for at := 0; at+showsTooMuch <= len(f); at++ {
			part := f[at : at+showsTooMuch]
			for from := 0; ; {
				n := strings.Index(lower[from:], part)
				if n < 0 {
					break
				}
				for i := range part {
					hide[from+n+i] = true
				}
				from += n + 1
			}
		}
	}
	var out strings.Builder
	for i := range len(said) {
		switch {
		case !hide[i]:
			out.WriteByte(said[i])
		case i == 0 || !hide[i-1]:
			out.WriteString(secret.Redacted)
		}
	}
	return out.String(), slices.Contains(hide, true)
}

// plainLower lowers the letters of ASCII alone, so that each byte stays in its place.
func plainLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// forms are what a password looks like where somebody repeats it: as it is, and as it
// goes over the wire.
func forms(text string) []string {
	if text == "" {
		return nil
	}
	var wide []byte
	for _, u := range utf16.Encode([]rune(`"` + text + `"`)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	out := []string{text, string(wide), string(wide[2 : len(wide)-2])}
	for _, b := range [][]byte{[]byte(text), wide} {
		out = append(out, base64.StdEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(b), base64.URLEncoding.EncodeToString(b), hex.EncodeToString(b))
	}
	return out
}
