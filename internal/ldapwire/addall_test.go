package ldapwire

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

func additions(n int, base string) []Addition {
	out := make([]Addition, n)
	for i := range out {
		cn := fmt.Sprintf("writer %d", i)
		out[i] = Addition{DN: "cn=" + cn + "," + base, Attributes: []Values{{"objectClass", []string{"inetOrgPerson"}}, {"cn", []string{cn}}, {"sn", []string{"Öd"}},
			{"mail", []string{"a@lab.example", "b@lab.example"}}, {"description", []string{strings.Repeat("long ", i*100) + "text"}}}}
	}
	return out
}

// toldAll is what AddAll said, by position.
type toldAll struct {
	t    *testing.T
	recs map[int]Record
	errs map[int]error
	most int // ends it after so many; 0 for never
}

func (c *toldAll) say(i int, r Record, err error) bool {
	if _, twice := c.errs[i]; twice {
		c.t.Errorf("%d was told twice", i)
	}
	c.recs[i], c.errs[i] = r, err
	return c.most == 0 || len(c.errs) < c.most
}

func newTold(t *testing.T) *toldAll {
	return &toldAll{t: t, recs: map[int]Record{}, errs: map[int]error{}}
}

// All are added, with what the server shows of each; what is there already is
// told of its own, and the connection goes on as before.
func TestSlapdAddAll(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{})
	c := dial(t, Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.AdminDN, Password: password(s.AdminPassword)})
	adds := additions(3*addWindow+5, s.Suffix)
	for _, there := range []int{7, 40} {
		if err := c.Add(t.Context(), adds[there].DN, adds[there].Attributes); err != nil {
			t.Fatal(err)
		}
	}
	adds[50].Attributes = append(adds[50].Attributes, Values{"title", []string{""}})
	before := c.Requests()
	got, wanted := newTold(t), []string{"entryUUID", "cn", "mail", "title"}
	if err := c.AddAll(t.Context(), adds, got.say, wanted...); err != nil {
		t.Fatal(err)
	}
	if n := c.Requests() - before; n != int64(len(adds)) {
		t.Errorf("%d requests for %d entries", n, len(adds))
	}
	if len(got.errs) != len(adds) {
		t.Fatalf("%d were told of %d", len(got.errs), len(adds))
	}
	for i, add := range adds {
		switch err := got.errs[i]; {
		case i == 7 || i == 40:
			if !errors.Is(err, ErrAlreadyExists) || IsInDoubt(err) {
				t.Errorf("%d: %v", i, err)
			}
			continue
		case i == 50:
			if e := (*Error)(nil); !errors.As(err, &e) || e.Code != CodeInvalidSyntax || e.DN != add.DN || !strings.Contains(err.Error(), "title") {
				t.Errorf("%d: %v", i, err)
			}
			continue
		case err != nil:
			t.Fatal(err)
		}
		read, err := c.Base(t.Context(), add.DN, wanted...)
		if err != nil {
			t.Fatal(err)
		}
		if got.recs[i].First("entryUUID") == "" || !reflect.DeepEqual(got.recs[i], read) {
			t.Fatalf("the answer shows\n%+v, a read\n%+v", got.recs[i], read)
		}
	}
	// And once more: each is there.
	again := newTold(t)
	if err := c.AddAll(t.Context(), adds[:40], again.say, wanted...); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if !errors.Is(again.errs[i], ErrAlreadyExists) {
			t.Errorf("%d: %v", i, again.errs[i])
		}
	}
	if !c.Alive() {
		t.Error("the connection died of it")
	}
}

// adder is a server that answers adds as the test says.
func adder(t *testing.T, add func(c *scriptedConn, id, n int)) *scripted {
	s := newScripted(t, func(q *query) { q.pages(1, 10) })
	n := 0
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op != opAdd {
			return false
		}
		s.mu.Lock()
		n++
		now := n
		s.mu.Unlock()
		add(c, m.id, now)
		return true
	}
	return s
}

func added(c *scriptedConn, id int) { c.send(envelope(id, answer(opAddResult, 0, ""))) }

// Answers come in any order, and belong to who they are for.
func TestAddAllOutOfOrder(t *testing.T) {
	var ids []int
	s := adder(t, func(c *scriptedConn, id, n int) {
		if ids = append(ids, id); n < 20 {
			return
		}
		for i := len(ids) - 1; i >= 0; i-- {
			code := Code(0)
			if i%3 == 0 {
				code = CodeAlreadyExists
			}
			c.send(envelope(ids[i], answer(opAddResult, code, "")))
		}
	})
	c := dial(t, s.config(Fast))
	got := newTold(t)
	if err := c.AddAll(t.Context(), additions(20, "dc=x"), got.say); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if (i%3 == 0) != errors.Is(got.errs[i], ErrAlreadyExists) {
			t.Errorf("%d: %v", i, got.errs[i])
		}
	}
	// The connection goes on with what go-ldap does.
	if _, _, err := c.Collect(t.Context(), all()); err != nil {
		t.Error(err)
	}
}

// The connection breaks: what was answered is done, what left is in doubt, what
// did not leave is not told.
func TestAddAllBreaks(t *testing.T) {
	for name, add := range map[string]func(c *scriptedConn, id, n int){
		"closed": func(c *scriptedConn, id, n int) {
			if n <= 40 {
				added(c, id)
			} else if n == 50 {
				_ = c.Close()
			}
		},
		"an answer to nobody": func(c *scriptedConn, id, n int) {
			if n <= 40 {
				added(c, id)
			} else if n == 50 {
				added(c, id+100_000)
			}
		},
		"an answer twice": func(c *scriptedConn, id, n int) {
			if n <= 40 {
				added(c, id)
			} else if n == 50 {
				added(c, id-20)
			}
		},
		"an answer of another kind": func(c *scriptedConn, id, n int) {
			if n <= 40 {
				added(c, id)
			} else if n == 50 {
				c.send(envelope(id, answer(opModifyResult, 0, "")))
			}
		},
		"a notice": func(c *scriptedConn, id, n int) {
			if n <= 40 {
				added(c, id)
			} else if n == 50 {
				c.send(envelope(0, tlv(opExtendedResult, tlv(tagEnumerated, []byte{52}), str(""), str("bye"), tlv(extendedName, []byte(noticeOfDisconnID)))))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, adder(t, add).config(Fast))
			got := newTold(t)
			err := c.AddAll(t.Context(), additions(200, "dc=x"), got.say)
			if err == nil || IsInDoubt(err) || !IsTransient(err) && !errors.Is(err, ErrProtocol) {
				t.Fatalf("%v", err)
			}
			doubts := 0
			for i := range 200 {
				err, was := got.errs[i]
				switch {
				case i < 40:
					if err != nil || !was {
						t.Errorf("%d: %v, told: %v", i, err, was)
					}
				case was:
					if doubts++; !IsInDoubt(err) {
						t.Errorf("%d: %v", i, err)
					}
				}
			}
			if doubts < 10 || doubts > addWindow {
				t.Errorf("%d in doubt", doubts)
			}
			if c.Alive() {
				t.Error("the connection is used on")
			}
		})
	}
}

// A server that takes requests and does not answer.
func TestAddAllMeetsSilence(t *testing.T) {
	s := adder(t, func(*scriptedConn, int, int) {})
	cfg := s.config(Fast)
	cfg.IdleTimeout = 150 * time.Millisecond
	c := dial(t, cfg)
	got := newTold(t)
	within(t, 10*time.Second, "AddAll", func() {
		if err := c.AddAll(t.Context(), additions(addWindow+1, "dc=x"), got.say); !errors.Is(err, ErrIdle) {
			t.Errorf("%v", err)
		}
	})
	if len(got.errs) != addWindow || !IsInDoubt(got.errs[0]) {
		t.Errorf("%d were told: %v", len(got.errs), got.errs[0])
	}
	// Cancelled in the middle of waiting.
	cfg.IdleTimeout = time.Minute
	c = dial(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	got = newTold(t)
	within(t, 10*time.Second, "AddAll", func() {
		if err := c.AddAll(ctx, additions(5, "dc=x"), got.say); err != nil {
			t.Errorf("all had left: %v", err)
		}
	})
	if len(got.errs) != 5 || !IsInDoubt(got.errs[4]) || !errors.Is(got.errs[4], context.Canceled) {
		t.Errorf("%d were told: %v", len(got.errs), got.errs[4])
	}
}

// Nothing is sent after a stop, under an ended context, or on a dead connection.
func TestAddAllStops(t *testing.T) {
	var last atomic.Int64
	s := adder(t, func(c *scriptedConn, id, n int) { last.Store(int64(n)); added(c, id) })
	c := dial(t, s.config(Fast))
	got := newTold(t)
	got.most = 10
	if err := c.AddAll(t.Context(), additions(200, "dc=x"), got.say); err != nil {
		t.Fatal(err)
	}
	if n := len(got.errs); n != int(last.Load()) || n > addWindow {
		t.Errorf("%d sent, %d told after a stop at 10", last.Load(), n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	before := last.Load()
	if err := c.AddAll(ended, additions(5, "dc=x"), got.say); !errors.Is(err, context.Canceled) || !c.Alive() {
		t.Errorf("%v", err)
	}
	if err := c.AddAll(t.Context(), nil, got.say); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	if err := c.AddAll(t.Context(), additions(5, "dc=x"), got.say); !errors.Is(err, ErrDead) || last.Load() != before {
		t.Errorf("%v; %d sent", err, last.Load()-before)
	}
}
