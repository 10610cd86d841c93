package ldapwire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func dirSyncControl(more int, cookie string) []byte {
	return tlv(tagSequence, str(OIDDirSync), str(string(tlv(tagSequence, integer(tagInteger, more), integer(tagInteger, 0), str(cookie)))))
}

// dirSynced serves rounds by the cookie that is asked with.
func dirSynced(t *testing.T, r Reader, rounds map[string]func(*query)) (*Conn, *[]string) {
	var asked []string
	s := newScripted(t, func(q *query) {
		round := rounds[asked[len(asked)-1]]
		if round == nil {
			t.Errorf("a round with the cookie %q", asked[len(asked)-1])
			q.end(CodeCriticalExtension)
			return
		}
		round(q)
	})
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op != opSearch || newQuery(c, m).base == "" {
			return false
		}
		controls, _ := parseControls(nil, m.controls)
		if len(controls) != 2 || controls[0].OID != OIDShowDeleted || !controls[0].Critical || controls[1].OID != OIDDirSync || !controls[1].Critical {
			t.Errorf("controls %+v", controls)
			return false
		}
		v := cursor{b: controls[1].Value}
		in := cursor{b: v.take(tagSequence, "")}
		// Flags of five octets are an error for Active Directory.
		if f := in.take(tagInteger, ""); string(f) != "\x80\x00\x08\x01" {
			t.Errorf("flags %x", f)
		}
		if n, ok := parseInt(in.take(tagInteger, "")); !ok || n != 100000 {
			t.Errorf("%d octets", n)
		}
		asked = append(asked, string(in.take(tagOctetString, "")))
		if in.end(""); in.err != nil || v.err != nil {
			t.Error(in.err, v.err)
		}
		return false
	}
	return dial(t, s.config(r)), &asked
}

func dirSync(t *testing.T, c *Conn, cookie string) ([]string, DirSyncDone, error) {
	var got []string
	done, err := c.DirSync(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree, Controls: []RequestControl{ShowDeleted()}},
		DirSyncRequest{Flags: DirSyncObjectSecurity | DirSyncAncestorsFirst | DirSyncIncrementalValues, MaxBytes: 100000, Cookie: []byte(cookie)},
		func(e *Entry) error {
			gained, lost := e.Changed("member")
			got = append(got, fmt.Sprintf("%s has=%v %q +%q -%q", e.DN, e.Has("member"), e.Values("member"), gained, lost))
			return nil
		})
	return got, done, err
}

func TestDirSyncRounds(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		c, asked := dirSynced(t, r, map[string]func(*query){
			"c0": func(q *query) {
				q.entry("cn=all,dc=x", attribute("member;range=1-1", "a", "b"), attribute("member;range=0-0", "c"), attribute("member"))
				q.entry("cn=cleared,dc=x", attribute("member"))
				q.end(0, dirSyncControl(-1, "c1"))
			},
			"c1": func(q *query) { q.end(0, dirSyncControl(1, "c2")) }, // nothing in it, and not the end
			"c2": func(q *query) {
				q.entry("cn=all,dc=x", attribute("Member;RANGE=0-0", "d"))
				q.entry("cn=set,dc=x", attribute("member", "e"))
				q.end(0, dirSyncControl(0, "c3"))
			},
		})
		got, done, err := dirSync(t, c, "c0")
		want := []string{
			`cn=all,dc=x has=false [] +["a" "b"] -["c"]`,
			`cn=cleared,dc=x has=true [] +[] -[]`,
			`cn=all,dc=x has=false [] +[] -["d"]`,
			`cn=set,dc=x has=true ["e"] +[] -[]`,
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v\n%s", err, strings.Join(got, "\n"))
		}
		if string(done.Cookie) != "c3" || done.Rounds != 3 || done.Entries != 4 || done.Server.URL == "" {
			t.Errorf("%+v", done)
		}
		if !slices.Equal(*asked, []string{"c0", "c1", "c2"}) || c.Requests() != 1+3 {
			t.Errorf("asked %q, %d requests", *asked, c.Requests())
		}
	})
}

func TestHostileDirSync(t *testing.T) {
	for _, tc := range []struct {
		name  string
		round func(*query)
		is    error
		text  string
	}{
		{"no control", func(q *query) { q.entries(0, 3); q.end(0) }, ErrProtocol, "without a DirSync control"},
		{"no cookie", func(q *query) { q.entries(0, 3); q.end(0, dirSyncControl(0, "")) }, ErrProtocol, "without a cookie"},
		{"no more and no end", func(q *query) { q.end(0, dirSyncControl(1, "c0")) }, ErrProtocol, "nothing comes"},
		{"no end", func(q *query) { q.entries(0, 1); q.end(0, dirSyncControl(1, "c0")) }, ErrProtocol, "no end after 20 rounds"},
		{"broken control", func(q *query) { q.end(0, tlv(tagSequence, str(OIDDirSync), str("junk"))) }, ErrProtocol, ""},
		{"refused cookie", func(q *query) { q.end(CodeCriticalExtension) }, ErrCriticalExtension, ""},
		{"no right", func(q *query) { q.end(CodeInsufficientAccess) }, ErrInsufficientAccess, ""},
		{"referral", func(q *query) {
			q.send(envelope(q.id, tlv(opReference, str("ldap://other/"))))
			q.end(0, dirSyncControl(0, "c1"))
		}, ErrReferral, ""},
		{"part of a listing", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=0-1499", "a"))
			q.end(0, dirSyncControl(0, "c1"))
		}, nil, "only a part"},
		{"open part", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=1-*", "a"))
			q.end(0, dirSyncControl(0, "c1"))
		}, nil, "only a part"},
		{"range that is none", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=+1-1", "a"))
			q.end(0, dirSyncControl(0, "c1"))
		}, nil, "only a part"},
		{"two ranges", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=1-1;range=0-0", "a"))
			q.end(0, dirSyncControl(0, "c1"))
		}, nil, "only a part"},
		{"whole and gained", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=1-1", "a"), attribute("member", "b"))
			q.end(0, dirSyncControl(0, "c1"))
		}, ErrProtocol, "more than one way"},
		{"gained twice", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=1-1", "a"), attribute("member;range=01-1", "b"))
			q.end(0, dirSyncControl(0, "c1"))
		}, ErrProtocol, "more than one way"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each(t, func(t *testing.T, r Reader) {
				maxDirSyncRounds = 20
				defer func() { maxDirSyncRounds = 10000 }()
				c, _ := dirSynced(t, r, map[string]func(*query){"c0": tc.round})
				_, done, err := dirSync(t, c, "c0")
				if err == nil || done.Cookie != nil || done.Entries+done.Rounds != 0 {
					t.Fatalf("%+v, %v", done, err)
				}
				if tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%v: is not %v, or lacks %q", err, tc.is, tc.text)
				}
			})
		})
	}
}

// In a listing the ranges of DirSync are parts like any other.
func TestChangeRangesInAListing(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		for _, name := range []string{"member;range=1-1", "member;range=0-0"} {
			s := newScripted(t, func(q *query) { q.entry("cn=all,dc=x", attribute(name, "a")); q.done(0) })
			var part *RangeError
			if _, _, err := dial(t, s.config(r)).Collect(t.Context(), all()); !errors.As(err, &part) || part.Attribute != name {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
