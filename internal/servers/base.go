package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rosterd/rosterd/internal/ldif"
)

// base tells whether the LDIF brings the suffix entry itself, and holds the
// first reader again, unread.
type base struct {
	found bool
	rest  []io.Reader
}

func hasBase(in []io.Reader, suffix string) (base, error) {
	if len(in) == 0 {
		return base{}, nil
	}
	br := bufio.NewReaderSize(in[0], 64<<10)
	head, err := br.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return base{}, fmt.Errorf("read the LDIF: %w", err)
	}
	first, err := ldif.NewReader(strings.NewReader(string(head))).Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return base{}, err
	}
	squeeze := strings.NewReplacer(" ", "")
	return base{found: strings.EqualFold(squeeze.Replace(first.DN), squeeze.Replace(suffix)), rest: []io.Reader{br}}, nil
}

func baseEntry(suffix string) ldif.Entry {
	rdn, _, _ := strings.Cut(suffix, ",")
	attr, value, _ := strings.Cut(rdn, "=")
	e := ldif.Entry{DN: suffix}
	switch strings.ToLower(attr) {
	case "dc":
		e.Add("objectClass", "dcObject", "organization")
		e.Add("o", value)
	case "ou":
		e.Add("objectClass", "organizationalUnit")
	default:
		e.Add("objectClass", "organization")
	}
	e.Add(attr, value)
	return e
}

func (u User) entry() ldif.Entry {
	rdn, _, _ := strings.Cut(u.DN, ",")
	_, cn, _ := strings.Cut(rdn, "=")
	e := ldif.Entry{DN: u.DN}
	e.Add("objectClass", "organizationalRole", "simpleSecurityObject")
	e.Add("cn", cn)
	e.Add("userPassword", u.Password)
	return e
}
