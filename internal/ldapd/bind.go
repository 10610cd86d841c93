package ldapd

import (
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// bind answers a bind request (RFC 4511, section 4.2).
func (s *session) bind(w work) error {
	d := decoder{rest: w.msg.body}
	version, name := d.integer(tagInteger), d.text(tagOctets)
	auth := d.any()
	if err := d.end(); err != nil {
		return err
	}
	// Whatever comes of it, the old identity is gone, and what it was reading.
	s.bound, s.pages = identity.DN{}, nil
	dn, refused := s.bindName(name)
	if proceed, err := s.fault(w, dn, nil); !proceed {
		return err
	}
	switch {
	case version != 3:
		refused = refuse(ProtocolError, "requested protocol version not supported")
	case auth.tag == 0xa3:
		dn, refused = s.sasl(auth.body)
	case auth.tag != 0x80:
		return errBER
	case refused == nil:
		refused = s.simple(dn, string(auth.body))
	}
	if refused == nil {
		s.bound = dn
	}
	return s.reply(w.msg, refused, nil, nil)
}

func (s *session) simple(dn identity.DN, password string) *Error {
	switch {
	case dn.IsZero() && password == "":
		return nil
	case password == "":
		return refuse(UnwillingToPerform, "unauthenticated bind (DN with no password) disallowed")
	case dn.IsZero():
		return refuse(InvalidCredentials, "")
	case dn.Equal(s.srv.admin):
		if same(s.srv.opts.AdminPassword, password) {
			return nil
		}
		return refuse(InvalidCredentials, "")
	}
	dir := s.srv.dir
	dir.mu.RLock()
	defer dir.mu.RUnlock()
	if n := dir.byKey[dn.Key()]; n != nil {
		if dir.domain != nil {
			return dir.bindAD(n, password)
		}
		if a := n.rec.get("userpassword"); a != nil && slices.ContainsFunc(a.values, func(v string) bool { return same(v, password) }) {
			return nil
		}
	}
	return refuse(InvalidCredentials, "")
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// sasl knows EXTERNAL on a UNIX socket, where the kernel says who calls.
func (s *session) sasl(body []byte) (identity.DN, *Error) {
	d := decoder{rest: body}
	if d.text(tagOctets) != "EXTERNAL" {
		return identity.DN{}, refuse(AuthMethodNotSupported, "SASL(-4): no mechanism available")
	}
	uid, gid, ok := peer(s.raw)
	if !ok {
		return identity.DN{}, refuse(InappropriateAuthentication, "SASL(-4): EXTERNAL needs a UNIX socket")
	}
	return PeerDN(uid, gid), nil
}

// PeerDN is the name that SASL EXTERNAL on the socket gives a process, in the
// form of OpenLDAP.
func PeerDN(uid, gid uint32) identity.DN {
	return identity.MustDN(fmt.Sprintf("gidNumber=%d+uidNumber=%d,cn=peercred,cn=external,cn=auth", gid, uid))
}

// extended answers StartTLS (RFC 4511, section 4.14), WhoAmI (RFC 4532) and the
// password modify operation (RFC 3062).
func (s *session) extended(w work) error {
	d := decoder{rest: w.msg.body}
	oid := d.text(0x80)
	var value []byte
	if d.more() {
		value = d.take(0x81)
	}
	if err := d.end(); err != nil {
		return err
	}
	if w.resumed != nil {
		defer close(w.resumed)
	}
	if proceed, err := s.fault(w, identity.DN{}, nil); !proceed {
		return err
	}
	switch oid {
	case oidStartTLS:
		return s.upgrade(w)
	case oidWhoAmI:
		who := ""
		if !s.bound.IsZero() {
			who = s.whoAmI()
		}
		return s.reply(w.msg, nil, func() { s.enc.octets(0x8b, who) }, nil)
	}
	if oid == oidPasswordModify && s.srv.dir.domain == nil {
		return s.reply(w.msg, s.setPassword(value), nil, nil)
	}
	return s.reply(w.msg, refuse(ProtocolError, "unsupported extended operation"), nil, nil)
}

func (s *session) upgrade(w work) error {
	if s.secure {
		return s.reply(w.msg, refuse(OperationsError, "TLS already started"), nil, nil)
	}
	if err := s.reply(w.msg, nil, func() { s.enc.octets(0x8a, oidStartTLS) }, nil); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	if err := s.startTLS(w.ctx); err != nil {
		return err
	}
	s.out.Reset(s.conn)
	return nil
}

func isStartTLS(m *message) bool {
	if m.tag != opExtendedRequest {
		return false
	}
	d := decoder{rest: m.body}
	return d.text(0x80) == oidStartTLS
}
