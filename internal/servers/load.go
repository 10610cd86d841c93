package servers

import (
	"fmt"
	"io"
	"os"

	"github.com/rosterd/rosterd/internal/ldif"
)

// load is what a server holds at its first start.
type load struct {
	suffix string
	users  []User
	ldif   []io.Reader
	files  []string // after ldif
}

// write puts the suffix entry, unless the LDIF begins with it, the LDIF and the
// users into one file.
func (l load) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make the LDIF: %w", err)
	}
	defer f.Close()
	in := l.ldif
	for _, p := range l.files {
		src, err := os.Open(p)
		if err != nil {
			return fmt.Errorf("open the LDIF: %w", err)
		}
		defer src.Close()
		in = append(in, src)
	}
	base, err := hasBase(in, l.suffix)
	if err != nil {
		return err
	}
	if !base.found {
		if err := ldif.Write(f, baseEntry(l.suffix)); err != nil {
			return fmt.Errorf("write the base entry: %w", err)
		}
	}
	for _, r := range append(base.rest, in[min(1, len(in)):]...) {
		if _, err := io.Copy(f, r); err != nil {
			return fmt.Errorf("copy the LDIF: %w", err)
		}
		if _, err := io.WriteString(f, "\n\n"); err != nil {
			return fmt.Errorf("copy the LDIF: %w", err)
		}
	}
	for _, u := range l.users {
		if err := ldif.Write(f, u.entry()); err != nil {
			return fmt.Errorf("write the user %s: %w", u.DN, err)
		}
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write the LDIF: %w", err)
	}
	return nil
}
