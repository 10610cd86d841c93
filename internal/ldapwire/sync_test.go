package ldapwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// syncID is the n-th ID of a test.
func syncID(n int) SyncID { return SyncID{0: byte(n >> 8), 1: byte(n), 15: 0xee} }

func stateControl(state int, id SyncID, more ...[]byte) []byte {
	return tlv(tagSequence, str(oidSyncState), str(string(tlv(tagSequence, append([][]byte{tlv(tagEnumerated, []byte{byte(state)}), str(string(id[:]))}, more...)...))))
}

func doneControl(parts ...[]byte) []byte {
	return tlv(tagSequence, str(oidSyncDone), str(string(tlv(tagSequence, parts...))))
}

var (
	yes = []byte{tagBoolean, 1, 0xff}
	no  = []byte{tagBoolean, 1, 0}
)

// synced sends an entry of a sync stream.
func (q *query) synced(state int, id SyncID, dn string, attributes ...[]byte) {
	q.send(envelope(q.id, entryOp(dn, attributes...), stateControl(state, id)))
}

// info sends sync information.
func (q *query) info(tag byte, parts ...[]byte) {
	q.send(envelope(q.id, tlv(opIntermediate, tlv(0x80, []byte(oidSyncInfo)), tlv(0x81, tlv(tag, parts...)))))
}

func idSet(ids ...SyncID) []byte {
	var out [][]byte
	for _, id := range ids {
		out = append(out, str(string(id[:])))
	}
	return tlv(tagSet, out...)
}

// end ends a search with the controls.
func (q *query) end(code Code, controls ...[]byte) {
	b := []byte{byte(code)}
	if code > 0x7f {
		b = []byte{byte(code >> 8), byte(code)}
	}
	q.send(envelope(q.id, tlv(opSearchDone, tlv(tagEnumerated, b), str(""), str("in the words of the server")), controls...))
}

// told is a sync stream in words, its views copied.
func told(into *[]string) func(SyncMessage) error {
	return func(m SyncMessage) error {
		text := ""
		switch m := m.(type) {
		case *SyncEntry:
			text = fmt.Sprintf("%v %x %q %q", m.State, m.ID, m.Cookie, m.Entry.Record())
		case *SyncIDs:
			text = fmt.Sprintf("ids gone=%v %x %q", m.Gone, m.IDs, m.Cookie)
		case *SyncCookie:
			text = fmt.Sprintf("cookie %q", m.Cookie)
		case *SyncPhase:
			text = fmt.Sprintf("phase deletes=%v done=%v %q", m.Deletes, m.Done, m.Cookie)
		}
		*into = append(*into, text)
		return nil
	}
}

func TestSyncStream(t *testing.T) {
	serve := func(q *query) {
		q.synced(1, syncID(1), "uid=1,dc=x", attribute("uid", "1"))
		q.info(tagSyncIDSet, str("mid"), yes, idSet(syncID(7), syncID(8)))
		q.info(tagNewCookie, []byte("alone"))
		q.info(tagSyncIDSet, idSet(syncID(9)))
		q.synced(1, syncID(1), "uid=1,ou=moved,dc=x", attribute("uid", "1"))
		q.send(envelope(q.id, entryOp("uid=2,dc=x"), stateControl(0, syncID(2), str("c"))))
		q.synced(3, syncID(3), "uid=3,dc=x")
		q.synced(2, syncID(4), "uid=4,dc=x", attribute("uid"))
		q.info(tagRefreshPresent, no)
		q.info(tagRefreshDelete, str("late"))
		q.end(0, doneControl(str("next"), yes))
	}
	want := []string{
		fmt.Sprintf(`add %x "" {"uid=1,dc=x" [{"uid" [] '\x00' ["1"]}]}`, syncID(1)),
		fmt.Sprintf(`ids gone=true [%x %x] "mid"`, syncID(7), syncID(8)),
		`cookie "alone"`,
		fmt.Sprintf(`ids gone=false [%x] ""`, syncID(9)),
		fmt.Sprintf(`add %x "" {"uid=1,ou=moved,dc=x" [{"uid" [] '\x00' ["1"]}]}`, syncID(1)),
		fmt.Sprintf(`present %x "c" {"uid=2,dc=x" []}`, syncID(2)),
		fmt.Sprintf(`delete %x "" {"uid=3,dc=x" []}`, syncID(3)),
		fmt.Sprintf(`modify %x "" {"uid=4,dc=x" [{"uid" [] '\x00' []}]}`, syncID(4)),
		`phase deletes=false done=false ""`,
		`phase deletes=true done=true "late"`,
	}
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, serve)
		c := dial(t, s.config(r))
		before := c.Requests()
		var got []string
		done, err := c.Sync(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree}, SyncRequest{Cookie: []byte("since")}, told(&got))
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(want)
		if r == Reference {
			want[2] = `cookie ""` // go-ldap v3.4.15 loses it
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if string(done.Cookie) != "next" || !done.RefreshDeletes || done.Entries != 3 || done.Present != 2 || done.Gone != 3 || done.Server.URL == "" || done.Bytes == 0 {
			t.Errorf("%+v", done)
		}
		if n := c.Requests() - before; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// What is sent is what RFC 4533 says: critical, with or without a cookie, never
// with a page.
func TestSyncRequest(t *testing.T) {
	for _, tc := range []struct {
		req  SyncRequest
		want []byte
	}{
		{SyncRequest{}, tlv(tagSequence, tlv(tagEnumerated, []byte{1}))},
		{SyncRequest{Cookie: []byte("c"), ReloadHint: true}, tlv(tagSequence, tlv(tagEnumerated, []byte{1}), str("c"), yes)},
	} {
		each(t, func(t *testing.T, r Reader) {
			var seen []Control
			s := newScripted(t, func(q *query) { q.end(0, doneControl()) })
			s.raw = func(c *scriptedConn, m message) bool {
				if m.op == opSearch && newQuery(c, m).base != "" {
					seen, _ = parseControls(nil, m.controls)
				}
				return false
			}
			done, err := dial(t, s.config(r)).Sync(t.Context(), Request{Base: "dc=x", Controls: []RequestControl{ManageDsaIT().Optional()}}, tc.req, told(new([]string)))
			if err != nil || done.Cookie != nil || done.RefreshDeletes {
				t.Fatalf("%+v, %v", done, err)
			}
			if len(seen) != 2 || seen[0].OID != OIDManageDsaIT || seen[0].Critical || seen[1].OID != OIDSync || !seen[1].Critical || string(seen[1].Value) != string(tc.want) {
				t.Errorf("%+v, want %x", seen, tc.want)
			}
		})
	}
}

// The octets that go out, criticality above all: TRUE is 0xff (RFC 4511, section
// 5.1), and Samba takes anything else for FALSE.
func TestRequestControlOctets(t *testing.T) {
	for _, tc := range []struct {
		control RequestControl
		want    []byte
	}{
		{ShowDeleted(), tlv(tagSequence, str(OIDShowDeleted), yes)},
		{ShowDeleted().Optional(), tlv(tagSequence, str(OIDShowDeleted))},
		{ExtendedDN(), tlv(tagSequence, str(OIDExtendedDN), yes, str("\x30\x03\x02\x01\x01"))},
		{pagingControl(500, []byte("c")), tlv(tagSequence, str(OIDPaging), yes, str("\x30\x07\x02\x02\x01\xf4\x04\x01c"))},
		{DirSyncRequest{Flags: DirSyncIncrementalValues, MaxBytes: 128}.control(), tlv(tagSequence, str(OIDDirSync), yes,
			str("\x30\x0c\x02\x04\x80\x00\x00\x00\x02\x02\x00\x80\x04\x00"))},
	} {
		if got := (libraryControl{tc.control}).Encode().Bytes(); !bytes.Equal(got, tc.want) {
			t.Errorf("%s: %x, want %x", tc.control.OID(), got, tc.want)
		}
	}
}

// none of these streams is complete.
var hostileSync = []struct {
	name  string
	serve func(*query)
	is    error
	text  string
	alive bool
}{
	{"no Sync Done", func(q *query) { q.synced(1, syncID(1), "uid=1,dc=x"); q.end(0) }, ErrProtocol, "without a Sync Done", true},
	{"another control for it", func(q *query) { q.end(0, pagingValue("")) }, ErrProtocol, "without a Sync Done", true},
	{"two ends", func(q *query) { q.end(0, doneControl(str("a")), doneControl(str("b"))) }, ErrProtocol, "two ends", true},
	{"refresh required", func(q *query) { q.end(CodeRefreshRequired) }, ErrRefreshRequired, "4096", true},
	{"refresh required, with an end", func(q *query) { q.end(CodeRefreshRequired, doneControl(str("a"))) }, ErrRefreshRequired, "", true},
	{"newer than the server", func(q *query) { q.end(CodeUnwilling) }, ErrUnwilling, "in the words", true},
	{"control not known", func(q *query) { q.end(CodeCriticalExtension) }, ErrCriticalExtension, "", true},
	{"limit", func(q *query) { q.synced(1, syncID(1), "uid=1,dc=x"); q.end(CodeSizeLimit) }, ErrSizeLimit, "", true},
	{"cut off", func(q *query) { q.synced(1, syncID(1), "uid=1,dc=x"); q.Close() }, io.EOF, "", false},
	{"silent", func(q *query) { q.synced(1, syncID(1), "uid=1,dc=x") }, ErrIdle, "", false},
	{"entry without state", func(q *query) { q.entries(1, 1); q.end(0, doneControl()) }, ErrProtocol, "without a sync state", false},
	{"short ID", func(q *query) {
		q.send(envelope(q.id, entryOp("uid=1,dc=x"), tlv(tagSequence, str(oidSyncState), str(string(tlv(tagSequence, tlv(tagEnumerated, []byte{1}), str("short")))))))
		q.end(0, doneControl())
	}, ErrProtocol, "", false},
	{"state that is none", func(q *query) { q.synced(4, syncID(1), "uid=1,dc=x"); q.end(0, doneControl()) }, ErrProtocol, "sync state", false},
	{"two states", func(q *query) {
		q.send(envelope(q.id, entryOp("uid=1,dc=x"), stateControl(1, syncID(1)), stateControl(3, syncID(1))))
		q.end(0, doneControl())
	}, ErrProtocol, "two sync states", false},
	{"short ID in a set", func(q *query) { q.info(tagSyncIDSet, yes, tlv(tagSet, str("short"))); q.end(0, doneControl()) }, ErrProtocol, "", false},
	{"information of a kind that nobody knows", func(q *query) { q.info(0xa7, yes); q.end(0, doneControl()) }, ErrProtocol, "", false},
	{"another intermediate response", func(q *query) {
		q.send(envelope(q.id, tlv(opIntermediate, tlv(0x80, []byte("1.2.3")), tlv(0x81, tlv(tagNewCookie, []byte("c"))))))
		q.end(0, doneControl())
	}, ErrProtocol, "", false},
	{"intermediate response without a name", func(q *query) { q.send(envelope(q.id, tlv(opIntermediate))); q.end(0, doneControl()) }, ErrProtocol, "", false},
	{"garbage for information", func(q *query) {
		q.send(envelope(q.id, tlv(opIntermediate, tlv(0x80, []byte(oidSyncInfo)), tlv(0x81, []byte{0xa3, 9, 1}))))
		q.end(0, doneControl())
	}, ErrProtocol, "", false},
	{"garbage for an end", func(q *query) { q.end(0, tlv(tagSequence, str(oidSyncDone), str("\x30\x05x"))) }, ErrProtocol, "", false},
	{"information of another search", func(q *query) {
		other := *q
		other.id = q.id + 3
		other.info(tagSyncIDSet, yes, idSet(syncID(1)))
		q.end(0, doneControl())
	}, ErrProtocol, "not asked for", false},
	{"information after the end", func(q *query) {
		q.send(append(envelope(q.id, answer(opSearchDone, 0, ""), doneControl()), envelope(q.id, tlv(opIntermediate, tlv(0x80, []byte(oidSyncInfo))))...))
	}, nil, "", false},
	{"referral", func(q *query) {
		q.send(envelope(q.id, tlv(opReference, str("ldap://other/dc=y")), stateControl(1, syncID(5))))
		q.end(0, doneControl())
	}, ErrReferral, "ldap://other/dc=y", true},
	{"part of the values", func(q *query) {
		q.synced(1, syncID(1), "cn=all,dc=x", attribute("member;range=0-1499", "uid=1,dc=x"))
		q.end(0, doneControl())
	}, nil, "only a part", false},
	{"range of a change", func(q *query) {
		q.synced(1, syncID(1), "cn=all,dc=x", attribute("member;range=1-1", "uid=1,dc=x"))
		q.end(0, doneControl())
	}, nil, "only a part", false},
}

func TestHostileSync(t *testing.T) {
	for _, tc := range hostileSync {
		for _, r := range readers {
			t.Run(tc.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				s := newScripted(t, tc.serve)
				cfg := s.config(r.kind)
				if tc.is == ErrIdle {
					cfg.IdleTimeout = 300 * time.Millisecond
				}
				c := dial(t, cfg)
				done, err := c.Sync(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree}, SyncRequest{Cookie: []byte("c")}, told(new([]string)))
				if tc.name == "information after the end" && err == nil {
					// It came behind a complete refresh: the next request meets it.
					if _, err := c.Base(t.Context(), "dc=x"); err == nil {
						t.Error("still usable")
					}
					return
				}
				if err == nil || done.Cookie != nil || done.Entries+done.Gone+done.Present != 0 {
					t.Fatalf("%+v, %v", done, err)
				}
				if tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%v: is not %v, or lacks %q", err, tc.is, tc.text)
				}
				for _, other := range []error{ErrRefreshRequired, ErrUnwilling, ErrCriticalExtension} {
					if other != tc.is && errors.Is(err, other) {
						t.Errorf("%v is a %v", err, other)
					}
				}
				if c.Alive() != tc.alive {
					t.Errorf("alive: %v", c.Alive())
				}
			})
		}
	}
}

// Cut off at each octet, no stream is complete.
func TestSyncCutAnywhere(t *testing.T) {
	whole := func(id int) []byte {
		var b []byte
		b = append(b, envelope(id, entryOp("uid=1,dc=x", attribute("uid", "1")), stateControl(1, syncID(1)))...)
		b = append(b, envelope(id, tlv(opIntermediate, tlv(0x80, []byte(oidSyncInfo)), tlv(0x81, tlv(tagSyncIDSet, yes, idSet(syncID(2))))))...)
		return append(b, envelope(id, answer(opSearchDone, 0, ""), doneControl(str("next"), yes))...)
	}
	for _, r := range readers {
		for n := range len(whole(3)) {
			s := newScripted(t, func(q *query) { q.send(whole(q.id)[:n]); q.Close() })
			c := dial(t, s.config(r.kind))
			if done, err := c.Sync(t.Context(), Request{Base: "dc=x"}, SyncRequest{}, told(new([]string))); err == nil || done.Cookie != nil || c.Alive() {
				t.Fatalf("%s: cut at %d: %+v, %v", r.name, n, done, err)
			}
			s.close()
		}
	}
}

// An error or a panic of the sink ends the stream, and the connection.
func TestSyncSink(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		for _, bad := range []func(SyncMessage) error{
			func(SyncMessage) error { return errors.New("full") },
			func(SyncMessage) error { panic("full") },
		} {
			s := newScripted(t, func(q *query) { q.info(tagNewCookie, []byte("c")); q.end(0, doneControl(str("next"))) })
			c := dial(t, s.config(r))
			if done, err := c.Sync(t.Context(), Request{Base: "dc=x"}, SyncRequest{}, bad); err == nil || !strings.Contains(err.Error(), "full") || done.Cookie != nil || c.Alive() {
				t.Errorf("%+v, %v", done, err)
			}
		}
	})
}

// An intermediate response has no place in a listing.
func TestListingWithIntermediateResponse(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.info(tagNewCookie, []byte("c")); q.done(0) })
		if _, _, err := dial(t, s.config(r)).Collect(t.Context(), Request{Base: "dc=x"}); !errors.Is(err, ErrProtocol) {
			t.Errorf("%v", err)
		}
	})
}

// The same end twice is one end.
func TestSyncDoneTwice(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newScripted(t, func(q *query) { q.end(0, doneControl(str("a")), doneControl(str("a"))) })
		if done, err := dial(t, s.config(r)).Sync(t.Context(), Request{Base: "dc=x"}, SyncRequest{}, told(new([]string))); err != nil || string(done.Cookie) != "a" {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
