package scimd

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options are what a server is, apart from its modes.
type Options struct {
	// Base is the path of the service, such as /scim/v2; "" is the root.
	Base string
	// Token is the bearer token that requests must have; "" asks for none.
	Token string
	// Basic is user:password, taken instead of a token where it is set.
	Basic string
	// Client is id:secret of a client at BASE/token, which gives out bearer
	// tokens by client credentials (RFC 6749, 4.4); "" has no such endpoint.
	Client string
	// Lifetime is for how many uses a token of Client is good; 0 is for ever.
	Lifetime int
	// ETags: versions are told and If-Match is heeded (RFC 7644, 3.14).
	ETags bool
	// Paging is index (the default), cursor or both (RFC 9865).
	Paging string
	// PageSize is how many resources a page has where the client does not say,
	// and at most; 100 by default.
	PageSize int
	// Now is the clock; nil counts a second from one write to the next.
	Now func() time.Time
	// Elsewhere is the address of another server, for modes that point to it.
	Elsewhere string
	// Slow is how long what is slow takes; a second by default.
	Slow time.Duration
}

// Server is a SCIM server over a store in memory. Its methods may be called from
// several goroutines.
type Server struct {
	options Options

	mu       sync.Mutex
	tables   map[Kind]*table
	serial   int
	writes   int
	cursors  map[string]cursor
	tokens   map[string]int
	modes    map[Mode]func(Request) bool
	requests []Request
	// names and memberships are counted from the tables; nil is not counted yet.
	names       map[string]string
	memberships map[string][]any
	// gone are the names of users who were deleted.
	gone []string
}

// New makes an empty server.
func New(o Options) *Server {
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	if o.Slow == 0 {
		o.Slow = time.Second
	}
	return &Server{
		options: o,
		tables:  map[Kind]*table{Users: {byID: map[string]*stored{}}, Groups: {byID: map[string]*stored{}}},
		cursors: map[string]cursor{}, tokens: map[string]int{}, modes: map[Mode]func(Request) bool{},
	}
}

// Request is one that came, with how it was answered.
type Request struct {
	// Number counts from 1.
	Number int
	Method string
	// Path is below Base, with its escapes undone.
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
	// Status is 0 until the request was answered, and if it never was.
	Status int
}

// Write: the request may change something.
func (r Request) Write() bool { return r.Method != http.MethodGet && r.Path != "/token" }

// call is a request on its way through the server.
type call struct {
	Request
	w     http.ResponseWriter
	r     *http.Request
	body  map[string]any
	modes map[Mode]bool
	// kind and id are what the path names.
	kind Kind
	id   string
	// asked are the operations of a PATCH as they came.
	asked []operation
}

// answer is what a request gets.
type answer struct {
	status int
	// body is what JSON encodes; nil has none.
	body   any
	header http.Header
}

func (a *answer) set(name, value string) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(name, value)
}

// maxBody bounds what a request may have.
const maxBody = 16 << 20

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	c := &call{w: w, r: r}
	c.Request, c.modes = s.log(Request{
		Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, s.options.Base), Query: r.URL.Query(), Header: r.Header.Clone(), Body: body,
	})
	kind, id, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	c.kind, c.id = Kind(kind), id
	a, spoiled := s.instead(c)
	if !spoiled {
		a = s.respond(c)
	}
	s.after(c, &a)
	s.answered(c.Number, a.status)
	s.send(c, a)
}

func (s *Server) respond(c *call) answer {
	if c.Path == "/token" && s.options.Client != "" {
		return s.token(c)
	}
	if !s.allowed(c.r) {
		a := refuse(401, "", "no such token").answer()
		a.set("WWW-Authenticate", "Bearer")
		return a
	}
	if c.Method == http.MethodPost || c.Method == http.MethodPut || c.Method == http.MethodPatch {
		d := json.NewDecoder(bytes.NewReader(c.Body))
		if err := d.Decode(&c.body); err != nil {
			return refuse(400, "invalidSyntax", "the body is no JSON object: %v", err).answer()
		}
		if err := c.dialect(); err != nil {
			return err.answer()
		}
	}
	return s.route(c)
}

// log keeps a request, and says which modes are on for it.
func (s *Server) log(r Request) (Request, map[Mode]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Number = len(s.requests) + 1
	s.requests = append(s.requests, r)
	modes := map[Mode]bool{}
	for m, when := range s.modes {
		if when(r) {
			modes[m] = true
		}
	}
	return r, modes
}

func (s *Server) answered(number, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number <= len(s.requests) {
		s.requests[number-1].Status = status
	}
}

// Requests are those that came, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Forget empties the log.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Count is how many requests with that method came for paths that begin so; ""
// is any method.
func (s *Server) Count(method, path string) int {
	n := 0
	for _, r := range s.Requests() {
		if (method == "" || r.Method == method) && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

// Writes is how many requests came that may change something.
func (s *Server) Writes() int {
	n := 0
	for _, r := range s.Requests() {
		if r.Write() {
			n++
		}
	}
	return n
}

func (s *Server) allowed(r *http.Request) bool {
	given := r.Header.Get("Authorization")
	if s.options.Basic != "" {
		user, password, _ := r.BasicAuth()
		return equal(user+":"+password, s.options.Basic)
	}
	token, ok := strings.CutPrefix(given, "Bearer ")
	if s.options.Client != "" && ok && s.spend(token) {
		return true
	}
	if s.options.Token == "" {
		return s.options.Client == ""
	}
	return ok && equal(token, s.options.Token)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// now is the clock of the store; s.mu is held.
func (s *Server) now() time.Time {
	if s.options.Now != nil {
		return s.options.Now()
	}
	return time.Date(2026, 1, 1, 0, 0, s.writes, 0, time.UTC)
}
