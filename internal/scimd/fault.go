package scimd

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// instead answers before a request is looked at, where a mode says so.
func (s *Server) instead(c *call) (answer, bool) {
	if c.has(Slow) {
		wait := time.NewTimer(s.options.Slow)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-c.r.Context().Done():
		}
	}
	if a, ok := s.limit(c); ok {
		return a, true
	}
	discovery := c.Method == http.MethodGet && c.kind != Users && c.kind != Groups
	switch {
	case c.has(RedirectElsewhere):
		a := answer{status: http.StatusTemporaryRedirect}
		a.set("Location", s.options.Elsewhere+c.r.URL.RequestURI())
		return a, true
	case c.has(UnauthorisedMid):
		return refuse(401, "", "the token was revoked").answer(), true
	case c.has(ForbiddenWrites):
		return refuse(403, "", "this token may read").answer(), true
	case c.has(ErrorsAll):
		return refuse(500, "", "an internal error").answer(), true
	case c.has(NeedsUserAgent) && c.r.Header.Get("User-Agent") == "":
		return refuse(403, "", "there is no User-Agent").answer(), true
	case c.has(HTMLAnswer):
		return answer{status: 200, body: raw{"text/html", "<!DOCTYPE html><title>Sign in</title><form>"}}, true
	case c.has(NotJSON):
		return answer{status: 200, body: raw{"application/scim+json", `{"schemas":["` + listResponse + `"],"Resources":[{"id":`}}, true
	case c.has(DeepJSON):
		return answer{status: 200, body: raw{"application/scim+json", `{"Resources":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}"}}, true
	case c.has(NoDiscovery) && discovery, c.has(GroupsUnsupported) && c.kind == Groups:
		return refuse(404, "", "there is no %s", c.Path).answer(), true
	case c.has(PatchUnsupported) && c.Method == http.MethodPatch, c.has(PutUnsupported) && c.Method == http.MethodPut:
		return refuse(501, "", "%s is not implemented", c.Method).answer(), true
	case c.has(DeleteRefused) && c.Method == http.MethodDelete:
		return refuse(403, "", "users are kept").answer(), true
	case c.has(NeedsIfMatch) && c.id != "" && c.Method != http.MethodGet && c.r.Header.Get("If-Match") == "":
		return refuse(428, "", "there is no If-Match").answer(), true
	}
	return answer{}, false
}

// limit answers where a mode says that there were too many requests.
func (s *Server) limit(c *call) (answer, bool) {
	a := refuse(429, "", "too many requests").answer()
	s.mu.Lock()
	now := s.now()
	s.mu.Unlock()
	switch {
	case c.has(RateSeconds), c.has(RateForever):
		a.set("Retry-After", "1")
	case c.has(RateDate):
		a.set("Retry-After", now.Add(2*time.Second).UTC().Format(http.TimeFormat))
	case c.has(RateXRetry):
		a.set("X-Retry-After", "1")
	case c.has(RateXReset):
		a.set("X-Ratelimit-Reset", strconv.FormatInt(now.Add(2*time.Second).Unix(), 10))
	case c.has(RateAbsurd):
		a.set("Retry-After", "99999999")
	case c.has(RateNegative):
		a.set("Retry-After", "-1")
	case c.has(RateGarbage):
		a.set("Retry-After", "in a moment, please")
	case c.has(RateSilent):
		a.body = nil
	case c.has(Rate503):
		a = refuse(503, "", "in a moment").answer()
		a.set("Retry-After", "1")
	default:
		return answer{}, false
	}
	return a, true
}

// after spoils an answer before it is sent.
func (s *Server) after(c *call, a *answer) {
	if c.has(ErrorAfterWork) && a.status < 300 {
		*a = refuse(500, "", "an internal error").answer()
	}
	body, _ := a.body.(Resource)
	switch {
	case a.status == http.StatusCreated && c.kind != "":
		s.afterCreate(c, a, body)
	case a.status == http.StatusOK && (c.Method == http.MethodPatch || c.Method == http.MethodPut):
		if c.has(NoBody) || c.has(GroupPatch204) && c.kind == Groups && c.Method == http.MethodPatch {
			a.status, a.body = http.StatusNoContent, nil
		}
	}
	if c.has(ETagIsHash) && body != nil {
		encoded, _ := json.Marshal(body)
		a.set("ETag", fmt.Sprintf(`W/"%x"`, sha256.Sum256(encoded))[:20]+`"`)
	}
	if c.has(WrongTypes) && body != nil {
		body["id"], body["userName"], body["active"], body["meta"], body["members"] = 7, []any{"x"}, map[string]any{}, "none", "many"
	}
	if a.status >= 400 {
		s.afterError(c, a)
	}
}

func (s *Server) afterCreate(c *call, a *answer, body Resource) {
	anonymous := func() { delete(body, "id"); delete(body, "meta") }
	switch {
	case c.has(CreateNoBody):
		a.body = nil
	case c.has(CreateBare):
		a.body = nil
		a.header.Del("Location")
	case c.has(CreateNoID):
		anonymous()
	case c.has(CreateOK):
		a.status = http.StatusOK
	case c.has(LocationUndefined):
		anonymous()
		a.set("Location", s.options.Base+"/"+string(c.kind)+"/undefined")
	case c.has(LocationElsewhere):
		a.set("Location", s.options.Elsewhere+"/"+string(c.kind)+"/"+fmt.Sprint(body["id"]))
		anonymous()
	}
}

func (s *Server) afterError(c *call, a *answer) {
	switch {
	case c.has(HTMLErrors):
		a.body = raw{"text/html", "<!DOCTYPE html><html><body><h1>" + http.StatusText(a.status) + "</h1></body></html>"}
	case c.has(PlainErrors):
		a.body = raw{"text/plain", http.StatusText(a.status) + "\n"}
	case c.has(EmptyErrors):
		a.body = nil
	case c.has(ErrorEchoesHeaders):
		a.body = refuse(a.status, "", "\x1b[2Jfailed\nERROR all accounts were deleted %v", c.Header).answer().body
	}
}
