package scimd

// Mode is one way in which a server errs, or differs from the letter of the RFCs.
// Modes has all of them.
type Mode string

// Turn switches modes on, for the requests that they concern by themselves.
func (s *Server) Turn(modes ...Mode) {
	for _, m := range modes {
		s.TurnWhen(m, nil)
	}
}

// TurnWhen switches a mode on for the requests that when says; nil is for those
// that the mode concerns by itself.
func (s *Server) TurnWhen(m Mode, when func(Request) bool) {
	if when == nil {
		when = usual(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modes[m] = when
}

// TurnOff switches modes off again.
func (s *Server) TurnOff(modes ...Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range modes {
		delete(s.modes, m)
	}
}

// usual are the requests that a mode concerns by itself.
func usual(m Mode) func(Request) bool {
	switch m {
	case RateSeconds, RateDate, RateXRetry, RateXReset, RateAbsurd, RateNegative, RateGarbage, RateSilent, Rate503:
		return func(r Request) bool { return r.Number%3 == 0 }
	case UnauthorisedMid:
		return func(r Request) bool { return r.Number >= 10 }
	case ForbiddenWrites, ErrorAfterWork, CutAfterWork:
		return Request.Write
	}
	return func(Request) bool { return true }
}

// has says whether a mode is on for the request.
func (c *call) has(m Mode) bool { return c.modes[m] }
