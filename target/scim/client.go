package scim

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/target"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 16 << 20
	// maxRedirects is how often a read is sent elsewhere on the same server.
	maxRedirects = 3
	// patience is for how many times the silence that is allowed one answer may
	// come, byte by byte.
	patience  = 10
	mediaType = "application/scim+json"
)

// client sends requests, one try or several, and returns what was answered.
type client struct {
	cfg   Config
	base  *url.URL
	clock clock.Clock
	idle  time.Duration
	whole time.Duration // of an answer
	key   credential

	capital atomic.Bool // operations of a PATCH begin with a capital here

	mu        sync.Mutex
	http      *http.Transport // nil: not needed yet
	notBefore time.Time       // the server asked to be left alone until then
}

func newClient(cfg Config, base *url.URL, now clock.Clock) *client {
	return &client{cfg: cfg, base: base, clock: now, idle: time.Duration(cfg.IdleTimeout), whole: patience * time.Duration(cfg.IdleTimeout)}
}

// web is what sends a request: once, and wherever it is sent on to is looked at
// here, since whoever is asked gets the token. It is made when it is first needed,
// since it reads a file.
func (c *client) web() (http.RoundTripper, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		return c.http, nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.cfg.CAFile != "" {
		pem, err := os.ReadFile(c.cfg.CAFile)
		if err != nil {
			return nil, denied("check ca_file", "read ca_file: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, denied("it must hold certificates in PEM", "ca_file %s holds no certificate", c.cfg.CAFile)
		}
	}
	c.http = &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
	}
	return c.http, nil
}

func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// call is one request.
type call struct {
	doing  string // for errors
	method string
	path   string // below the base, escaped
	query  url.Values
	body   any
	match  string // If-Match
}

func (k call) write() bool { return k.method != http.MethodGet }

// repeatable: sent twice it does what it does sent once.
func (k call) repeatable() bool { return k.method == http.MethodGet }

// deferrable: a server that says when it will have it has not done it. Of a create,
// and of members that may be stored twice, that is not believed.
func (k call) deferrable(a answer) bool {
	return k.repeatable() || k.method != http.MethodPost && strings.HasPrefix(k.path, "Users/") && a.header.Get("Retry-After") != ""
}

// answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// do sends a call and returns its answer. A PATCH is sent once more with capitals to
// a server that says that it does not know its operations, and so first from then on.
func (c *client) do(ctx context.Context, k call) (answer, error) {
	p, is := k.body.(patch)
	if is && c.capital.Load() {
		k.body = p.capital()
	}
	a, err := c.ask(ctx, k)
	if err != nil || !is || c.capital.Load() || a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity || !c.refuse(a).ofOperation() {
		return a, err
	}
	k.body = p.capital()
	again, err := c.ask(ctx, k)
	if err == nil && again.ok() {
		c.capital.Store(true)
	} else if err == nil && again.status < http.StatusInternalServerError {
		return a, nil
	}
	return again, err
}

// ask sends the call until it is answered by something that is not only "later". An
// error means that there is no answer; its class says what that means.
func (c *client) ask(ctx context.Context, k call) (answer, error) {
	var waited time.Duration
	renewed := false
	for try := 0; ; try++ {
		if err := c.turn(ctx, k, &waited); err != nil {
			return answer{}, err
		}
		a, sent, err := c.once(ctx, k)
		var pause time.Duration
		switch {
		case err != nil && ctx.Err() != nil:
			return answer{}, lost(k, sent, cause(ctx))
		case err != nil:
			if e := (*target.Error)(nil); errors.As(err, &e) {
				return answer{}, err
			}
			if sent && !k.repeatable() || try >= retries || hopeless(err) {
				return answer{}, lost(k, sent, err)
			}
			pause = backoff(try)
		case a.status == http.StatusUnauthorized && !renewed && c.key.renewable(c.cfg):
			renewed = true
			c.key.drop()
			continue
		case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable && k.deferrable(a):
			var asked bool
			if pause, asked = retryAfter(a.header, c.clock.Now()); !asked {
				pause = backoff(try)
			}
			if try >= retries && !asked {
				return a, nil
			}
			if try >= retries { // it says "at once", again and again
				pause = max(pause, longest(try))
			}
		case (a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout) && k.repeatable() && try < retries:
			pause = backoff(try)
		default:
			return a, nil
		}
		c.leave(pause)
	}
}

// turn waits until the server may be asked again.
func (c *client) turn(ctx context.Context, k call, waited *time.Duration) error {
	for {
		if err := ctx.Err(); err != nil {
			return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", k.doing, cause(ctx))}
		}
		c.mu.Lock()
		left := c.notBefore.Sub(c.clock.Now())
		c.mu.Unlock()
		if left <= 0 {
			return nil
		}
		if *waited+left > maxWait {
			return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: the server asks to be left alone for %s", k.doing, left.Round(time.Second)),
				Tip: "it takes fewer requests than it was sent: lower rate"}
		}
		*waited += left
		c.pause(ctx, left)
	}
}

// pause waits, unless the context ends.
func (c *client) pause(ctx context.Context, d time.Duration) {
	done, free := c.clock.After(d)
	defer free()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// leave keeps everybody from asking for a while.
func (c *client) leave(d time.Duration) {
	until := c.clock.Now().Add(min(d, maxLeave))
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.notBefore) {
		c.notBefore = until
	}
}

// once sends the call once, follows redirects of a read on the same server, and
// says whether anything left.
func (c *client) once(ctx context.Context, k call) (answer, bool, error) {
	at := c.base.JoinPath() // a copy
	at.RawPath = c.base.EscapedPath() + "/" + k.path
	path, err := url.PathUnescape(at.RawPath)
	if err != nil {
		return answer{}, false, err
	}
	at.Path, at.RawQuery = path, encode(k.query)
	anySent := false
	for range maxRedirects + 1 {
		a, sent, err := c.send(ctx, k, at)
		anySent = anySent || sent
		if err != nil || a.status < 300 || a.status > 399 {
			return a, anySent, err
		}
		next, err := at.Parse(a.header.Get("Location"))
		if err != nil || a.header.Get("Location") == "" || next.Scheme != at.Scheme || next.Host != at.Host || k.write() {
			where := "elsewhere"
			if err == nil && next.Host != "" {
				where = next.Scheme + "://" + next.Host
			}
			return answer{}, anySent, &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: the server sends the request on to %s, and the token is not for others", k.doing, clean(where)),
				Tip: "if that is right, write that address as url"}
		}
		at = next
	}
	return answer{}, anySent, &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: the server sends the request on and on", k.doing), Tip: "check url"}
}

// send is one request and its whole answer.
func (c *client) send(ctx context.Context, k call, at *url.URL) (answer, bool, error) {
	web, err := c.web()
	if err != nil {
		return answer{}, false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	authorization, err := c.key.header(ctx, c)
	if err != nil {
		return answer{}, false, err
	}
	var body io.Reader
	if k.body != nil {
		text, err := json.Marshal(k.body)
		if err != nil {
			return answer{}, false, &target.Error{Class: target.Refused, Err: fmt.Errorf("%s: %w", k.doing, err)}
		}
		body = bytes.NewReader(text)
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, k.method, at.String(), body)
	if err != nil {
		return answer{}, false, err
	}
	req.Header.Set("Accept", mediaType+", application/json;q=0.9")
	req.Header.Set("User-Agent", c.cfg.Dialect.UserAgent)
	req.Header.Set("Authorization", authorization)
	if body != nil {
		req.Header.Set("Content-Type", mediaType)
	}
	if k.match != "" {
		req.Header.Set("If-Match", k.match)
	}
	if !k.write() { // what is read back is to come from the server, and no store on the way
		req.Header.Set("Cache-Control", "no-cache")
	}
	silence := time.AfterFunc(c.idle, func() { cancel(errSilent) })
	defer silence.Stop()
	enough := time.AfterFunc(c.whole, func() { cancel(errEndless) })
	defer enough.Stop()
	resp, err := web.RoundTrip(req)
	if err != nil {
		return answer{}, sent.Load(), blame(ctx, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(&watched{io.LimitReader(resp.Body, maxAnswer+1), silence, c.idle})
	if err != nil {
		return answer{}, true, blame(ctx, err)
	}
	if len(text) > maxAnswer {
		return answer{}, true, lost(k, true, fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20))
	}
	return answer{resp.StatusCode, resp.Header, text}.honest(), true, nil
}

// errSilent is a server that says nothing, errEndless one that never ends.
var (
	errSilent  = errors.New("the server is silent")
	errEndless = errors.New("the answer does not end")
)

// watched puts the end of patience off with each byte that comes.
type watched struct {
	io.Reader
	timer *time.Timer
	idle  time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if n > 0 {
		w.timer.Reset(w.idle)
	}
	return n, err
}

// blame says why a request ended: what we said, or what the network did.
func blame(ctx context.Context, err error) error {
	if because := context.Cause(ctx); because != nil && ctx.Err() != nil {
		return because
	}
	return err
}

func cause(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(context.Cause(ctx), err) || context.Cause(ctx) == nil {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), context.Cause(ctx))
}

// encode writes a query with %20 for a blank, which every server reads.
func encode(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }
