package ldapwire

import "fmt"

// message is one LDAPMessage, its parts as views into the buffer.
type message struct {
	id       int
	op       byte
	body     []byte // the content of the operation
	controls []byte // the content of the controls, if there are any
}

// parseMessage reads a whole LDAPMessage (RFC 4511, section 4.1.1), all of b.
func parseMessage(b []byte) (message, error) {
	c := cursor{b: b}
	in := cursor{b: c.take(tagSequence, "the message")}
	c.end("the stream")
	if c.err != nil {
		return message{}, c.err
	}
	var m message
	var ok bool
	if m.id, ok = parseInt(in.take(tagInteger, "the message ID")); !ok {
		in.fail("the message ID is no number from 0 to 2147483647")
	}
	if in.err == nil && !in.more() {
		in.fail("the operation is missing")
	}
	m.op, m.body = in.any()
	if in.more() {
		m.controls = in.take(tagControls, "the controls")
	}
	in.end("the message")
	return m, in.err
}

// result is an LDAPResult (RFC 4511, section 4.1.9). It owns its parts.
type result struct {
	code       Code
	matched    string
	diagnostic string
	referrals  []string
	name       string // of an extended response
	value      []byte // of an extended response
	controls   []Control
}

// parseResult reads the answer that ends an operation.
func parseResult(m message) (*result, error) {
	c := cursor{b: m.body}
	r := &result{}
	code, ok := parseInt(c.take(tagEnumerated, "the result code"))
	if !ok || code > 0xffff {
		c.fail("the result code is no small number")
	}
	r.code = Code(code)
	r.matched = string(c.take(tagOctetString, "the matched DN"))
	r.diagnostic = string(c.take(tagOctetString, "the diagnostic message"))
	for c.more() { // RFC 4511, section 4: unknown parts at the end are ignored
		switch tag, content := c.any(); tag {
		case tagReferral:
			uris := cursor{b: content}
			for uris.more() {
				r.referrals = append(r.referrals, string(uris.take(tagOctetString, "a referral")))
			}
			if uris.err != nil {
				return nil, uris.err
			}
		case extendedName:
			r.name = string(content)
		case extendedValue:
			r.value = append([]byte{}, content...)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	controls, err := parseControls(nil, m.controls)
	if err != nil {
		return nil, err
	}
	for i := range controls {
		controls[i].Value = append([]byte(nil), controls[i].Value...)
	}
	r.controls = controls
	return r, nil
}

// control returns the control with the OID, or nil.
func (r *result) control(oid string) *Control {
	for i := range r.controls {
		if r.controls[i].OID == oid {
			return &r.controls[i]
		}
	}
	return nil
}

// Control is a control that came with an entry or a result (RFC 4511, section
// 4.1.11), its value not decoded.
type Control struct {
	OID      string
	Critical bool
	Value    []byte
}

// parseControls appends the controls to out. Their values are views.
func parseControls(out []Control, b []byte) ([]Control, error) {
	list := cursor{b: b}
	for list.more() {
		c := cursor{b: list.take(tagSequence, "a control")}
		if list.err != nil {
			break
		}
		ctl := Control{OID: string(c.take(tagOctetString, "the type of a control"))}
		for c.more() {
			switch tag, content := c.any(); {
			case tag == tagBoolean && len(content) == 1:
				ctl.Critical = content[0] != 0
			case tag == tagOctetString:
				ctl.Value = content
			default:
				c.fail("a control has a part with the tag 0x%02x", tag)
			}
		}
		if c.err != nil {
			return nil, c.err
		}
		out = append(out, ctl)
	}
	return out, list.err
}

// parsePaging reads the value of a paged results control (RFC 2696).
func parsePaging(value []byte) (cookie []byte, err error) {
	c := cursor{b: value}
	in := cursor{b: c.take(tagSequence, "the paging control")}
	in.take(tagInteger, "the size in the paging control")
	cookie = in.take(tagOctetString, "the cookie")
	if c.err == nil {
		c.err = in.err
	}
	c.end("the paging control")
	return cookie, c.err
}

// parseReference reads the URIs of a SearchResultReference.
func parseReference(body []byte) ([]string, error) {
	c := cursor{b: body}
	var uris []string
	for c.more() {
		uris = append(uris, string(c.take(tagOctetString, "a referral")))
	}
	if c.err == nil && len(uris) == 0 {
		c.fail("a referral without an address")
	}
	return uris, c.err
}

// disconnection makes an error of an unsolicited message (message ID 0).
func disconnection(m message) error {
	if m.op != opExtendedResult {
		return fmt.Errorf("%w: an operation 0x%02x with the message ID 0", ErrProtocol, m.op)
	}
	r, err := parseResult(m)
	if err != nil {
		return err
	}
	if r.name != noticeOfDisconnID {
		return fmt.Errorf("%w: unsolicited notification %q", ErrProtocol, r.name)
	}
	code := r.code
	if code == 0 {
		code = CodeUnavailable
	}
	return &Error{Op: "notice of disconnection", Code: code, Diagnostic: r.diagnostic}
}
