package ldapwire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"
)

func seeds() [][]byte {
	entry := envelope(2, entryOp("uid=1,dc=x", attribute("cn", "a", "b"), attribute("cn;lang-de", ""), attribute("member;range=0-1", "x")))
	padded := wide(tagSequence, wide(tagInteger, []byte{2}), wide(opEntry, wide(tagOctetString, []byte("dc=x")), wide(tagSequence)))
	done := envelope(2, answer(opSearchDone, 0, "ok"), pagingValue("cookie"))
	return [][]byte{
		entry, padded, done,
		envelope(2, tlv(opReference, str("ldap://a"), str("ldap://b"))),
		envelope(2, answer(opSearchDone, CodeReferral, "", tlv(tagReferral, str("ldap://a")))),
		envelope(0, answer(opExtendedResult, 52, "", tlv(extendedName, []byte(noticeOfDisconnID)))),
		{tagSequence, 0x84, 0xff, 0xff, 0xff, 0xff}, {tagSequence, 0x80}, {}, {tagSequence}, {tagSequence, 0},
	}
}

// FuzzMessage gives any octets to everything that reads a message.
func FuzzMessage(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil {
			return
		}
		if m.id < 0 || len(m.body)+len(m.controls) > len(b) {
			t.Fatalf("%+v", m)
		}
		_, _ = parseResult(m)
		_, _ = parseReference(m.body)
		_, _ = parsePaging(m.body)
		_ = disconnection(m)
		var d entryDecoder
		e, err := d.decode(m)
		if err != nil {
			return
		}
		octets := len(e.DN)
		for _, a := range e.Attributes {
			for _, v := range a.Values {
				octets += len(v)
			}
		}
		if octets > len(b) {
			t.Fatalf("%d octets in %d", octets, len(b))
		}
		compareWithLibrary(t, b, e)
	})
}

// compareWithLibrary decodes the message with go-asn1-ber too. What both take
// for an entry must be the same entry.
func compareWithLibrary(t *testing.T, b []byte, e *Entry) {
	t.Helper()
	p, err := ber.DecodePacketErr(b)
	if err != nil || len(p.Children) < 2 || len(p.Children[1].Children) < 2 {
		return
	}
	op := p.Children[1]
	if got := op.Children[0].Data.Bytes(); !bytes.Equal(got, e.DN) {
		t.Fatalf("DN %q, in go-asn1-ber %q", e.DN, got)
	}
	list := op.Children[1].Children
	if len(list) != len(e.Attributes) {
		t.Fatalf("%d attributes, in go-asn1-ber %d", len(e.Attributes), len(list))
	}
	for i, a := range list {
		if len(a.Children) < 2 || len(a.Children[1].Children) != len(e.Attributes[i].Values) {
			t.Fatalf("attribute %d: %+v", i, e.Attributes[i])
		}
		for j, v := range a.Children[1].Children {
			if !bytes.Equal(v.Data.Bytes(), e.Attributes[i].Values[j]) {
				t.Fatalf("value %d of %q", j, e.Attributes[i].Name)
			}
		}
	}
}

// streamed is a net.Conn that gives what it holds in pieces, and then ends.
type streamed struct {
	net.Conn
	b     []byte
	sizes func() int
}

func (s *streamed) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := min(max(1, s.sizes()), len(p), len(s.b))
	copy(p, s.b[:n])
	s.b = s.b[n:]
	return n, nil
}

func (s *streamed) Write(p []byte) (int, error)      { return len(p), nil }
func (s *streamed) Close() error                     { return nil }
func (s *streamed) SetReadDeadline(time.Time) error  { return nil }
func (s *streamed) SetWriteDeadline(time.Time) error { return nil }

// However the stream falls into pieces, and however long its messages are, the
// same messages come out.
func TestStreamIsCutAtMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 300_000), 1, 12).Draw(t, "sizes")
		var stream []byte
		var want []string
		for i, n := range sizes {
			v := fmt.Sprintf("%d:", i) + string(bytes.Repeat([]byte{byte('a' + i)}, n))
			stream = append(stream, envelope(5, entryOp(fmt.Sprint(i), attribute("v", v)))...)
			want = append(want, v)
		}
		end := envelope(5, answer(opSearchDone, 0, ""))
		stream = append(stream, end...)
		piece := rapid.IntRange(1, 200_000)
		src := &streamed{b: stream, sizes: func() int { return piece.Draw(t, "piece") }}
		w := newWire(src, src, time.Minute)
		var got []string
		var d entryDecoder
		w.begin(func(m message) error {
			e, err := d.decode(m)
			if err == nil {
				got = append(got, e.First("v"))
			}
			return err
		})
		if _, err := w.Write(envelope(5, tlv(opSearch))); err != nil {
			t.Fatal(err)
		}
		up, err := io.ReadAll(w)
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if !bytes.Equal(up, end) {
			t.Fatalf("handed up %d octets", len(up))
		}
		if len(got) != len(want) {
			t.Fatalf("%d of %d messages", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("message %d differs", i)
			}
		}
		if w.received.Load() != int64(len(stream)) || len(w.buf) > keepBuffer {
			t.Fatalf("%d octets of %d, buffer %d", w.received.Load(), len(stream), len(w.buf))
		}
	})
}

// A length is a claim: the buffer follows what comes.
func TestBufferGrowsAsOctetsCome(t *testing.T) {
	src := &streamed{b: append([]byte{tagSequence, 0x84, 0x0f, 0xff, 0xff, 0xff}, make([]byte, 100_000)...), sizes: func() int { return 1 << 20 }}
	w := newWire(src, src, time.Minute)
	if _, err := w.cut(); err == nil {
		t.Fatal("a message came")
	}
	if len(w.buf) > 400_000 {
		t.Errorf("%d octets for 100,000 that came", len(w.buf))
	}
}

// The space for a long message is given back.
func TestBufferShrinksAfterwards(t *testing.T) {
	long := envelope(5, entryOp("cn=all", attribute("member", string(make([]byte, 5<<20)))))
	src := &streamed{b: append(long, envelope(5, entryOp("cn=one"))...), sizes: func() int { return 1 << 20 }}
	w := newWire(src, src, time.Minute)
	if raw, err := w.cut(); err != nil || len(raw) != len(long) {
		t.Fatal(len(raw), err)
	}
	if raw, err := w.cut(); err != nil || len(raw) > 40 {
		t.Fatal(len(raw), err)
	}
	if _, err := w.cut(); err != io.EOF || len(w.buf) > keepBuffer {
		t.Errorf("%v, buffer of %d octets", err, len(w.buf))
	}
}

func TestDNSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s dnSet
		seen := map[string]bool{}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 500)).Draw(t, "names") {
			dn := fmt.Sprintf("uid=%d,dc=x", n)
			if s.add([]byte(dn)) == seen[dn] {
				t.Fatalf("%q: new %v", dn, seen[dn])
			}
			seen[dn] = true
		}
	})
}

// FuzzSync gives any octets to the decoders of a sync stream and of DirSync, and
// compares what they make of them with what go-ldap does.
func FuzzSync(f *testing.F) {
	for _, m := range [][]byte{
		tlv(tagSyncIDSet, str("c"), yes, idSet(syncID(1), syncID(2))), tlv(tagSyncIDSet, idSet()), tlv(tagNewCookie, []byte("c")),
		tlv(tagRefreshDelete, str("c"), no), tlv(tagRefreshPresent), tlv(tagSequence, str("c"), yes), tlv(tagSequence),
		tlv(tagSequence, integer(tagInteger, 1), integer(tagInteger, 0), str("c")), tlv(tagSequence, tlv(tagEnumerated, []byte{3}), str("0123456789abcdef"), str("c")),
	} {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d syncDecoder
		var library ldap.Control
		body := slices.Concat(tlv(tagIntermediateName, []byte(oidSyncInfo)), tlv(tagIntermediateValue, b))
		if p, err := ber.DecodePacketErr(tlv(opIntermediate, body)); err == nil {
			library, _ = ldap.DecodeControl(p)
		}
		var ours []string
		if m, err := d.info(body); err == nil {
			_ = told(&ours)(m)
			if info, ok := library.(*ldap.ControlSyncInfo); ok {
				again, err := encodeInfo(info)
				if err != nil {
					t.Fatal(err)
				}
				if _, isCookie := m.(*SyncCookie); !isCookie { // go-ldap loses it
					var theirs []string
					m, err := new(syncDecoder).info(again)
					if err != nil || told(&theirs)(m) != nil || ours[0] != theirs[0] {
						t.Fatalf("%s, in go-ldap %s, %v", ours, theirs, err)
					}
				}
			}
		}
		for _, oid := range []string{oidSyncDone, OIDDirSync, oidSyncState} {
			packet, err := ber.DecodePacketErr(tlv(tagSequence, str(oid), tlv(tagOctetString, b)))
			if err != nil {
				continue
			}
			theirs, err := ldap.DecodeControl(packet)
			if err != nil {
				continue
			}
			controls := []Control{{OID: oid, Value: b}}
			if oid != oidSyncState {
				if err := agree(controls, []ldap.Control{theirs}); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if d.state(controls) != nil {
				continue
			}
			again, err := encodeStates([]ldap.Control{theirs})
			var e syncDecoder
			if err != nil || e.state(again) != nil || e.entry.ID != d.entry.ID || e.entry.State != d.entry.State || !bytes.Equal(e.entry.Cookie, d.entry.Cookie) {
				t.Fatalf("%+v, in go-ldap %+v, %v", d.entry, e.entry, err)
			}
		}
	})
}
