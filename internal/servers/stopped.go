package servers

import "errors"

// server is what all of them can do.
type server interface {
	Pid() int
	Stop() error
	Start() error
}

// whileStopped does something while the server is down, and starts it again if
// it was running.
func whileStopped(s server, do func() error) error {
	if s.Pid() == 0 {
		return do()
	}
	if err := s.Stop(); err != nil {
		return err
	}
	return errors.Join(do(), s.Start())
}
