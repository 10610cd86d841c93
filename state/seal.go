package state

import (
	"errors"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Sealed says what a listing brought.
type Sealed struct {
	People, Groups int
	// Changed were known and differ, New were not known, Missing were thought
	// to be there and not shown, or were told to be gone: people and groups.
	Changed, New, Missing int
}

// sealRecord is what a sealed stage is, on disk.
type sealRecord struct {
	Source   string
	Num      uint64
	Coverage uint64
	Server   string
	Like     digest
	At, Now  time.Time
	// Load: there was no snapshot of the source before.
	Load bool
	Sealed
	Relinked     int
	Blackouts    []string
	SecondLookAt time.Time
	Rekeyed      int
	Peak         int
	Drop         bool
	Knowledge    directory.Knowledge
	// Sweep: IDs alone were listed. Follow: changes since a cursor were told; People
	// and Groups are then how many more there are. Cursor is from where to go on.
	Sweep, Follow bool
	Cursor        directory.Cursor
	// Bind and Scope are as whom and where was read. Why says why everything was.
	// Owed says why IDs must be listed after this.
	Bind, Scope, Why, Owed string
}

// Seal ends the listing: it is complete, and Drain will move it into the
// snapshot. The proof must be for this source and coverage and count what was
// added, and everyone missing must have been answered for. A *NobodyError or
// *LostCoverageError says that the listing is complete and not to be believed.
// After an error nothing is sealed.
func (g *Stage) Seal(p directory.Proof, r SealRules) (Sealed, error) {
	out, err := g.seal(p, r)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal listing of %s: %w", g.source, err)
	}
	g.over = true
	return out, nil
}

// listing is what the state needs of a proof.
type listing interface {
	Valid() bool
	Source() string
	Server() string
	Bind() string
	Scope() string
	Coverage() identity.Coverage
	People() int
	Groups() int
	At() time.Time
	Knowledge() directory.Knowledge
	Shown() directory.Knowledge
	Cursor() directory.Cursor
}

func (g *Stage) seal(p listing, r SealRules) (Sealed, error) {
	switch {
	case g.over:
		return Sealed{}, errOver
	case !p.Valid():
		return Sealed{}, errors.New("there is no proof that it is complete")
	case p.Source() != g.source:
		return Sealed{}, fmt.Errorf("the proof is for source %s", p.Source())
	case !p.Coverage().Equal(g.coverage):
		return Sealed{}, errors.New("the proof is for another coverage")
	case p.People() != g.people || p.Groups() != g.groups:
		return Sealed{}, fmt.Errorf("the proof counts %d people and %d groups, and %d and %d came", p.People(), p.Groups(), g.people, g.groups)
	case r.Now.IsZero() || p.At().IsZero():
		return Sealed{}, errors.New("no instant was given")
	}
	absent := g.absent()
	for _, i := range absent {
		if _, ok := g.answers[i]; !ok {
			return Sealed{}, fmt.Errorf("nobody looked up the missing %s %s", g.known[i].kind, g.known[i].id)
		}
	}
	if err := g.current(p.Server(), p.Knowledge(), r); err != nil {
		return Sealed{}, err
	}
	if err := g.believable(); err != nil {
		return Sealed{}, err
	}
	if r.MaxRekey <= 0 {
		r.MaxRekey = 5
	}
	if r.VanishAfter <= 0 {
		r.VanishAfter = 10 * time.Minute
	}
	if r.MinPeople <= 0 {
		r.MinPeople = 0.9
	}
	rec := sealRecord{Source: g.source, Num: g.num, Coverage: g.covNum, Server: p.Server(), Knowledge: p.Shown(), At: p.At().UTC().Round(0), Now: r.Now.UTC().Round(0),
		Cursor: p.Cursor(), Bind: p.Bind(), Scope: p.Scope(), Why: r.Why,
		Load: len(g.known) == 0, Sweep: g.ids != nil, Like: digestOf(p.Server(), p.Bind(), p.Scope(), string(g.covDigest[:])),
		Sealed: Sealed{People: g.people, Groups: g.groups, Changed: g.changed, New: len(g.fresh), Missing: len(absent)}}
	j := judge{g: g, rules: r, rec: &rec, absent: absent, likeBefore: p.Scope() == g.scope}
	rulings, err := j.judge()
	if err != nil {
		return Sealed{}, err
	}
	for i := range rulings {
		g.put(rulings[i].encode())
		if err := g.flushFull(); err != nil {
			return Sealed{}, err
		}
	}
	g.uncontained()
	if err := g.flush(); err != nil {
		return Sealed{}, err
	}
	return rec.Sealed, g.s.update(func(tx *txn) error {
		src, _, err := sourceOf(tx, g.source)
		if err != nil {
			return err
		}
		rec.Peak, rec.Drop = peakAfter(src.Peak, g.people, r.MinPeople)
		return g.close(tx, rec, g.next)
	})
}

// current refuses a server that has seen less than the snapshot was taken from:
// it is complete, and wrong.
func (g *staging) current(server string, seen directory.Knowledge, r SealRules) error {
	known := g.taken
	place, saw := seen.Behind(known)
	switch {
	case place == "":
		return nil
	case r.AcceptOlder:
		return g.s.update(func(tx *txn) error {
			return g.s.noteDecision(tx, recordOf("accept-older"), map[string]any{"source": g.source, "place": place, "known": known[place], "seen": saw}, r.By, "")
		})
	}
	return &directory.BehindError{Server: server, Place: place, Seen: saw, Known: known[place]}
}

// freeDrop is a drop that always passes.
const freeDrop = 5

// peakAfter says against which size the next listing is measured, and whether
// this one is too small a share of it.
func peakAfter(peak, people int, share float64) (int, bool) {
	if peak-people <= freeDrop || float64(people) >= share*float64(peak) {
		return people, false
	}
	return peak, true
}
