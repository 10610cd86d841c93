package scim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// TestLaw12PasswordIsNotRepeated: what a server says against a password is told, unless
// it says the password.
func TestLaw12PasswordIsNotRepeated(t *testing.T) {
	const text = `Canary-"One"\4711é`
	for said, told := range map[string]string{
		"it needs a digit":                    "it needs a digit",
		text + " is too short":                "repeats the password",
		`Canary-\"One\"\\4711é is too short`:  "repeats the password",
		"CANARY-\"ONE is in a list of words":  "repeats the password",
		"body was {\"password\":\"Canary-...": "repeats the password",
	} {
		s := serve(t, scimd.Options{})
		ref := s.many(1)[0]
		s.http.Config.Handler = before(s.Server, func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if r.Method != http.MethodGet {
				tell(w, 400, "invalidValue", said)
			}
			return r.Method != http.MethodGet
		})
		err := s.open(t).SetPassword(t.Context(), ref, target.Password{Text: secret.NewText(text)})
		wantClass(t, err, target.Refused, told)
		if strings.Contains(strings.ToLower(err.Error()), "canary") {
			t.Error(err)
		}
		if s.Writes() > 1 {
			t.Errorf("%d writes", s.Writes())
		}
	}
	s := serve(t, scimd.Options{})
	ref := s.many(1)[0]
	wantClass(t, s.open(t).SetPassword(t.Context(), ref, target.Password{Text: secret.NewText(text), MustChange: true}), target.Refused)
	wantClass(t, s.open(t, func(c *Config) { c.Dialect.Passwords = off }).SetPassword(t.Context(), ref, target.Password{Text: secret.NewText(text)}), target.Refused)
	if s.Writes() > 0 {
		t.Errorf("%d writes", s.Writes())
	}
}
