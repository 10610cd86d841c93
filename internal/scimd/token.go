package scimd

import (
	"fmt"
	"net/url"
)

// token gives out a bearer token to the client of the options.
func (s *Server) token(c *call) answer {
	form, err := url.ParseQuery(string(c.Body))
	if err != nil || form.Get("grant_type") != "client_credentials" {
		return answer{status: 400, body: map[string]any{"error": "unsupported_grant_type"}}
	}
	id, secret, basic := c.r.BasicAuth()
	if basic {
		// RFC 6749, 2.3.1: both are encoded like a form before they are joined.
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if !equal(id+":"+secret, s.options.Client) {
		return answer{status: 401, body: map[string]any{"error": "invalid_client"}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("bearer-%d", len(s.tokens)+1)
	s.tokens[token] = s.options.Lifetime
	return answer{status: 200, body: map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600}}
}

// spend uses a token once; one that is used up is refused, as one that the
// server took back before its time.
func (s *Server) spend(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left, known := s.tokens[token]
	if !known || left < 0 {
		return false
	}
	if s.options.Lifetime > 0 {
		if left--; left == 0 {
			left = -1
		}
		s.tokens[token] = left
	}
	return true
}
