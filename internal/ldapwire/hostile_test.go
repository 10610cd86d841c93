package ldapwire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// none of these servers may be believed: each search is an error, and there is
// no Done.
var hostile = []struct {
	name  string
	serve func(*query)
	is    error  // what the error is
	text  string // what it says
	alive bool   // the server answered: the connection stays usable
	fast  bool   // go-ldap does not mind; the lane does
}{
	{"dropped before an answer", func(q *query) { q.Close() }, io.EOF, "", false, false},
	{"dropped in mid-page", func(q *query) { q.entries(0, 10); q.Close() }, io.EOF, "", false, false},
	{"dropped in mid-message", func(q *query) {
		m := envelope(q.id, entryOp("uid=1,dc=x", attribute("cn", "Writer")))
		q.send(m[:len(m)-3])
		q.Close()
	}, io.ErrUnexpectedEOF, "", false, false},
	{"dropped between pages", func(q *query) {
		if q.page() == 1 {
			q.Close()
			return
		}
		q.pages(3, 10)
	}, io.EOF, "", false, false},
	{"silent at once", func(*query) {}, ErrIdle, "", false, false},
	{"silent in mid-page", func(q *query) { q.entries(0, 10) }, ErrIdle, "", false, false},
	{"silent in mid-message", func(q *query) {
		m := envelope(q.id, entryOp("uid=1,dc=x", attribute("cn", "Writer")))
		q.send(m[:len(m)-3])
	}, ErrIdle, "", false, false},
	{"size limit", func(q *query) { q.entries(0, 10); q.done(CodeSizeLimit) }, ErrSizeLimit, "in the words of the server", true, false},
	{"size limit on the second page", func(q *query) {
		if q.page() == 1 {
			q.entries(10, 3)
			q.done(CodeSizeLimit)
			return
		}
		q.pages(3, 10)
	}, ErrSizeLimit, "", true, false},
	{"administrative limit", func(q *query) { q.entries(0, 10); q.done(CodeAdminLimit) }, ErrSizeLimit, "", true, false},
	{"time limit", func(q *query) { q.entries(0, 10); q.done(CodeTimeLimit) }, ErrTimeLimit, "", true, false},
	{"busy", func(q *query) { q.entries(0, 10); q.done(CodeBusy) }, ErrBusy, "", true, false},
	{"unavailable", func(q *query) { q.done(CodeUnavailable) }, ErrBusy, "", true, false},
	{"no such object", func(q *query) { q.done(CodeNoSuchObject) }, ErrNoSuchObject, "", true, false},
	{"partial results, a code that nobody knows", func(q *query) { q.entries(0, 10); q.done(9) }, nil, "result code 9", true, false},
	{"page repeated", func(q *query) {
		q.entries(0, 10)
		q.done(0, []string{"1", "2", ""}[q.page()])
	}, ErrProtocol, "twice", false, false},
	{"entry repeated", func(q *query) { q.entries(0, 3); q.entries(2, 3); q.done(0) }, ErrProtocol, "twice", false, false},
	{"paging control missing", func(q *query) {
		q.entries(0, 10)
		q.send(envelope(q.id, answer(opSearchDone, 0, "")))
	}, ErrProtocol, "without a paging control", true, false},
	{"paging control missing on the second page", func(q *query) {
		if q.page() == 1 {
			q.entries(10, 10)
			q.send(envelope(q.id, answer(opSearchDone, 0, "")))
			return
		}
		q.pages(3, 10)
	}, ErrProtocol, "without a paging control", true, false},
	{"paging control broken", func(q *query) {
		q.entries(0, 10)
		q.send(envelope(q.id, answer(opSearchDone, 0, ""), tlv(tagSequence, str(OIDPaging), str("junk"))))
	}, ErrProtocol, "", false, false},
	{"empty pages without end", func(q *query) { q.done(0, "again") }, ErrProtocol, "empty pages", true, false},
	{"notice of disconnection", func(q *query) {
		q.entries(0, 10)
		q.send(envelope(0, answer(opExtendedResult, CodeUnavailable, "going down", tlv(extendedName, []byte(noticeOfDisconnID)))))
		q.done(0)
	}, ErrBusy, "going down", false, false},
	{"unsolicited something", func(q *query) {
		q.send(envelope(0, answer(opExtendedResult, 0, "", tlv(extendedName, []byte("1.2.3")))))
	}, ErrProtocol, "1.2.3", false, false},
	{"entries of another search", func(q *query) {
		q.entries(0, 10)
		other := *q
		other.id = q.id + 7
		other.entries(10, 1)
		q.done(0)
	}, ErrProtocol, "not asked for", false, false},
	{"entries of the search before", func(q *query) {
		if q.page() == 1 {
			stale := *q
			stale.id = q.id - 1
			stale.entries(50, 1)
		}
		q.pages(2, 10)
	}, ErrProtocol, "not asked for", false, false},
	{"end of another search", func(q *query) {
		q.send(envelope(q.id+1, answer(opSearchDone, 0, "")))
	}, ErrProtocol, "", false, false},
	{"answer to another request", func(q *query) {
		q.entries(0, 10)
		q.send(envelope(q.id, answer(opModifyResult, 0, "")))
	}, ErrProtocol, "0x67", false, false},
	{"bind response as an answer", func(q *query) { q.send(envelope(q.id, answer(opBindResponse, 0, ""))) }, ErrProtocol, "0x61", false, false},
	{"referral inside the scope", func(q *query) {
		q.entries(0, 10)
		q.send(envelope(q.id, tlv(opReference, str("ldap://other/dc=y"))))
		q.done(0)
	}, ErrReferral, "ldap://other/dc=y", true, false},
	{"referral without an address", func(q *query) {
		q.send(envelope(q.id, tlv(opReference)))
		q.done(0)
	}, nil, "", false, false},
	{"referral instead of an answer", func(q *query) {
		q.send(envelope(q.id, answer(opSearchDone, CodeReferral, "", tlv(tagReferral, str("ldap://other/"), str("ldap://third/")))))
	}, ErrReferral, "ldap://third/", true, false},
	{"part of the values", func(q *query) {
		q.entry("cn=all,dc=x", attribute("member"), attribute("member;range=0-1499", "uid=1,dc=x"))
		q.done(0)
	}, nil, `only a part of "member;range=0-1499"`, false, false},
	{"last part of the values, in capitals", func(q *query) {
		q.entry("cn=all,dc=x", attribute("member;RANGE=1500-*", "uid=1,dc=x"))
		q.done(0)
	}, nil, "only a part", false, false},
	{"attribute twice", func(q *query) {
		q.entry("uid=1,dc=x", attribute("cn", "a"), attribute("CN", "b"))
		q.done(0)
	}, ErrProtocol, "occurs twice", false, false},
	{"attribute without a name", func(q *query) {
		q.entry("uid=1,dc=x", attribute("", "a"))
		q.done(0)
	}, ErrProtocol, "without a name", false, false},
	{"entry without attributes", func(q *query) {
		q.send(envelope(q.id, tlv(opEntry, str("uid=1,dc=x"))))
		q.done(0)
	}, nil, "", false, false},
	{"attribute without values", func(q *query) {
		q.entry("uid=1,dc=x", tlv(tagSequence, str("cn")))
		q.done(0)
	}, nil, "", false, false},
	{"value of another type", func(q *query) {
		q.entry("uid=1,dc=x", tlv(tagSequence, str("cn"), tlv(tagSet, tlv(tagSequence, str("a")))))
		q.done(0)
	}, nil, "", false, false},
	{"value longer than its set", func(q *query) {
		q.entry("uid=1,dc=x", tlv(tagSequence, str("cn"), tlv(tagSet, []byte{tagOctetString, 9, 'a'})))
		q.done(0)
	}, nil, "", false, false},
	{"attribute of another type", func(q *query) {
		q.entry("uid=1,dc=x", str("cn"))
		q.done(0)
	}, nil, "", false, false},
	{"something behind an attribute", func(q *query) {
		q.entry("uid=1,dc=x", tlv(tagSequence, str("cn"), tlv(tagSet, str("a")), str("b")))
		q.done(0)
	}, nil, "", false, true},
	{"entry with more than its parts", func(q *query) {
		q.send(envelope(q.id, tlv(opEntry, str("uid=1,dc=x"), tlv(tagSequence), str("more"))))
		q.done(0)
	}, nil, "", false, true},
	{"result without a code", func(q *query) { q.send(envelope(q.id, tlv(opSearchDone))) }, ErrProtocol, "", false, false},
	{"negative result code", func(q *query) {
		q.send(envelope(q.id, tlv(opSearchDone, tlv(tagEnumerated, []byte{0xff}), str(""), str("")), pagingValue("")))
	}, ErrProtocol, "", false, false},
	{"message of 4 GB", func(q *query) { q.send([]byte{tagSequence, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 2, 3}) }, ErrProtocol, "too long", false, false},
	{"length of five octets", func(q *query) { q.send([]byte{tagSequence, 0x85, 0, 0, 0, 0, 5, 2, 1, 2, 0x65, 0}) }, ErrProtocol, "length of 5", false, false},
	{"indefinite length", func(q *query) { q.send([]byte{tagSequence, 0x80, 2, 1, 2, 0, 0}) }, ErrProtocol, "indefinite", false, false},
	{"no message at all", func(q *query) { q.send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, ErrProtocol, "", false, false},
	{"child longer than its parent", func(q *query) {
		q.send(tlv(tagSequence, integer(tagInteger, q.id), []byte{opSearchDone, 0x20, 0x0a, 1, 0}))
	}, ErrProtocol, "", false, false},
	{"something behind the message", func(q *query) {
		q.send(tlv(tagSequence, integer(tagInteger, q.id), answer(opSearchDone, 0, ""), tlv(tagControls), str("more")))
	}, ErrProtocol, "too many", false, false},
	{"deep nesting", func(q *query) {
		b := answer(opSearchDone, 0, "")
		for range 2000 {
			b = tlv(0xa1, b)
		}
		q.send(envelope(q.id, answer(opSearchDone, 0, "", b), pagingValue("")))
	}, ErrProtocol, "", false, false},
	{"an end without a beginning: message ID below zero", func(q *query) {
		q.send(tlv(tagSequence, tlv(tagInteger, []byte{0xff}), answer(opSearchDone, 0, "")))
	}, ErrProtocol, "message ID", false, false},
}

func TestHostileServers(t *testing.T) {
	for _, tc := range hostile {
		for _, r := range readers {
			if tc.fast && r.kind != Fast {
				continue
			}
			t.Run(tc.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				s := newScripted(t, tc.serve)
				cfg := s.config(r.kind)
				if tc.is == ErrIdle {
					cfg.IdleTimeout = 300 * time.Millisecond
				}
				c := dial(t, cfg)
				n := 0
				done, err := c.Search(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree, PageSize: 10}, func(*Entry) error { n++; return nil })
				var e *Error
				if err == nil || done.Pages+done.Entries+len(done.Server.URL) != 0 {
					t.Fatalf("%d entries, %+v, %v", n, done, err)
				}
				if !errors.As(err, &e) || e.Op != "search" || e.DN != "dc=x" || e.Server != cfg.URLs[0] {
					t.Errorf("%#v", err)
				}
				if tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%v: is not %v, or lacks %q", err, tc.is, tc.text)
				}
				if e.InDoubt() || e.Retryable() != e.Transient() {
					t.Errorf("a read in doubt: %v", err)
				}
				if tc.alive {
					if rec, err := c.Base(t.Context(), ""); err != nil || !c.Alive() {
						t.Errorf("not usable afterwards: %+v, %v", rec, err)
					}
					return
				}
				if c.Alive() {
					t.Error("still alive")
				}
				if !c.w.reading.TryLock() || c.w.eof == nil || c.w.buf != nil {
					t.Error("something still reads")
				} else {
					c.w.reading.Unlock()
				}
				if _, err := c.Base(t.Context(), "", "*"); !errors.Is(err, ErrDead) {
					t.Errorf("after it: %v", err)
				}
				if err := c.Delete(t.Context(), "dc=x"); !errors.Is(err, ErrDead) || IsInDoubt(err) {
					t.Errorf("after it: %v, in doubt %v", err, IsInDoubt(err))
				}
			})
		}
	}
}

// odd servers that are right all the same.
var odd = []struct {
	name    string
	serve   func(*query)
	entries int
}{
	{"nothing there", func(q *query) { q.done(0) }, 0},
	{"three pages", func(q *query) { q.pages(3, 10) }, 30},
	{"lengths of four octets", func(q *query) {
		q.send(wide(tagSequence, wide(tagInteger, []byte{byte(q.id)}),
			wide(opEntry, wide(tagOctetString, []byte("uid=0,dc=x")), wide(tagSequence,
				wide(tagSequence, wide(tagOctetString, []byte("uid")), wide(tagSet, wide(tagOctetString, []byte("0"))))))))
		q.send(wide(tagSequence, wide(tagInteger, []byte{byte(q.id)}), wide(opSearchDone, wide(tagEnumerated, []byte{0}), str(""), str("")),
			wide(tagControls, pagingValue(""))))
	}, 1},
	{"byte by byte", func(q *query) {
		for _, b := range envelope(q.id, entryOp("uid=0,dc=x", attribute("uid", "0"))) {
			q.send([]byte{b})
		}
		q.done(0)
	}, 1},
	{"empty page in the middle", func(q *query) {
		if q.page() == 1 {
			q.done(0, "2")
			return
		}
		q.pages(3, 10)
	}, 20},
	{"more empty pages in all than may come in a row", func(q *query) {
		n := q.page()
		if n%50 == 49 {
			q.entries(n, 1)
		}
		if n < 199 {
			q.done(0, fmt.Sprint(n+1))
		} else {
			q.done(0)
		}
	}, 4},
	{"same cookie for each page", func(q *query) {
		n := len(q.cookies())
		q.entries(n*10, 10)
		if n == 3 {
			q.done(0)
		} else {
			q.done(0, "0")
		}
	}, 30},
	{"binary cookie", func(q *query) {
		if q.cookie == "\x00\xff" {
			q.entries(10, 10)
			q.done(0)
			return
		}
		q.entries(0, 10)
		q.done(0, "\x00\xff")
	}, 20},
	{"result with unknown parts and controls", func(q *query) {
		q.entries(0, 1)
		q.send(envelope(q.id, answer(opSearchDone, 0, "", tlv(0x9f-0x10, []byte("new"))), tlv(tagSequence, str("1.2.3.4"), str("v")), pagingValue("")))
	}, 1},
	{"no values, empty values, many values", func(q *query) {
		var many []string
		for i := range 3000 {
			many = append(many, fmt.Sprintf("uid=%d,ou=people,dc=x", i))
		}
		q.entry("uid=0,dc=x", attribute("title"), attribute("cn", "", "x"), attribute("member", many...))
		q.entry("", attribute("userCertificate;binary", "\x00\xff"), attribute("cn;lang-DE;x-a", "y"))
		q.done(0)
	}, 2},
}

func TestOddServers(t *testing.T) {
	for _, tc := range odd {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var texts []string
			for _, r := range readers {
				s := newScripted(t, tc.serve)
				c := dial(t, s.config(r.kind))
				records, done, err := c.Collect(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree, PageSize: 10})
				if err != nil || len(records) != tc.entries || done.Entries != tc.entries || done.Pages != len(s.cookies()) {
					t.Errorf("%s: %d records, %+v, %v", r.name, len(records), done, err)
				}
				texts = append(texts, fmt.Sprintf("%q", records))
			}
			if texts[0] != texts[1] {
				t.Errorf("the readers differ:\n%s\n%s", texts[0], texts[1])
			}
		})
	}
}

func TestIgnoredReferrals(t *testing.T) {
	serve := func(q *query) {
		q.entries(0, 10)
		q.send(envelope(q.id, tlv(opReference, str("ldap://ForestDnsZones.lab/dc=z"))))
		q.done(0)
	}
	for _, r := range readers {
		c := dial(t, newScripted(t, serve).config(r.kind))
		req := Request{Base: "dc=x", IgnoreReferrals: []string{"ldap://no", "LDAP://forestdnszones."}}
		_, done, err := c.Collect(t.Context(), req)
		if err != nil || done.Entries != 10 || len(done.Referrals) != 1 {
			t.Errorf("%s: %+v, %v", r.name, done, err)
		}
	}
}

func TestServerWithoutPaging(t *testing.T) {
	for _, r := range readers {
		s := newScripted(t, func(q *query) {
			if q.paged {
				q.t.Error("a page was asked for")
			}
			q.entries(0, 30)
			q.done(0)
		})
		s.raw = func(c *scriptedConn, m message) bool {
			if m.op != opSearch || newQuery(c, m).base != "" {
				return false
			}
			c.send(envelope(m.id, entryOp("", attribute("supportedControl", "1.2.3"))), envelope(m.id, answer(opSearchDone, 0, "")))
			return true
		}
		_, done, err := dial(t, s.config(r.kind)).Collect(t.Context(), Request{Base: "dc=x"})
		if err != nil || done.Entries != 30 || done.Pages != 1 {
			t.Errorf("%s: %+v, %v", r.name, done, err)
		}
	}
}
