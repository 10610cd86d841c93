package ldif

import (
	"bufio"
	"encoding/base64"
	"io"
)

// Write writes the records, unfolded, with a blank line after each. Values
// that RFC 2849 does not call safe are written in base64.
func Write(w io.Writer, entries ...Entry) error {
	b := bufio.NewWriter(w)
	for _, e := range entries {
		writeLine(b, "dn", e.DN)
		for _, a := range e.Attrs {
			for _, v := range a.Values {
				writeLine(b, a.Name, v)
			}
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

func writeLine(b *bufio.Writer, name, value string) {
	b.WriteString(name)
	if safe(value) {
		b.WriteString(": ")
		b.WriteString(value)
	} else {
		b.WriteString(":: ")
		b.WriteString(base64.StdEncoding.EncodeToString([]byte(value)))
	}
	b.WriteByte('\n')
}

func safe(s string) bool {
	if s == "" {
		return true
	}
	switch s[0] {
	case ' ', ':', '<':
		return false
	}
	if s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
