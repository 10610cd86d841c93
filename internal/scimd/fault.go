package scimd

// before misbehaves before a request is looked at, and says whether that was the
// answer.
func (s *Server) before(*call) bool { return false }

// after spoils an answer before it is sent.
func (s *Server) after(*call, *answer) {}

// write sends status and body.
func (s *Server) write(c *call, status int, body []byte) {
	c.w.WriteHeader(status)
	if len(body) > 0 {
		_, _ = c.w.Write(body)
	}
}

// host is where the server says that it is.
func (s *Server) host() string { return "scim.example" }
