package ldif

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Entry is one content record. Names and the DN stand as written; values are
// decoded and keep their order.
type Entry struct {
	DN    string
	Attrs []Attr
}

// Attr is one attribute of an entry, options included in its name.
type Attr struct {
	Name   string
	Values []string
}

// Get returns the values of the attribute, whose name is compared without
// regard to case.
func (e Entry) Get(name string) []string {
	for _, a := range e.Attrs {
		if strings.EqualFold(a.Name, name) {
			return a.Values
		}
	}
	return nil
}

// Add appends values to the attribute, which is made when it is not there.
func (e *Entry) Add(name string, values ...string) {
	for i := range e.Attrs {
		if strings.EqualFold(e.Attrs[i].Name, name) {
			e.Attrs[i].Values = append(e.Attrs[i].Values, values...)
			return
		}
	}
	e.Attrs = append(e.Attrs, Attr{Name: name, Values: values})
}

// Reader reads records one by one. It is not safe for concurrent use.
type Reader struct {
	in   *bufio.Reader
	line int
	next *string
	eof  bool
}

// NewReader reads LDIF from r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next record, or io.EOF after the last. Any other error
// names the line.
func (r *Reader) Next() (Entry, error) {
	var e Entry
	started := false
	for {
		line, err := r.logical()
		if errors.Is(err, io.EOF) {
			if started {
				return e, nil
			}
			return Entry{}, io.EOF
		}
		if err != nil {
			return Entry{}, err
		}
		if line == "" {
			if started {
				return e, nil
			}
			continue
		}
		name, value, err := r.split(line)
		if err != nil {
			return Entry{}, err
		}
		switch {
		case !started && strings.EqualFold(name, "version"):
			if value != "1" {
				return Entry{}, fmt.Errorf("read LDIF line %d: version %q is not 1", r.line, value)
			}
		case !started && strings.EqualFold(name, "dn"):
			started, e.DN = true, value
		case !started:
			return Entry{}, fmt.Errorf("read LDIF line %d: a record begins with dn:, not %q", r.line, name)
		case strings.EqualFold(name, "changetype"):
			return Entry{}, fmt.Errorf("read LDIF line %d: change records are not content", r.line)
		default:
			e.Add(name, value)
		}
	}
}

// All reads every record.
func All(r io.Reader) ([]Entry, error) {
	var out []Entry
	in := NewReader(r)
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
}

// logical returns one line with its continuations joined and comments left out.
func (r *Reader) logical() (string, error) {
	for {
		line, err := r.physical()
		if err != nil {
			return "", err
		}
		joined := line
		var b *strings.Builder
		for {
			more, err := r.physical()
			if err != nil && !errors.Is(err, io.EOF) {
				return "", err
			}
			if err != nil {
				break
			}
			if line == "" || !strings.HasPrefix(more, " ") {
				r.next = &more
				break
			}
			if b == nil {
				b = &strings.Builder{}
				b.WriteString(line)
			}
			b.WriteString(more[1:])
		}
		if b != nil {
			joined = b.String()
		}
		if strings.HasPrefix(joined, "#") {
			continue
		}
		return joined, nil
	}
}

func (r *Reader) physical() (string, error) {
	if r.next != nil {
		s := *r.next
		r.next = nil
		return s, nil
	}
	if r.eof {
		return "", io.EOF
	}
	s, err := r.in.ReadString('\n')
	if errors.Is(err, io.EOF) {
		r.eof = true
		if s == "" {
			return "", io.EOF
		}
	} else if err != nil {
		return "", fmt.Errorf("read LDIF: %w", err)
	}
	r.line++
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r"), nil
}

func (r *Reader) split(line string) (name, value string, err error) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || name == "" {
		return "", "", fmt.Errorf("read LDIF line %d: no attribute name before a colon", r.line)
	}
	switch {
	case strings.HasPrefix(rest, ":"):
		v, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest[1:]))
		if err != nil {
			return "", "", fmt.Errorf("read LDIF line %d: value of %s: %w", r.line, name, err)
		}
		return name, string(v), nil
	case strings.HasPrefix(rest, "<"):
		// A URL would let a fixture read any file.
		return "", "", fmt.Errorf("read LDIF line %d: values from a URL are not read", r.line)
	}
	return name, strings.TrimLeft(rest, " "), nil
}
