package ldapd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// maxMessage bounds what a client may send in one message; a group of 100,000
// members fits.
const maxMessage = 32 << 20

// Protocol operations (RFC 4511, section 4.2 and after).
const (
	opBindRequest      = 0x60
	opBindResponse     = 0x61
	opUnbindRequest    = 0x42
	opSearchRequest    = 0x63
	opSearchEntry      = 0x64
	opSearchDone       = 0x65
	opSearchReference  = 0x73
	opModifyRequest    = 0x66
	opModifyResponse   = 0x67
	opAddRequest       = 0x68
	opAddResponse      = 0x69
	opDeleteRequest    = 0x4a
	opDeleteResponse   = 0x6b
	opRenameRequest    = 0x6c
	opRenameResponse   = 0x6d
	opCompareRequest   = 0x6e
	opCompareResponse  = 0x6f
	opAbandonRequest   = 0x50
	opExtendedRequest  = 0x77
	opExtendedResponse = 0x78
)

// OIDs of the controls and extensions that the server has.
const (
	oidPaged      = "1.2.840.113556.1.4.319"
	oidManageDSA  = "2.16.840.1.113730.3.4.2"
	oidStartTLS   = "1.3.6.1.4.1.1466.20037"
	oidWhoAmI     = "1.3.6.1.4.1.4203.1.11.3"
	oidDisconnect = "1.3.6.1.4.1.1466.20036"
)

// ops says of each request what it is counted as and how it is answered.
var ops = map[byte]struct {
	op       Op
	response byte
}{
	opBindRequest: {OpBind, opBindResponse}, opUnbindRequest: {OpUnbind, 0},
	opSearchRequest: {OpSearch, opSearchDone}, opModifyRequest: {OpModify, opModifyResponse},
	opAddRequest: {OpAdd, opAddResponse}, opDeleteRequest: {OpDelete, opDeleteResponse},
	opRenameRequest: {OpRename, opRenameResponse}, opCompareRequest: {OpCompare, opCompareResponse},
	opAbandonRequest: {OpAbandon, 0}, opExtendedRequest: {OpExtended, opExtendedResponse},
}

// message is one decoded LDAPMessage.
type message struct {
	id        int
	tag       byte
	body      []byte
	paged     *pagedControl
	manageDSA bool
	controls  []control // all others
}

// control is one that came with a request (RFC 4511, section 4.1.11).
type control struct {
	oid      string
	critical bool
	value    []byte
}

// control returns the control of that name, nil when there is none.
func (m *message) control(oid string) *control {
	for i := range m.controls {
		if m.controls[i].oid == oid {
			return &m.controls[i]
		}
	}
	return nil
}

type pagedControl struct {
	size   int
	cookie string
}

// readMessage reads one message off the stream. Memory grows with what
// arrives, not with what a length promises.
func readMessage(in *bufio.Reader) ([]byte, error) {
	var head []byte
	for n := 2; ; n++ {
		var err error
		if head, err = in.Peek(n); err != nil {
			return nil, err
		}
		if head[0] != tagSequence {
			return nil, errBER
		}
		size, body, ok := header(head)
		if !ok {
			if n >= 6 || head[1] < 0x81 || head[1] > 0x84 {
				return nil, errBER
			}
			continue
		}
		if body > maxMessage {
			return nil, fmt.Errorf("read message: %d octets are too many", body)
		}
		if _, err := in.Discard(size); err != nil {
			return nil, err
		}
		return readBody(in, body)
	}
}

func readBody(in io.Reader, n int) ([]byte, error) {
	const chunk = 64 << 10
	buf := make([]byte, 0, min(n, chunk))
	for len(buf) < n {
		at := len(buf)
		buf = append(buf, make([]byte, min(n-at, max(chunk, at)))...)
		if _, err := io.ReadFull(in, buf[at:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return buf, nil
}

// decodeMessage reads the envelope: message ID, operation and controls.
func decodeMessage(b []byte) (*message, error) {
	d := decoder{rest: b}
	m := &message{id: d.integer(tagInteger)}
	op := d.any()
	m.tag, m.body = op.tag, op.body
	if d.more() {
		controls := d.sub(0xa0)
		for controls.more() {
			if err := m.decodeControl(controls.sub(tagSequence)); err != nil {
				return nil, err
			}
		}
		if d.err == nil {
			d.err = controls.err
		}
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	if _, known := ops[m.tag]; !known || m.id <= 0 {
		return nil, errBER
	}
	return m, nil
}

func (m *message) decodeControl(d decoder) error {
	oid := d.text(tagOctets)
	critical := false
	if d.peek() == tagBoolean {
		critical = d.boolean(tagBoolean)
	}
	value := decoder{}
	if d.more() {
		value.rest = d.take(tagOctets)
	}
	if err := d.end(); err != nil {
		return err
	}
	switch oid {
	case oidPaged:
		seq := value.sub(tagSequence)
		m.paged = &pagedControl{size: seq.integer(tagInteger), cookie: seq.text(tagOctets)}
		return seq.end()
	case oidManageDSA:
		m.manageDSA = true
	default:
		m.controls = append(m.controls, control{oid, critical, value.rest})
	}
	return nil
}

// result appends a message with an LDAPResult, what follows that in the same
// operation, and the controls.
func (e *encoder) result(id int, tag byte, err *Error, extra, controls func()) {
	if err == nil {
		err = &Error{}
	}
	msg := e.open(tagSequence)
	e.integer(tagInteger, id)
	op := e.open(tag)
	e.integer(tagEnumerated, err.Code)
	e.octets(tagOctets, err.Matched.String())
	e.octets(tagOctets, err.Diagnostic)
	if len(err.Referrals) > 0 {
		refs := e.open(0xa3)
		for _, u := range err.Referrals {
			e.octets(tagOctets, u)
		}
		e.close(refs)
	}
	if extra != nil {
		extra()
	}
	e.close(op)
	if controls != nil {
		controls()
	}
	e.close(msg)
}

// parseName reads the name of an entry, as the kind of server does.
func (s *session) parseName(name string) (identity.DN, *Error) {
	if dir := s.srv.dir; dir.domain != nil && strings.HasPrefix(name, "<") {
		dir.mu.RLock()
		defer dir.mu.RUnlock()
		return dir.resolve(name)
	}
	return parseName(name)
}

func parseName(s string) (identity.DN, *Error) {
	dn, err := identity.ParseDN(s)
	if err != nil {
		return identity.DN{}, refuse(InvalidDNSyntax, "invalid DN")
	}
	return dn, nil
}
