package ldapd

import "github.com/rosterd/rosterd/identity"

const oidPasswordModify = "1.3.6.1.4.1.4203.1.11.1"

// setPassword is the password modify operation (RFC 3062), for somebody who says the
// new password; this server makes none and asks for no old one.
func (s *session) setPassword(value []byte) *Error {
	d := decoder{rest: value}
	list := d.sub(tagSequence)
	name, password := s.bound.String(), ""
	for list.more() {
		switch part := list.any(); part.tag {
		case 0x80:
			name = string(part.body)
		case 0x82:
			password = string(part.body)
		}
	}
	dn, err := identity.ParseDN(name)
	switch {
	case firstError(d, list) != nil:
		return refuse(ProtocolError, "malformed password modify request")
	case !s.secure:
		return refuse(ConfidentialityRequired, "a password needs an encrypted connection")
	case s.bound.IsZero():
		return refuse(StrongerAuthRequired, "modifications require authentication")
	case err != nil:
		return refuse(InvalidDNSyntax, "%v", err)
	case password == "":
		return refuse(UnwillingToPerform, "no new password")
	}
	dir := s.srv.dir
	dir.mu.Lock()
	defer dir.mu.Unlock()
	return dir.modify(dn, []Change{{Op: ReplaceValues, Attr: "userPassword", Values: []string{password}}}, s.bound.String(), false)
}
