package ldapwire

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestHazard11And12SpaceAndAllocations(t *testing.T) {
	const entries, pages = 2000, 10
	var attributes [][]byte
	for i := range 15 {
		attributes = append(attributes, attribute(fmt.Sprintf("attribute%d", i), strings.Repeat("v", 50)))
	}
	s := newScripted(t, func(q *query) {
		var b []byte
		for i := range entries {
			b = append(b, envelope(q.id, entryOp(fmt.Sprintf("uid=%d,dc=x", q.page()*entries+i), attributes...))...)
		}
		q.send(b)
		if q.page()+1 < pages {
			q.done(0, fmt.Sprint(q.page()+1))
		} else {
			q.done(0)
		}
	})
	c := dial(t, s.config(Fast))
	list := func(sink func(*Entry) error) runtime.MemStats {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if done, err := c.Search(t.Context(), all(), sink); err != nil || done.Entries != entries*pages {
			t.Fatalf("%+v, %v", done, err)
		}
		runtime.ReadMemStats(&after)
		after.Mallocs -= before.Mallocs
		after.TotalAlloc -= before.TotalAlloc
		return after
	}
	list(func(*Entry) error { return nil })
	// The server is in the same process: about two dozen small allocations
	// for each entry that it makes are its own.
	server := testing.AllocsPerRun(10, func() { envelope(1, entryOp("uid=100,dc=x", attributes...)) })
	m := list(func(e *Entry) error {
		if len(e.Attributes) != 15 || len(e.Attributes[14].Values[0]) != 50 {
			t.Errorf("%q", e.DN)
		}
		return nil
	})
	if per := float64(m.Mallocs)/(entries*pages) - server; per > 5 {
		t.Errorf("%.1f allocations per entry (the server's: %.0f)", per, server)
	}
	// A large group: one message of 9 MB.
	var members []string
	for i := range 200_000 {
		members = append(members, fmt.Sprintf("uid=writer%d,ou=people,dc=lab,dc=example", i))
	}
	group := envelope(7, entryOp("cn=all,dc=x", attribute("member", members...)))
	var d entryDecoder
	allocs := testing.AllocsPerRun(3, func() {
		m, err := parseMessage(group)
		if err != nil {
			t.Fatal(err)
		}
		e, err := d.decode(m)
		if err != nil || len(e.Values("member")) != len(members) || string(e.Values("member")[199_999]) != members[199_999] {
			t.Fatal("members are missing", err)
		}
	})
	if allocs > 1 {
		t.Errorf("%v allocations for a large group", allocs)
	}
}

func TestPoisonedViews(t *testing.T) {
	s := newScripted(t, func(q *query) { q.pages(1, 10) })
	c := dial(t, s.config(Fast))
	var kept []byte
	if _, err := c.Search(t.Context(), all(), func(e *Entry) error {
		if kept != nil && string(kept) == "uid=0,dc=x" {
			t.Error("a view outlives its sink without a sign")
		}
		if kept == nil {
			kept = e.DN
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
