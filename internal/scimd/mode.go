package scimd

// Mode is one way in which a server errs.
type Mode string

// Turn switches modes on, for every request that they concern.
func (s *Server) Turn(modes ...Mode) {
	for _, m := range modes {
		s.TurnWhen(m, nil)
	}
}

// TurnWhen switches a mode on for the requests that when says; nil is for all.
func (s *Server) TurnWhen(m Mode, when func(Request) bool) {
	if when == nil {
		when = func(Request) bool { return true }
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modes[m] = when
}

// TurnOff switches a mode off again.
func (s *Server) TurnOff(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.modes, m)
}
