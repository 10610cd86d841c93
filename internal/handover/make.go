package handover

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/rosterd/rosterd/internal/secret"
)

// The classes of characters that policies count. Nothing looks like something else in
// common fonts, and nothing means anything to a shell, in XML, JSON or a URL.
const (
	lower   = "abcdefghijkmnpqrstuvwxyz"
	upper   = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digits  = "23456789"
	symbols = "-_."
)

// stronger is how much longer a password for strict policies is.
const stronger = 8

// Make draws a password of so many characters, with some of each class. A strong one
// is longer and has signs among them, for targets that took no other.
func (d *Desk) Make(length int, strong bool) (secret.Text, error) {
	classes := []string{lower, upper, digits}
	if strong {
		classes, length = append(classes, symbols), length+stronger
	}
	alphabet := strings.Join(classes, "")
	// Drawn anew until it has some of each: choosing places for them would make some
	// passwords more likely than others.
	for range 1000 {
		text, err := draw(d.random, alphabet, length)
		if err != nil {
			return secret.Text{}, fmt.Errorf("make a password: %w", err)
		}
		if strings.ContainsAny(text[:1], lower+upper) && hasAll(text, classes) {
			return secret.NewText(text), nil
		}
	}
	return secret.Text{}, fmt.Errorf("make a password: %d characters do not hold %d classes", length, len(classes))
}

func draw(random io.Reader, alphabet string, n int) (string, error) {
	out := make([]byte, n)
	for i := range out {
		at, err := rand.Int(random, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		out[i] = alphabet[at.Int64()]
	}
	return string(out), nil
}

func hasAll(text string, classes []string) bool {
	for _, c := range classes {
		if !strings.ContainsAny(text, c) {
			return false
		}
	}
	return true
}
