package scim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rosterd/rosterd/target"
)

const (
	// maxToken bounds the answer of whoever gives tokens out, in bytes.
	maxToken = 64 << 10
	// early is how long before its end a token is no more used.
	early = 30 * time.Second
)

// credential is who we are. It holds the text of secrets, and is never printed.
type credential struct {
	mu      sync.Mutex
	token   string // fetched by client credentials
	expires time.Time
	used    []string // what must not show in any error
}

func (*credential) renewable(cfg Config) bool { return cfg.TokenURL != "" }

// drop forgets a token that is not taken any more.
func (k *credential) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = ""
}

// header is the value of Authorization. Secrets are read anew for each request, so
// a new token needs no restart.
func (k *credential) header(ctx context.Context, c *client) (string, error) {
	denied := func(err error) error {
		e := &target.Error{Class: target.Denied, Err: err}
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) {
			e.Tip = hinted.Hint()
		}
		return e
	}
	switch {
	case c.cfg.TokenURL != "":
		token, err := k.fetched(ctx, c)
		if err != nil {
			return "", err
		}
		return "Bearer " + token, nil
	case c.cfg.Token.IsSet():
		token, err := c.cfg.Token.Value()
		if err != nil {
			return "", denied(err)
		}
		if !headerText(token) {
			return "", denied(errors.New("the token has characters that no token has"))
		}
		k.remember(token)
		return "Bearer " + token, nil
	}
	password, err := c.cfg.Password.Value()
	if err != nil {
		return "", denied(err)
	}
	text := base64.StdEncoding.EncodeToString([]byte(c.cfg.Username + ":" + password))
	k.remember(password, text)
	return "Basic " + text, nil
}

func headerText(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// remember notes what must never be shown.
func (k *credential) remember(secrets ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hide(secrets...)
}

func (k *credential) hide(secrets ...string) {
	const kept = 8
	for _, s := range secrets {
		known := false
		for _, u := range k.used {
			known = known || u == s
		}
		if !known && len(s) >= 4 {
			k.used = append(k.used, s)
		}
	}
	if len(k.used) > kept {
		k.used = k.used[len(k.used)-kept:]
	}
}

// hidden is the text without any secret that was sent: some servers answer with
// the request.
func (k *credential) hidden(text string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.used {
		text = strings.ReplaceAll(text, s, "[secret]")
	}
	return text
}

// fetched is a token by client credentials, kept until shortly before its end.
func (k *credential) fetched(ctx context.Context, c *client) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.token != "" && (k.expires.IsZero() || c.clock.Now().Before(k.expires)) {
		return k.token, nil
	}
	const doing = "fetch a token"
	secret, err := c.cfg.ClientSecret.Value()
	if err != nil {
		return "", &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: %w", doing, err)}
	}
	k.hide(secret)
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(c.cfg.Scopes) > 0 {
		form.Set("scope", strings.Join(c.cfg.Scopes, " "))
	}
	if c.cfg.ClientAuth == "post" {
		form.Set("client_id", c.cfg.ClientID)
		form.Set("client_secret", secret)
	}
	ctx, cancel := context.WithTimeout(ctx, c.idle)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: token_url cannot be used", doing)}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.cfg.Dialect.UserAgent)
	if c.cfg.ClientAuth != "post" {
		req.SetBasicAuth(url.QueryEscape(c.cfg.ClientID), url.QueryEscape(secret))
	}
	web, err := c.web()
	if err != nil {
		return "", err
	}
	resp, err := web.RoundTrip(req)
	if err != nil {
		return "", &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, blame(ctx, err))}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err != nil {
		return "", &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, blame(ctx, err))}
	}
	if resp.StatusCode != http.StatusOK {
		e := &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: answered %d%s", doing, resp.StatusCode, oauthError(body)), Tip: "check client_id, client_secret and scopes"}
		if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
			e.Class, e.Tip = target.Transient, ""
		}
		return "", e
	}
	r, err := decode(body)
	if err != nil || !headerText(r.text("access_token")) || r.text("token_type") != "" && !strings.EqualFold(r.text("token_type"), "bearer") {
		return "", &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: the answer holds no bearer token", doing), Tip: "check token_url"}
	}
	k.token, k.expires = r.text("access_token"), time.Time{}
	k.hide(k.token)
	if d, err := time.ParseDuration(r.text("expires_in") + "s"); err == nil && d > 0 {
		k.expires = c.clock.Now().Add(d - min(early, d/10))
	}
	return k.token, nil
}

// oauthError is the word of RFC 6749, 5.2; nothing else is repeated, since the
// answer may hold what was sent.
func oauthError(body []byte) string {
	r, err := decode(body)
	if err != nil {
		return ""
	}
	switch word := r.text("error"); word {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return " (" + word + ")"
	}
	return ""
}
