package scim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

func TestValidate(t *testing.T) {
	token := secret.Env("T")
	for name, c := range map[string]struct {
		cfg  Config
		want []string // keys
	}{
		"as it should be":      {Config{URL: "https://a.example/scim", Token: token}, nil},
		"this machine":         {Config{URL: "http://127.0.0.1:8080", Token: token}, nil},
		"plain, by name":       {Config{URL: "http://a.example", Token: token, AllowPlaintext: true}, nil},
		"client":               {Config{URL: "https://a.example", TokenURL: "https://b.example/t", ClientID: "x", ClientSecret: token, ClientAuth: "post", Scopes: []string{"a"}}, nil},
		"name and password":    {Config{URL: "https://a.example", Username: "x", Password: token}, nil},
		"nothing":              {Config{}, []string{"url", "token"}},
		"plain":                {Config{URL: "http://a.example", Token: token}, []string{"url"}},
		"no web":               {Config{URL: "ldaps://a.example", Token: token}, []string{"url"}},
		"no address":           {Config{URL: "https://a b", Token: token}, []string{"url"}},
		"a password in it":     {Config{URL: "https://u:hunter2@a.example", Token: token}, []string{"url"}},
		"a query":              {Config{URL: "https://a.example/scim?x=1", Token: token}, []string{"url"}},
		"two ways":             {Config{URL: "https://a.example", Token: token, Username: "x", Password: token}, []string{"url"}},
		"half a client":        {Config{URL: "https://a.example", ClientID: "x"}, []string{"token_url", "client_secret"}},
		"the other half":       {Config{URL: "https://a.example", TokenURL: "http://b.example", ClientSecret: token, ClientAuth: "x", Scopes: []string{"a b"}}, []string{"token_url", "client_id", "client_auth", "scopes"}},
		"half a password":      {Config{URL: "https://a.example", Username: "a:b"}, []string{"username", "password"}},
		"the other half of it": {Config{URL: "https://a.example", Password: token}, []string{"username"}},
		"odds and ends":        {Config{URL: "https://a.example", Token: token, Profile: "x", CAFile: "ca.pem", Connections: -1, IdleTimeout: -1, TotalTimeout: -1}, []string{"profile", "ca_file", "connections", "idle_timeout", "total_timeout"}},
		"a dialect": {Config{URL: "https://a.example", Token: token, Dialect: Profile{PageSize: -1, Paging: "x", MemberChunk: 1 << 20, UserAgent: "a\nb"}},
			[]string{"dialect.paging", "dialect.page_size", "dialect.member_chunk", "dialect.user_agent"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			c.cfg.Validate([]string{"target", "x"}, func(p problem.Problem) {
				key := p.Path[2]
				if len(p.Path) > 3 {
					key += "." + p.Path[3]
				}
				got = append(got, key)
				if text, _ := json.Marshal(p); p.Message == "" || strings.Contains(string(text), "hunter2") {
					t.Errorf("%+v", p)
				}
			})
			if a, b := asText(got), asText(c.want); a != b {
				t.Errorf("%s, want %s", a, b)
			}
		})
	}
}

func asText(list []string) string {
	text, _ := json.Marshal(list)
	if len(list) == 0 {
		return ""
	}
	return string(text)
}

// TestProfiles: those that come with the program can be used as they are.
func TestProfiles(t *testing.T) {
	if len(profiles()) == 0 || profiles()[generic].About == "" {
		t.Fatal("there is no generic profile")
	}
	for name, p := range profiles() {
		p.wrong(func(key, message, _ string) { t.Errorf("profile %s: %s: %s", name, key, message) })
		if p.About == "" {
			t.Errorf("profile %s does not say whether it was run", name)
		}
	}
	d := Profile{PageSize: 7}.Over(Profile{PageSize: 9, Active: activeString}).Over(defaults)
	if d.PageSize != 7 || d.Active != activeString || d.Paging != auto {
		t.Errorf("%+v", d)
	}
}

// TestGoverning: the mark and whether accounts can be closed are policy, the way
// there is none.
func TestGoverning(t *testing.T) {
	hash := func(c Config) string {
		text, err := json.Marshal(c.Policy())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	a := Config{URL: "https://a.example", Token: secret.Env("A")}
	b := Config{URL: "https://b.example", Token: secret.Env("B"), Dialect: Profile{PageSize: 5, Active: activeString}}
	if hash(a) != hash(b) {
		t.Error("an address is policy")
	}
	for _, d := range []Profile{{Mark: none}, {Active: none}, {Passwords: off}} {
		c := a
		c.Dialect = d
		if hash(a) == hash(c) {
			t.Errorf("%+v is no policy", d)
		}
		was := hash(c)
		c.Reach(&b)
		if c.URL != b.URL || c.Dialect.PageSize != 5 || hash(c) != was {
			t.Errorf("%+v", c)
		}
	}
}
