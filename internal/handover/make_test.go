package handover

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func desk(t testing.TB) *Desk {
	t.Helper()
	d, err := New(Config{Command: []string{"/bin/true"}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every password has some of each class, nothing that looks like something else, and
// begins with a letter.
func TestMake(t *testing.T) {
	d := desk(t)
	rapid.Check(t, func(t *rapid.T) {
		length, strong := rapid.IntRange(20, 128).Draw(t, "length"), rapid.Bool().Draw(t, "strong")
		made, err := d.Make(length, strong)
		if err != nil {
			t.Fatal(err)
		}
		text, classes := made.Reveal(), []string{lower, upper, digits}
		if strong {
			classes, length = append(classes, symbols), length+stronger
		}
		if len(text) != length || !hasAll(text, classes) || strings.ContainsAny(text, "lIO01o'\"\\ &<>") || !strings.ContainsAny(text[:1], lower+upper) {
			t.Fatalf("made %q", text)
		}
		if strong != strings.ContainsAny(text, symbols) {
			t.Fatalf("strong is %v: %q", strong, text)
		}
		if s := fmt.Sprintf("%v %+v %#v", made, made, &made); strings.Contains(s, text) {
			t.Fatal("it prints")
		}
	})
}

// Each character is as likely as any other, as far as a few thousand tell.
func TestMakeIsEven(t *testing.T) {
	d, seen, total := desk(t), map[rune]int{}, 0
	twice := map[string]bool{}
	for range 3000 {
		made, err := d.Make(24, false)
		if err != nil {
			t.Fatal(err)
		}
		if twice[made.Reveal()] {
			t.Fatal("a password was made twice")
		}
		twice[made.Reveal()] = true
		for _, r := range made.Reveal()[1:] {
			seen[r]++
			total++
		}
	}
	if want := len(lower + upper + digits); len(seen) != want {
		t.Fatalf("%d characters of %d are used", len(seen), want)
	}
	for r, n := range seen {
		if even := total / len(seen); n < even*8/10 || n > even*13/10 {
			t.Errorf("%q came %d times, and about %d are even", r, n, even)
		}
	}
}

// Without randomness there is no password.
func TestMakeWithoutRandomness(t *testing.T) {
	d := desk(t)
	d.random = iotest.ErrReader(errors.New("none"))
	if made, err := d.Make(24, false); err == nil || made.IsSet() {
		t.Fatal("a password was made of nothing")
	}
	d.random = bytes.NewReader(make([]byte, 1<<20)) // always the same
	if made, err := d.Make(24, false); err == nil || made.IsSet() {
		t.Fatal("a password was made of one character")
	}
}
