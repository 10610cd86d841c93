package scim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// TestLaw12SecretsAreNotShown: a server that repeats what it was sent tells nobody.
func TestLaw12SecretsAreNotShown(t *testing.T) {
	w, _ := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tell(w, 400, "invalidValue", "bad header Authorization: "+r.Header.Get("Authorization")+"\x1b[2J\r\nline two\u202e"+strings.Repeat("x", 10_000))
	}))
	w.learned = &server{}
	_, err := w.Create(t.Context(), "writer1", nil, "")
	wantClass(t, err, target.Refused, "[secret]", "line two")
	if len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\x1b\r\n\u202e") {
		t.Errorf("%q", err)
	}
	if text := fmt.Sprintf("%v %+v", w.cfg, w.cfg); strings.Contains(text, testToken) {
		t.Error("the settings show the token")
	}
}

// TestClientCredentials: a token is fetched once, kept, and fetched anew where it
// is not taken any more; what goes wrong shows no secret.
func TestClientCredentials(t *testing.T) {
	const id, hidden = "rosterd", "s3cret-and-long"
	for _, way := range []string{"basic", "post"} {
		t.Run(way, func(t *testing.T) {
			s := scimd.New(scimd.Options{Client: id + ":" + hidden, Lifetime: 5})
			server := httptest.NewServer(s)
			defer server.Close()
			cfg := Config{URL: server.URL, TokenURL: server.URL + "/token", ClientID: id, ClientSecret: tokenFile(t, hidden), ClientAuth: way, Scopes: []string{"scim", "more"}}
			w, err := New(cfg, "wiki")
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			for i := range 12 {
				if _, err := w.Create(t.Context(), fmt.Sprintf("writer%d", i), nil, ""); err != nil {
					t.Fatal(err)
				}
			}
			if n := s.Count("POST", "/token"); n < 2 || n > 4 {
				t.Errorf("%d tokens for 15 requests, each good for 5", n)
			}
			cfg.ClientSecret = tokenFile(t, "wrong-secret")
			if w, err = New(cfg, "wiki"); err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			_, err = w.Create(t.Context(), "writer", nil, "")
			wantClass(t, err, target.Denied, "fetch a token")
			if strings.Contains(err.Error(), "wrong-secret") {
				t.Error(err)
			}
		})
	}
	// A token that is never taken is fetched anew once, and not for ever.
	var fetched, asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			fetched.Add(1)
			fmt.Fprint(w, `{"access_token":"abcdefgh","token_type":"bearer","expires_in":3600}`)
			return
		}
		asked.Add(1)
		w.WriteHeader(401)
	}))
	defer server.Close()
	w, err := New(Config{URL: server.URL, TokenURL: server.URL + "/token", ClientID: id, ClientSecret: secret.Env("ROSTERD_TEST_CLIENT")}, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_, err = w.Create(t.Context(), "writer", nil, "")
	wantClass(t, err, target.Denied, "is not set")
	t.Setenv("ROSTERD_TEST_CLIENT", hidden)
	_, err = w.Create(t.Context(), "writer", nil, "")
	wantClass(t, err, target.Denied)
	if fetched.Load() != 2 || asked.Load() != 2 {
		t.Errorf("%d tokens and %d requests", fetched.Load(), asked.Load())
	}
}

// TestBasic: a name and a password.
func TestBasic(t *testing.T) {
	s := scimd.New(scimd.Options{Basic: "rosterd:pass word"})
	server := httptest.NewServer(s)
	defer server.Close()
	w, err := New(Config{URL: server.URL + "/", Username: "rosterd", Password: tokenFile(t, "pass word")}, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Create(t.Context(), "writer", nil, ""); err != nil {
		t.Fatal(err)
	}
}
