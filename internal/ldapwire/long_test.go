package ldapwire

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ranged is a server as Active Directory is: it sends at most size values of
// member, with an empty member beside them.
type ranged struct {
	*scripted
	size    int
	members []string
	usn     int
	asked   func(r *ranged, low int) // before a part is sent
}

func newRanged(t testing.TB, n, size int) *ranged {
	r := &ranged{size: size, usn: 100}
	for i := range n {
		r.members = append(r.members, "CN=Content Writer "+strconv.Itoa(i)+",OU=People,DC=x")
	}
	var attributes []string
	r.scripted = newScripted(t, func(q *query) {
		if q.base == "cn=gone,dc=x" {
			q.end(CodeNoSuchObject)
			return
		}
		low := 0
		for _, a := range attributes {
			if s, ok := strings.CutPrefix(a, "member;range="); ok {
				low, _ = strconv.Atoi(strings.TrimSuffix(s, "-*"))
			}
		}
		if r.asked != nil {
			r.asked(r, low)
		}
		high := min(low+r.size, len(r.members))
		end := strconv.Itoa(high - 1)
		if high == len(r.members) {
			end = "*"
		}
		if q.base == "dc=x" {
			q.entry("cn=small,dc=x", attribute("member", "a"), attribute("cn", "small"))
		}
		parts := [][]byte{attribute("cn", "all"), attribute("uSNChanged", strconv.Itoa(r.usn))}
		if low > 0 {
			parts = parts[1:]
		}
		if low == 0 && high == len(r.members) {
			parts = append(parts, attribute("member", r.members...))
		} else {
			parts = append(parts, attribute("member"), attribute(fmt.Sprintf("member;range=%d-%s", low, end), r.members[low:high]...))
		}
		q.entry("cn=all,dc=x", parts...)
		q.done(0)
	})
	r.raw = func(c *scriptedConn, m message) bool {
		if m.op == opSearch {
			attributes = requestedAttributes(m)
		}
		return false
	}
	return r
}

// requestedAttributes of a search request.
func requestedAttributes(m message) []string {
	c := cursor{b: m.body}
	for range 7 {
		c.any()
	}
	list := cursor{b: c.take(tagSequence, "attributes")}
	var out []string
	for list.more() {
		out = append(out, string(list.take(tagOctetString, "attribute")))
	}
	return out
}

func members(r Record) string { return strings.Join(r.Values("member"), "\n") }

func TestLongAttributes(t *testing.T) {
	for _, size := range []struct{ members, part, requests int }{
		{1499, 1500, 1}, {1500, 1500, 1}, {1501, 1500, 3}, {3000, 1500, 4}, {5000, 1500, 5}, {100_000, 1500, 68}, {7, 1, 8},
	} {
		if testing.Short() && size.members > 10_000 {
			continue
		}
		t.Run(fmt.Sprintf("%d by %d", size.members, size.part), func(t *testing.T) {
			each(t, func(t *testing.T, r Reader) {
				s := newRanged(t, size.members, size.part)
				c := dial(t, s.config(r))
				before := c.Requests()
				records, done, err := c.Collect(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree, Attributes: []string{"cn", "member"}, ReadLong: true})
				if err != nil || len(records) != 2 || done.Entries != 2 {
					t.Fatalf("%d records, %+v, %v", len(records), done, err)
				}
				if records[0].DN != "cn=small,dc=x" || members(records[0]) != "a" {
					t.Errorf("%+v", records[0])
				}
				whole := records[1]
				if members(whole) != strings.Join(s.members, "\n") || whole.First("cn") != "all" {
					t.Errorf("%d members of %q", len(whole.Values("member")), whole.DN)
				}
				for _, a := range whole.Attributes {
					if a.Part != Whole || len(a.Options) != 0 || a.Name == "usnchanged" && size.requests > 1 {
						t.Errorf("attribute %q %q %v", a.Name, a.Options, a.Part)
					}
				}
				if n := c.Requests() - before; n != int64(size.requests) {
					t.Errorf("%d requests, not %d", n, size.requests)
				}
				one, err := c.BaseWhole(t.Context(), "cn=all,dc=x", "member")
				if err != nil || members(one) != members(whole) {
					t.Errorf("by name: %d members, %v", len(one.Values("member")), err)
				}
				if _, err := c.BaseWhole(t.Context(), "cn=gone,dc=x", "member"); !errors.Is(err, ErrNoSuchObject) {
					t.Errorf("gone: %v", err)
				}
			})
		})
	}
}

// Somebody who is in a group is deleted while it is read: those behind move up, and
// the group shows no trace of it.
func TestLongAttributeLosesAValueInSilence(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		s := newRanged(t, 10, 3)
		gone := false
		s.asked = func(r *ranged, low int) {
			if low > 0 && !gone {
				gone = true
				r.members = slices.Clone(r.members[1:])
			}
		}
		got, err := dial(t, s.config(r)).BaseWhole(t.Context(), "cn=all,dc=x", "member")
		if err != nil || members(got) != strings.Join(s.members, "\n") || len(s.members) != 9 {
			t.Errorf("%d members of %d, %v", len(got.Values("member")), len(s.members), err)
		}
	})
}

// A group that moves while it is read is read again, and one that does not come
// to rest is an error.
func TestLongAttributeMoves(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		for _, moves := range []int{1, longTries - 1, longTries} {
			s := newRanged(t, 10, 3)
			n := 0
			s.asked = func(r *ranged, low int) {
				if low == 6 && n < moves {
					// The first member leaves, all others move up: read on, one
					// of them would never have been seen.
					n++
					r.usn++
					r.members = append(slices.Clone(r.members[1:]), "CN=Newcomer "+strconv.Itoa(n))
				}
			}
			c := dial(t, s.config(r))
			got, err := c.BaseWhole(t.Context(), "cn=all,dc=x", "member")
			if moves == longTries {
				if !errors.Is(err, ErrMoved) || !IsTransient(err) || !c.Alive() {
					t.Errorf("%v", err)
				}
				continue
			}
			if err != nil || members(got) != strings.Join(s.members, "\n") {
				t.Errorf("%d moves: %d members, %v", moves, len(got.Values("member")), err)
			}
		}
	})
}

func TestHostileRanges(t *testing.T) {
	usn := attribute("uSNChanged", "1")
	first := func(q *query) { q.entry("cn=all,dc=x", attribute("member;range=0-1", "a", "b"), usn); q.done(0) }
	for _, tc := range []struct {
		name string
		more func(q *query)
		is   error
	}{
		{"the same part again", first, ErrProtocol},
		{"another part", func(q *query) { q.entry("cn=all,dc=x", attribute("member;range=3-*", "d"), usn); q.done(0) }, ErrProtocol},
		{"fewer than it says", func(q *query) { q.entry("cn=all,dc=x", attribute("member;range=1-5", "b", "c"), usn); q.done(0) }, ErrProtocol},
		{"nothing, and not the end", func(q *query) { q.entry("cn=all,dc=x", attribute("member;range=1-0"), usn); q.done(0) }, nil},
		{"values again", func(q *query) { q.entry("cn=all,dc=x", attribute("member;range=1-*", "b", "a"), usn); q.done(0) }, ErrProtocol},
		{"no part", func(q *query) { q.entry("cn=all,dc=x", attribute("member"), usn); q.done(0) }, nil},
		{"two parts", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=1-2", "b", "c"), attribute("member;range=3-*", "d"), usn)
			q.done(0)
		}, ErrProtocol},
		{"whole and part", func(q *query) {
			q.entry("cn=all,dc=x", attribute("member;range=1-*", "b", "c"), attribute("member", "x"), usn)
			q.done(0)
		}, ErrProtocol},
		{"gone", func(q *query) { q.end(CodeNoSuchObject) }, ErrMoved},
		{"hidden", func(q *query) { q.done(0) }, ErrMoved},
		{"moved", func(q *query) {
			q.entry("cn=all,ou=moved,dc=x", attribute("member;range=1-*", "b", "c"), usn)
			q.done(0)
		}, ErrMoved},
		{"without a stamp", func(q *query) { q.entry("cn=all,dc=x", attribute("member;range=1-*", "b", "c")); q.done(0) }, ErrMoved},
		{"limit", func(q *query) { q.end(CodeSizeLimit) }, ErrSizeLimit},
		{"cut off", func(q *query) { q.Close() }, nil},
		{"part of another attribute", func(q *query) { q.entry("cn=all,dc=x", attribute("memberOf;range=1-*", "b", "c"), usn); q.done(0) }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each(t, func(t *testing.T, r Reader) {
				var attributes []string
				s := newScripted(t, func(q *query) {
					if slices.ContainsFunc(attributes, func(a string) bool { return strings.Contains(a, "range=1") }) {
						tc.more(q)
						return
					}
					first(q)
				})
				s.raw = func(_ *scriptedConn, m message) bool {
					if m.op == opSearch {
						attributes = requestedAttributes(m)
					}
					return false
				}
				sunk := 0
				done, err := dial(t, s.config(r)).Search(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree, Attributes: []string{"member"}, ReadLong: true},
					func(*Entry) error { sunk++; return nil })
				if err == nil || sunk != 0 || done.Entries != 0 || tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("%d entries, %v", sunk, err)
				}
			})
		})
	}
}

// Where nothing tells that an entry moved, it is not read in parts.
func TestLongAttributeWithoutStamp(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		parts := 0
		s := newScripted(t, func(q *query) {
			if parts++; parts%3 == 0 { // listed, read from the start, read on
				q.entry("cn=all,dc=x", attribute("member;range=1-*", "b", "c"))
			} else {
				q.entry("cn=all,dc=x", attribute("member;range=0-1", "a", "b"))
			}
			q.done(0)
		})
		if _, err := dial(t, s.config(r)).BaseWhole(t.Context(), "cn=all,dc=x", "member"); err == nil {
			t.Error("read")
		}
	})
}

// Errors and panics of the sink are those of the listing, here too.
func TestLongAttributeSink(t *testing.T) {
	each(t, func(t *testing.T, r Reader) {
		for _, bad := range []func(*Entry) error{func(*Entry) error { return errors.New("full") }, func(*Entry) error { panic("full") }} {
			s := newRanged(t, 10, 3)
			c := dial(t, s.config(r))
			sink := func(e *Entry) error {
				if string(e.DN) == "cn=small,dc=x" {
					return nil
				}
				return bad(e)
			}
			within(t, 5*time.Second, "the listing", func() {
				if _, err := c.Search(t.Context(), Request{Base: "dc=x", Scope: ScopeSubtree, Attributes: []string{"member"}, ReadLong: true}, sink); err == nil || !strings.Contains(err.Error(), "full") || c.Alive() {
					t.Errorf("%v", err)
				}
			})
		}
	})
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]span{
		"0-1499": {true, 0, 1499, false}, "1500-*": {true, 1500, 0, true}, "0-0": {true, 0, 0, false},
		"": {}, "5": {}, "-": {}, "*-5": {}, "-1-5": {}, "1-": {}, "1--5": {}, "+1-5": {}, "1-99999999999": {}, "1-5-7": {}, " 1-2": {},
	} {
		if got := parseSpan(text); got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
