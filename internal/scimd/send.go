package scimd

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// raw is a body that is not made by JSON.
type raw struct {
	kind, body string
}

// send writes an answer, whole or as the modes that break connections say.
func (s *Server) send(c *call, a answer) {
	var body []byte
	switch b := a.body.(type) {
	case nil:
	case raw:
		body = []byte(b.body)
		a.set("Content-Type", b.kind)
	default:
		body, _ = json.Marshal(b)
		a.set("Content-Type", map[bool]string{false: "application/scim+json", true: "application/json"}[c.has(PlainJSON)])
	}
	for name, values := range a.header {
		c.w.Header()[name] = values
	}
	if c.has(CutAfterWork) {
		panic(http.ErrAbortHandler)
	}
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if a.status == http.StatusNoContent {
		c.w.Header().Del("Content-Length")
	}
	switch {
	case c.has(HugeBody):
		s.huge(c)
		return
	case len(body) > 1 && (c.has(Stall) || c.has(CutBody)):
		c.w.WriteHeader(a.status)
		_, _ = c.w.Write(body[:len(body)/2])
		if f, ok := c.w.(http.Flusher); ok {
			f.Flush()
		}
		if c.has(Stall) {
			<-c.r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}
	c.w.WriteHeader(a.status)
	if len(body) > 0 {
		_, _ = c.w.Write(body)
	}
}

// hugeSize is where a body without end ends, so that a client that does not
// mind fails a test and not the machine.
const hugeSize = 512 << 20

func (s *Server) huge(c *call) {
	c.w.Header().Del("Content-Length")
	c.w.WriteHeader(http.StatusOK)
	part := []byte(strings.Repeat(" ", 4<<10))
	for sent := 0; sent < hugeSize && c.r.Context().Err() == nil; sent += len(part) {
		if _, err := c.w.Write(part); err != nil {
			return
		}
	}
}
