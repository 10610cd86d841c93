package ldap_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/span"
)

// blow is one thing that goes wrong while changes are followed.
type blow struct {
	name  string
	fault ldapd.Fault
	// unseen says that who follows cannot know: what changed meanwhile comes with
	// the next listing.
	unseen bool
}

// blows are those that strike one search of those that a follow makes, at one
// place in its answer.
func blows(searches int, draw *rand.Rand) []blow {
	var out []blow
	add := func(unseen bool, f ldapd.Fault, format string, args ...any) {
		f.Op = ldapd.OpSearch
		out = append(out, blow{fmt.Sprintf(format, args...), f, unseen})
	}
	for _, code := range []int{1, 2, 3, 4, 10, 11, 12, 32, 50, 51, 52, 53, 80, 4096} {
		// At a search drawn anew each time; all of them in the long run.
		add(false, ldapd.Fault{Do: ldapd.Answer, Code: code, Skip: draw.IntN(searches), Times: 1}, "code %d", code)
		add(false, ldapd.Fault{Do: ldapd.Answer, Code: code, After: 1 + draw.IntN(3), Times: 1}, "code %d in the middle", code)
	}
	for i := range searches {
		add(false, ldapd.Fault{Do: ldapd.Drop, Skip: i, Times: 1}, "dropped at search %d", i)
		add(false, ldapd.Fault{Do: ldapd.DropMid, Skip: i, Times: 1}, "dropped in the first message of search %d", i)
		add(false, ldapd.Fault{Do: ldapd.Answer, Code: 4, Skip: i, Times: 1}, "size limit at search %d", i)
		add(true, ldapd.Fault{Do: ldapd.Empty, Skip: i, Times: 1}, "search %d empty", i)
		add(false, ldapd.Fault{Do: ldapd.NoControl, Skip: i, Times: 1}, "no control at search %d", i)
		add(false, ldapd.Fault{Do: ldapd.Refer, URL: "ldap://other.example/" + besetPeople, Skip: i, Times: 1}, "a referral in search %d", i)
		add(false, ldapd.Fault{Do: ldapd.Cut, Octet: draw.IntN(40), Skip: i, Times: 1}, "cut at the beginning of search %d", i)
	}
	for range 4 * searches {
		octet, i := draw.IntN(2500), draw.IntN(searches)
		add(false, ldapd.Fault{Do: ldapd.Cut, Octet: octet, Skip: i, Times: 1}, "cut at octet %d of search %d", octet, i)
	}
	for after := 1; after < 8; after++ {
		skip := draw.IntN(2)
		add(false, ldapd.Fault{Do: ldapd.Drop, After: after, Skip: skip, Times: 1}, "dropped after %d entries", after)
		add(false, ldapd.Fault{Do: ldapd.DropMid, After: after, Skip: skip, Times: 1}, "dropped in entry %d", after)
		add(false, ldapd.Fault{Do: ldapd.Twice, After: after - 1, Skip: skip, Times: 1}, "entry %d twice", after)
		add(false, ldapd.Fault{Do: ldapd.WrongID, After: after - 1, Skip: skip, Times: 1}, "entry %d under another message ID", after)
		add(false, ldapd.Fault{Do: ldapd.Stateless, After: after - 1, Skip: skip, Times: 1}, "entry %d without its controls", after)
		for _, attribute := range []string{"entryUUID", "nsUniqueId", "objectGUID"} {
			add(false, ldapd.Fault{Do: ldapd.SameID, Attribute: attribute, After: after, Skip: skip, Times: 1}, "entry %d with the %s of the one before", after+1, attribute)
			add(false, ldapd.Fault{Do: ldapd.Strip, Attribute: attribute, After: after - 1, Skip: skip, Times: 1}, "entry %d without %s", after, attribute)
		}
	}
	for _, garbage := range []string{"\x00\x00\x00\x00", "\x30\x80\x02\x01\x05\x00\x00", "\x30\x05\x02\x01\x05\x64\x7f", "\x30\x84\xff\xff\xff\xff", "HTTP/1.1 400 Bad Request\r\n",
		"\x30\x03\x02\x01\x05", "\x30\x0c\x02\x01\x05\x64\x07\x0a\x01\x00\x04\x00\x04\x00", strings.Repeat("\x30\x82\x10\x00", 300)} {
		add(false, ldapd.Fault{Do: ldapd.Garbage, Octets: garbage, After: draw.IntN(3), Skip: draw.IntN(2), Times: 1}, "garbage %.12q", garbage)
	}
	for _, f := range []ldapd.Fault{{Do: ldapd.NoCookie}, {Do: ldapd.LosePage}, {Do: ldapd.RepeatPage}, {Do: ldapd.Flip}, {Do: ldapd.Phantom}, {Do: ldapd.StuckRange}} {
		name := map[ldapd.Action]string{ldapd.NoCookie: "no cookie", ldapd.LosePage: "a page lost", ldapd.RepeatPage: "a page twice", ldapd.Flip: "refreshDeletes flipped",
			ldapd.Phantom: "everybody told deleted", ldapd.StuckRange: "ranges that stand still"}[f.Do]
		// Pages that are left out, or are the last too early, leave no trace.
		unseen := f.Do == ldapd.LosePage || f.Do == ldapd.NoCookie
		for skip := range 2 {
			f.Skip = skip
			f.Times = 1
			add(unseen, f, "%s, %d", name, skip)
			f.Times = 0
			add(unseen, f, "%s from %d on", name, skip)
		}
	}
	// A stall costs its time-out.
	for _, f := range []ldapd.Fault{{Do: ldapd.Hang, Skip: draw.IntN(searches)}, {Do: ldapd.Hang, After: 2}, {Do: ldapd.LoseDone, Skip: draw.IntN(searches)}, {Do: ldapd.LoseDone}} {
		f.Times = 1
		add(false, f, "stall %d/%d", f.After, f.Skip)
	}
	return out
}

// TestLawCompleteOrNothingWhileFollowing strikes every engine, with both
// readers, with everything that a server can do wrong. Whatever it is: nobody
// who is there is lost, no member of a group, nothing hangs, and what is said
// is clear. Once it is over what was followed is what is there; where a server left
// something out without a trace (blow.unseen), after the next listing. A flag that
// says the opposite is no such trace: who names those who are present has not named
// the deleted.
func TestLawCompleteOrNothingWhileFollowing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("ROSTERD_SEED"), 10, 64); err == nil {
		seed = n
	}
	for _, w := range ways {
		for reader, kind := range readers {
			t.Run(w.name+"/"+reader, func(t *testing.T) {
				t.Parallel()
				t.Logf("seed %d", seed)
				b := newBeset(t, w)
				b.crowd()
				s := b.open(func(c *ldap.Config) { c.Reader = kind })
				before := mirrorOf(t, s)
				if before.cursor.Engine != w.engine {
					t.Fatalf("the engine is %+v", before.cursor)
				}
				b.happen()
				there := b.present()
				after := mirrorOf(t, s)
				b.server.Faults().ResetCounts()
				m := before.clone(t, s)
				if f := m.must(); f.Nothing {
					t.Fatal("nothing changed")
				} else if f.Sweep != "" || !m.cursor.Deletes {
					m.sweep()
				}
				if diff := gocmp.Diff(after.text(), m.text()); diff != "" {
					t.Fatalf("without a fault what was followed is not what is there (-there +followed; told: %s):\n%s", strings.Join(m.told, "; "), diff)
				}
				searches := b.server.Faults().Count(ldapd.OpSearch)
				draw := rand.New(rand.NewPCG(seed, 0))
				all := blows(searches, draw)
				// What comes after a blow has time: a machine may be busy.
				after.source = b.open(func(c *ldap.Config) { c.Reader, c.IdleTimeout = kind, span.Duration(time.Minute) })
				draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				if n, err := strconv.Atoi(cmp.Or(os.Getenv("ROSTERD_BLOWS"), "25")); err == nil && n < len(all) {
					all = all[:n]
				}
				began := time.Now()
				for _, x := range all {
					b.strike(x, before, after, there)
				}
				t.Logf("%d blows, at %d searches, in %s", len(all), searches, time.Since(began).Round(time.Second))
			})
		}
	}
}

// strike follows once while the fault is on, and once more when it is over.
func (b *beset) strike(x blow, before, after *mirror, there directoryIDs) {
	b.t.Helper()
	m := before.clone(b.t, before.source)
	b.server.Faults().Clear()
	b.server.Faults().Add(x.fault)
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	began := time.Now()
	first, err := m.follow(ctx)
	took := time.Since(began)
	b.server.Faults().Clear()
	late := ctx.Err()
	cancel()
	if late != nil || took > 15*time.Second {
		b.t.Errorf("%s: it hangs: %v after %v", x.name, err, took)
	}
	if err != nil && (!strings.HasPrefix(err.Error(), "follow source corp: ") || len(err.Error()) < 40) {
		b.t.Errorf("%s: not a clear reason: %v", x.name, err)
	}
	// What comes again each time must not hide that somebody left, for longer than
	// everything takes to read.
	if lost := (*directory.LostError)(nil); err != nil && !errors.As(err, &lost) && !b.refusesAll(err, x.fault, m) {
		b.t.Errorf("%s: everything is not read for it: %v", x.name, err)
	}
	m.kept(there)
	if lost := m.lack(before, after); len(lost) > 0 {
		b.t.Errorf("members were lost: %s; told: %s", strings.Join(lost, ", "), strings.Join(m.told, "; "))
	}
	if err != nil {
		// Nothing of it counts: from here on it is as if it had not been.
		if b.t.Failed() {
			b.t.Fatalf("the fault: %s: %+v", x.name, x.fault)
		}
		return
	}
	m.source = after.source
	if x.unseen {
		m.read()
	}
	if f := m.must(); f.Sweep != "" || first.Facts().Sweep != "" || !m.cursor.Deletes {
		m.sweep()
	}
	m.kept(there)
	if diff := gocmp.Diff(after.text(), m.text()); diff != "" {
		b.t.Errorf("afterwards (the fault gave %v; told: %s) what was followed is not what is there (-there +followed):\n%s", err, strings.Join(m.told, "; "), diff)
	}
	if b.t.Failed() {
		b.t.Fatalf("the fault: %s: %+v", x.name, x.fault)
	}
}

// refusesAll says of an error that a listing gives the same: base and canary are asked
// for by both, and so is who answers and what is known there, with the same questions in
// the same order.
func (b *beset) refusesAll(err error, f ldapd.Fault, m *mirror) bool {
	var behind *directory.BehindError
	if errors.As(err, &behind) || errors.Is(err, ldap.ErrBase) || errors.Is(err, ldap.ErrCanary) {
		return true
	}
	defer b.server.Faults().Clear()
	b.server.Faults().Add(f)
	_, err = m.source.Read(b.t.Context(), &knowing{known: m.known})
	return err != nil
}

// knowing is a stage behind which something is known.
type knowing struct {
	sourcetest.Stage
	known directory.Knowledge
}

func (k *knowing) Known() directory.Knowledge { return k.known }

// A server that has seen less, or is another state of itself, takes nobody away.
func TestLawKnowledgeNeverGoesBackWhileFollowing(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b := newBeset(t, w)
			b.crowd()
			m := mirrorOf(t, b.open(nil))
			old := b.dir.Copy()
			b.happen()
			if f := m.must(); f.Sweep != "" || !m.cursor.Deletes {
				m.sweep()
			}
			there := b.present()
			m.same()
			// The same server, restored from a backup: the first port is another one, and
			// what it says of itself is not.
			b.dir = old
			b.serve()
			behind := m.clone(t, b.open(nil))
			_, err := behind.follow(t.Context())
			lost := (*directory.LostError)(nil)
			less := (*directory.BehindError)(nil)
			if w.kind == ldapd.OpenLDAP || w.kind == ldapd.ActiveDirectory {
				if !errors.As(err, &less) && !errors.As(err, &lost) {
					t.Errorf("a server that is behind: %v; told: %v", err, behind.told)
				}
			} else if err != nil && !errors.As(err, &lost) && !errors.As(err, &less) {
				t.Errorf("a server that is behind: %v", err)
			}
			behind.kept(there)
		})
	}
}

type directoryIDs = map[identity.ID]string
