package ldapwire

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/go-ldap/ldap/v3"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// gssContext is our half of a SASL GSSAPI bind (RFC 4752, RFC 4121), with the
// channel binding that Active Directory can insist on and that go-ldap's own
// does not send.
type gssContext struct {
	client   *client.Client
	service  string
	bindings [16]byte // of the TLS channel; all zero for none

	auth types.Authenticator
	key  types.EncryptionKey // of the ticket
	sub  types.EncryptionKey // of the server, if it chose one

	failed error // what we did not like, which the server's last word would hide
}

var _ ldap.GSSAPIClient = (*gssContext)(nil)

// Tokens of RFC 4121, section 4.1, in the frame of RFC 2743, section 3.1.
const (
	tagGSSToken = 0x60
	tagOID      = 0x06
	oidKerberos = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
	tokenAPReq  = "\x01\x00"
	tokenAPRep  = "\x02\x00"
	tokenError  = "\x03\x00"
)

// ticket asks the KDC for a ticket for the server. It is done before the server
// is asked anything.
func (g *gssContext) ticket() (tkt messages.Ticket, err error) {
	err = guarded(func() error {
		tkt, g.key, err = g.client.GetServiceTicket(g.service)
		return err
	})
	if err != nil {
		return tkt, ticketError(err, g.service)
	}
	return tkt, nil
}

// InitSecContext is a step of the exchange: the first is without input.
func (g *gssContext) InitSecContext(target string, input []byte) ([]byte, bool, error) {
	return g.InitSecContextWithOptions(target, input, nil)
}

// InitSecContextWithOptions is InitSecContext; the options are ours to choose.
func (g *gssContext) InitSecContextWithOptions(_ string, input []byte, _ []int) ([]byte, bool, error) {
	if input == nil {
		token, err := g.request()
		g.failed = err
		return token, true, err
	}
	g.failed = g.reply(input)
	return []byte{}, false, g.failed
}

// request is the first token: who we are, and over which channel.
func (g *gssContext) request() ([]byte, error) {
	tkt, err := g.ticket()
	if err != nil {
		return nil, err
	}
	creds := g.client.Credentials
	if g.auth, err = types.NewAuthenticator(creds.Domain(), creds.CName()); err != nil {
		return nil, kerberosFailure("make an authenticator: %w", err)
	}
	sum := make([]byte, 24) // RFC 4121, section 4.1.1
	binary.LittleEndian.PutUint32(sum, uint32(len(g.bindings)))
	copy(sum[4:], g.bindings[:])
	binary.LittleEndian.PutUint32(sum[20:], gssapi.ContextFlagMutual|gssapi.ContextFlagInteg)
	g.auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: sum}
	req, err := messages.NewAPReq(tkt, g.key, g.auth)
	if err != nil {
		return nil, kerberosFailure("make a request: %w", err)
	}
	types.SetFlag(&req.APOptions, flags.APOptionMutualRequired)
	raw, err := req.Marshal()
	if err != nil {
		return nil, kerberosFailure("make a request: %w", err)
	}
	return element(tagGSSToken, element(tagOID, []byte(oidKerberos)), []byte(tokenAPReq), raw), nil
}

// reply checks that the server is who holds the key of the ticket.
func (g *gssContext) reply(token []byte) error {
	out := cursor{b: token}
	in := cursor{b: out.take(tagGSSToken, "the token")}
	out.end("the token")
	oid := in.take(tagOID, "the mechanism")
	if out.err != nil || in.err != nil || string(oid) != oidKerberos || len(in.b) < 2 {
		return kerberosFailure("the server answers with no token of Kerberos")
	}
	kind, body := string(in.b[:2]), in.b[2:]
	switch kind {
	case tokenError:
		var e messages.KRBError
		if err := guarded(func() error { return e.Unmarshal(body) }); err != nil {
			return kerberosFailure("the server refuses, and does not say why")
		}
		return ticketError(e, g.service)
	case tokenAPRep:
	default:
		return kerberosFailure("the server answers with a token %x", kind)
	}
	var part messages.EncAPRepPart
	err := guarded(func() error {
		var rep messages.APRep
		if err := rep.Unmarshal(body); err != nil {
			return err
		}
		plain, err := crypto.DecryptEncPart(rep.EncPart, g.key, keyusage.AP_REP_ENCPART)
		if err != nil {
			return err
		}
		return part.Unmarshal(plain)
	})
	if err != nil {
		return kerberosFailure("the answer of the server: %w", err)
	}
	// It repeats the instant of our request: anything else is an old answer.
	if part.CTime.Unix() != g.auth.CTime.Unix() || part.Cusec != g.auth.Cusec {
		return kerberosFailure("the answer of the server is to another request")
	}
	g.sub = part.Subkey
	return nil
}

// Security layers of RFC 4752, section 3.3.
const layerNone = 1

// NegotiateSaslAuth is the last step: the server offers security layers, we take
// none, since TLS is below.
func (g *gssContext) NegotiateSaslAuth(input []byte, authzid string) ([]byte, error) {
	token, err := g.negotiate(input, authzid)
	g.failed = err
	return token, err
}

func (g *gssContext) negotiate(input []byte, authzid string) ([]byte, error) {
	offer, err := g.unwrap(input)
	if err != nil {
		return nil, err
	}
	if len(offer) != 4 {
		return nil, kerberosFailure("an offer of %d octets", len(offer))
	}
	if offer[0]&layerNone == 0 {
		return nil, &kerberosError{err: errors.New("the server insists on a security layer, which is not supported"),
			hint: "let the server accept Kerberos over TLS without one; on Samba: ldap server require strong auth = allow_sasl_over_tls"}
	}
	key, flag := g.key, byte(0)
	if g.sub.KeyType != 0 {
		key, flag = g.sub, fromSubkey
	}
	kind, err := crypto.GetEtype(key.KeyType)
	if err != nil {
		return nil, kerberosFailure("choose no security layer: %w", err)
	}
	token := gssapi.WrapToken{Flags: flag, EC: uint16(kind.GetHMACBitLength() / 8), SndSeqNum: uint64(g.auth.SeqNumber),
		Payload: append([]byte{layerNone, 0, 0, 0}, authzid...)}
	if err := token.SetCheckSum(key, keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return nil, kerberosFailure("choose no security layer: %w", err)
	}
	return token.Marshal()
}

// Flags of a wrap token (RFC 4121, section 4.2.2).
const (
	fromAcceptor = 1
	sealed       = 2
	fromSubkey   = 4
	wrapHeader   = 16
)

// unwrap reads a wrap token that is signed and not sealed (RFC 4121, section
// 4.2.6.2).
func (g *gssContext) unwrap(b []byte) ([]byte, error) {
	if len(b) < wrapHeader || b[0] != 5 || b[1] != 4 || b[3] != 0xff || b[2]&fromAcceptor == 0 || b[2]&sealed != 0 {
		return nil, kerberosFailure("the server sends no signed offer")
	}
	sum, rotated := int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:]))
	body := slices.Clone(b[wrapHeader:])
	if sum > len(body) {
		return nil, kerberosFailure("the signature of the offer is cut off")
	}
	if n := len(body); n > 0 { // rotated to the right by as much
		rotated %= n
		body = append(body[rotated:], body[:rotated]...)
	}
	token := gssapi.WrapToken{Flags: b[2], EC: uint16(sum), SndSeqNum: binary.BigEndian.Uint64(b[8:]),
		Payload: body[:len(body)-sum], CheckSum: body[len(body)-sum:]}
	key := g.key
	if b[2]&fromSubkey != 0 {
		key = g.sub
	}
	var ok bool
	err := guarded(func() (err error) {
		ok, err = token.Verify(key, keyusage.GSSAPI_ACCEPTOR_SEAL)
		return err
	})
	if err != nil || !ok {
		return nil, kerberosFailure("the signature of the offer is wrong: %w", err)
	}
	return token.Payload, nil
}

// DeleteSecContext forgets the keys.
func (g *gssContext) DeleteSecContext() error {
	g.key, g.sub = types.EncryptionKey{}, types.EncryptionKey{}
	return nil
}

// channelBindings is what ties a bind to its TLS channel: tls-server-end-point
// (RFC 5929, section 4) in the frame of RFC 4121, section 4.1.1.2. All zero where
// the certificate has no hash of its own to use.
func channelBindings(state tls.ConnectionState) (out [16]byte) {
	if len(state.PeerCertificates) == 0 {
		return out
	}
	cert := state.PeerCertificates[0]
	var sum []byte
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		s := sha512.Sum384(cert.Raw)
		sum = s[:]
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		s := sha512.Sum512(cert.Raw)
		sum = s[:]
	case x509.PureEd25519, x509.UnknownSignatureAlgorithm:
		return out
	default: // SHA-256, and in the place of what is weaker
		s := sha256.Sum256(cert.Raw)
		sum = s[:]
	}
	data := append([]byte("tls-server-end-point:"), sum...)
	frame := make([]byte, 16, 20+len(data)) // no addresses
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(data)))
	return md5.Sum(append(frame, data...))
}
