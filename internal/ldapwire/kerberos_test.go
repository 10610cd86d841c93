package ldapwire

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

func TestKerberosSettings(t *testing.T) {
	good := func() ([]byte, error) { return nil, nil }
	for _, tc := range []struct {
		name string
		cfg  Config
		text string
	}{
		{"good", Config{URLs: []string{"ldaps://dc1.corp.example", "ldap://dc2.corp.example"}, Kerberos: &Kerberos{Principal: "rosterd@CORP.EXAMPLE", Keytab: good}}, ""},
		{"realm of the file", Config{URLs: []string{"ldaps://h"}, Kerberos: &Kerberos{Principal: "rosterd", Keytab: good}}, ""},
		{"no keytab", Config{URLs: []string{"ldaps://h"}, Kerberos: &Kerberos{Principal: "rosterd@R"}}, "without a keytab"},
		{"no principal", Config{URLs: []string{"ldaps://h"}, Kerberos: &Kerberos{Keytab: good}}, "no Kerberos principal"},
		{"no name", Config{URLs: []string{"ldaps://h"}, Kerberos: &Kerberos{Principal: "@R", Keytab: good}}, "no Kerberos principal"},
		{"no realm", Config{URLs: []string{"ldaps://h"}, Kerberos: &Kerberos{Principal: "rosterd@", Keytab: good}}, "no Kerberos principal"},
		{"small realm", Config{URLs: []string{"ldaps://h"}, Kerberos: &Kerberos{Principal: "rosterd@corp", Keytab: good}}, "not in capitals"},
		{"plain", Config{URLs: []string{"ldap://h"}, AllowPlaintext: true, Kerberos: &Kerberos{Principal: "r@R", Keytab: good}}, "only over TLS"},
		{"socket", Config{URLs: []string{"ldapi://%2Frun%2Fslapd"}, Kerberos: &Kerberos{Principal: "r@R", Keytab: good}}, "only over TLS"},
		{"and a password", Config{URLs: []string{"ldaps://h"}, BindDN: "cn=x", Password: password("p"), Kerberos: &Kerberos{Principal: "r@R", Keytab: good}}, "another way"},
		{"and EXTERNAL", Config{URLs: []string{"ldapi://%2Frun"}, External: true, Kerberos: &Kerberos{Principal: "r@R", Keytab: good}}, "another way"},
	} {
		err := tc.cfg.Validate()
		if (err == nil) != (tc.text == "") || err != nil && !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.text)
		}
	}
}

// testKeytab has a key of writer@CORP.EXAMPLE.
func testKeytab() []byte {
	counted := func(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }
	var e []byte
	e = binary.BigEndian.AppendUint16(e, 1) // components
	e = append(e, counted("CORP.EXAMPLE")...)
	e = append(e, counted("writer")...)
	e = binary.BigEndian.AppendUint32(e, 1) // kind of name
	e = binary.BigEndian.AppendUint32(e, 0) // time
	e = append(e, 10)                       // version: a line end as the last octet must live
	e = binary.BigEndian.AppendUint16(e, uint16(etypeID.AES256_CTS_HMAC_SHA1_96))
	e = append(e, counted(strings.Repeat("k", 32))...)
	return append(binary.BigEndian.AppendUint32([]byte{5, 2}, uint32(len(e))), e...)
}

func TestKerberosLogin(t *testing.T) {
	defer func(old string) { systemKrb5Conf = old }(systemKrb5Conf)
	systemKrb5Conf = filepath.Join(t.TempDir(), "krb5.conf")
	t.Setenv("KRB5_CONFIG", "")
	k := &Kerberos{Principal: "writer@CORP.EXAMPLE", Keytab: func() ([]byte, error) { return testKeytab(), nil }}
	c, err := k.login()
	if err != nil {
		t.Fatal(err)
	}
	c.Destroy()
	without := *k
	without.Principal = "writer"
	if _, err := without.login(); err == nil || !isSetting(err) || !strings.Contains(err.Error(), "no Kerberos realm") {
		t.Errorf("no realm anywhere: %v", err)
	}
	// The realm of the file of the system; an include in it is no mistake.
	if err := os.WriteFile(systemKrb5Conf, []byte("includedir /etc/krb5.conf.d/\n[libdefaults]\n default_realm = CORP.EXAMPLE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = without.login(); err != nil || c.Credentials.Realm() != "CORP.EXAMPLE" {
		t.Errorf("realm of the file: %v", err)
	}
	other := *k
	other.Principal = "Writer@CORP.EXAMPLE"
	if _, err := other.login(); err == nil || !strings.Contains(err.Error(), "it has keys of writer@CORP.EXAMPLE") || !isSetting(err) {
		t.Errorf("another case: %v", err)
	}
	for _, junk := range []string{"", "\x05", "\x05\x02\xff\xff\xff\xff", "\x05\x02\x7f\xff\xff\xff", "\x05\x02\x00\x00\x00\x04\x00\x09\x00\x01", "-----BEGIN"} {
		bad := *k
		bad.Keytab = func() ([]byte, error) { return []byte(junk), nil }
		if _, err := bad.login(); err == nil || !isSetting(err) {
			t.Errorf("%q for a keytab: %v", junk, err)
		}
	}
}

func TestTicketErrors(t *testing.T) {
	for text, hint := range map[string]string{
		"KRB Error: (24) KDC_ERR_PREAUTH_FAILED Pre-authentication information was invalid": "make the keytab anew",
		"KRB Error: (6) KDC_ERR_C_PRINCIPAL_UNKNOWN":                                        "check principal",
		"KRB Error: (37) KRB_AP_ERR_SKEW Clock skew too great":                              "the clocks",
		"communication error with KDC via TCP: error sending to a KDC":                      "no KDC of the realm answers",
		"something else": "",
	} {
		err := ticketError(errors.New(text), "ldap/dc1")
		if got := hintOf(err, ""); !strings.Contains(got, hint) || hint == "" && got != "" {
			t.Errorf("%s: %q", text, got)
		}
		if e := (&Error{Op: opNameBind, Err: err}); e.Transient() != strings.HasPrefix(hint, "no KDC") || !strings.Contains(e.Error(), text) {
			t.Errorf("%s: transient %v, %v", text, e.Transient(), e)
		}
	}
}

// offer is a wrap token of a server, its parts rotated to the right as RFC 4121,
// section 4.2.5, allows.
func offer(t *testing.T, key types.EncryptionKey, flags byte, rotated int, payload string) []byte {
	t.Helper()
	token := gssapi.WrapToken{Flags: flags, EC: 12, SndSeqNum: 7, Payload: []byte(payload)}
	if err := token.SetCheckSum(key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		t.Fatal(err)
	}
	b, err := token.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.Clone(b[16:])
	n := rotated % len(body)
	copy(b[16:], append(bytes.Clone(body[len(body)-n:]), body[:len(body)-n]...))
	binary.BigEndian.PutUint16(b[6:], uint16(rotated))
	return b
}

func TestGSSAPIOffer(t *testing.T) {
	ticket := types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: []byte(strings.Repeat("a", 32))}
	sub := types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: []byte(strings.Repeat("b", 32))}
	g := &gssContext{key: ticket, sub: sub}
	for _, rotated := range []int{0, 12, 5, 16, 28} {
		got, err := g.unwrap(offer(t, sub, fromAcceptor|fromSubkey, rotated, "\x07\x00\x10\x00"))
		if err != nil || string(got) != "\x07\x00\x10\x00" {
			t.Errorf("rotated by %d: %x, %v", rotated, got, err)
		}
	}
	if got, err := g.unwrap(offer(t, ticket, fromAcceptor, 12, "\x01\x00\x00\x00")); err != nil || len(got) != 4 {
		t.Errorf("with the key of the ticket: %x, %v", got, err)
	}
	choice, err := g.NegotiateSaslAuth(offer(t, sub, fromAcceptor|fromSubkey, 12, "\x07\x00\x10\x00"), "")
	// Signed with the server's key, by us; no layer, and no buffer for one.
	if err != nil || choice[2] != fromSubkey || !bytes.Equal(choice[16:20], []byte{1, 0, 0, 0}) {
		t.Errorf("choice %x, %v", choice, err)
	}
	var failed *kerberosError
	if _, err := g.NegotiateSaslAuth(offer(t, sub, fromAcceptor|fromSubkey, 12, "\x06\x00\x10\x00"), ""); !errors.As(err, &failed) || !strings.Contains(failed.Hint(), "allow_sasl_over_tls") || g.failed == nil {
		t.Errorf("a layer insisted on: %v", err)
	}
	if _, err := g.NegotiateSaslAuth(offer(t, sub, fromAcceptor|fromSubkey, 12, "\x01"), ""); err == nil {
		t.Error("an offer of one octet")
	}
	good := offer(t, sub, fromAcceptor|fromSubkey, 12, "\x07\x00\x10\x00")
	for i := range good {
		if i == 4 || i == 5 || i == 6 || i == 7 {
			continue // lengths: other lengths may be as good
		}
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if i == 2 {
			bad[i] = good[i] | sealed
		}
		if _, err := g.unwrap(bad); err == nil {
			t.Errorf("octet %d changed, and nobody minds", i)
		}
		if _, err := g.unwrap(good[:i]); err == nil {
			t.Errorf("cut at %d", i)
		}
	}
	if _, err := g.unwrap(offer(t, ticket, fromAcceptor|fromSubkey, 12, "\x07\x00\x10\x00")); err == nil {
		t.Error("signed with another key")
	}
	if _, err := g.unwrap(offer(t, sub, fromSubkey, 12, "\x07\x00\x10\x00")); err == nil {
		t.Error("our own token sent back")
	}
}

// The bindings of RFC 4121, section 4.1.1.2, for a certificate as RFC 5929,
// section 4.1, hashes it, computed elsewhere (hashlib).
func TestChannelBindings(t *testing.T) {
	for _, tc := range []struct {
		alg  x509.SignatureAlgorithm
		want string
	}{
		{x509.SHA256WithRSA, "SHA256"}, {x509.SHA1WithRSA, "SHA256"}, {x509.MD5WithRSA, "SHA256"}, {x509.ECDSAWithSHA384, "SHA384"},
		{x509.SHA512WithRSA, "SHA512"}, {x509.PureEd25519, "none"},
	} {
		got := channelBindings(tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("certificate"), SignatureAlgorithm: tc.alg}}})
		want := map[string]string{"none": strings.Repeat("0", 32), "SHA256": "a8398e96473163fef6cae76013e8ab5a", "SHA384": "739577dd5d88de0182832d9514adc780", "SHA512": "45b8f0cc0e9b980cb5ca628926d6b564"}[tc.want]
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%v: %x, want %s", tc.alg, got, want)
		}
	}
	if channelBindings(tls.ConnectionState{}) != [16]byte{} {
		t.Error("bindings of nothing")
	}
}

// FuzzGSSAPI gives any octets to what reads the tokens of a server.
func FuzzGSSAPI(f *testing.F) {
	f.Add(element(tagGSSToken, element(tagOID, []byte(oidKerberos)), []byte(tokenAPRep), []byte("x")))
	f.Add(element(tagGSSToken, element(tagOID, []byte(oidKerberos)), []byte(tokenError), []byte("x")))
	f.Add([]byte("\x05\x04\x05\xff\x00\x0c\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &gssContext{key: types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: make([]byte, 32)}}
		if err := g.reply(b); err == nil {
			t.Fatalf("%x is believed", b)
		}
		if _, err := g.NegotiateSaslAuth(b, ""); err == nil {
			t.Fatalf("%x is believed", b)
		}
	})
}

// The answer of a server is to this request, and made with the key of the ticket.
func TestGSSAPIMutual(t *testing.T) {
	key := types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: []byte(strings.Repeat("a", 32))}
	other := types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: []byte(strings.Repeat("b", 32))}
	asked := time.Unix(1_800_000_000, 0).UTC()
	answer := func(with types.EncryptionKey, at time.Time, usec int) []byte {
		t.Helper()
		part, err := asn1.Marshal(messages.EncAPRepPart{CTime: at, Cusec: usec, Subkey: other})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(part, 27), with, keyusage.AP_REP_ENCPART, 0)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := asn1.Marshal(messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed})
		if err != nil {
			t.Fatal(err)
		}
		return element(tagGSSToken, element(tagOID, []byte(oidKerberos)), []byte(tokenAPRep), asn1tools.AddASNAppTag(rep, 15))
	}
	for name, tc := range map[string]struct {
		token []byte
		good  bool
	}{
		"good":                 {answer(key, asked, 7), true},
		"of another second":    {answer(key, asked.Add(time.Second), 7), false},
		"of another instant":   {answer(key, asked, 8), false},
		"with another key":     {answer(other, asked, 7), false},
		"of another mechanism": {bytes.Replace(answer(key, asked, 7), []byte(oidKerberos), []byte("\x2a\x86\x48\x86\xf7\x12\x01\x02\x03"), 1), false},
		"a request":            {bytes.Replace(answer(key, asked, 7), []byte(tokenAPRep), []byte(tokenAPReq), 1), false},
		"nothing":              {nil, false},
	} {
		g := &gssContext{key: key, service: "ldap/dc1"}
		g.auth.CTime, g.auth.Cusec = asked, 7
		_, more, err := g.InitSecContext("", append([]byte{}, tc.token...))
		if (err == nil) != tc.good || more || (g.failed == nil) != tc.good || tc.good && string(g.sub.KeyValue) != string(other.KeyValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
