package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// references checks that every value can be read, and that what one value says of
// another is so: links and native IDs, people and their names, IDs, marks.
type references struct {
	people, groups map[identity.Ordinal]bool
	// asked are the people and groups that something is said of, by what says it.
	asked map[string]map[identity.Ordinal]bool
	// natives are the accounts that the links have.
	natives map[string]identity.Ordinal
	// tallies are what the links count as.
	tallies map[string]int64
	// sources are those of the groups that give membership; edges are how many
	// members such groups have under each name that nobody is known to have yet.
	sources map[identity.Ordinal]uint64
	edges   map[digest]edgesUnder
	last    identity.Ordinal
	// given is the last number that each bucket gave, used the highest in it.
	given, used map[string]uint64

	problems []string
	more     int
}

type edgesUnder struct {
	source uint64
	n      int64
}

const mostProblems = 100

func newReferences() *references {
	return &references{people: map[identity.Ordinal]bool{}, groups: map[identity.Ordinal]bool{},
		asked: map[string]map[identity.Ordinal]bool{}, natives: map[string]identity.Ordinal{}, tallies: map[string]int64{},
		sources: map[identity.Ordinal]uint64{}, edges: map[digest]edgesUnder{},
		given: map[string]uint64{}, used: map[string]uint64{}}
}

func (r *references) problem(format string, args ...any) {
	if len(r.problems) == mostProblems {
		r.more++
		return
	}
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// ask notes that something is said of a person or group.
func (r *references) ask(what string, o identity.Ordinal) {
	if r.asked[what] == nil {
		r.asked[what] = map[identity.Ordinal]bool{}
	}
	r.asked[what][o] = true
}

// enter begins a bucket.
func (r *references) enter(bucket string, given uint64) { r.given[bucket] = given }

// see takes one value. The buckets come in the order of their names: links before
// native IDs.
func (r *references) see(bucket string, k, v []byte) error {
	err := r.look(bucket, k, v)
	if err != nil {
		return fmt.Errorf("%w: %x in %s", err, k, bucket)
	}
	return nil
}

func (r *references) look(bucket string, k, v []byte) error {
	switch o := identity.Ordinal(fromU64(k)); bucket {
	case string(bPeople):
		r.people[o] = true
		return second(decodeEntry(v))
	case string(bGroups):
		r.groups[o] = true
		e, err := decodeEntry(v)
		if err == nil && effective(&e) {
			r.sources[o] = e.source
		}
		return err
	case string(bMemberOf):
		if len(k) < len(digest{})+8 {
			return fmt.Errorf("%w (key of a membership)", ErrCorrupt)
		}
		r.edge(digest(k[:len(digest{})]), identity.Ordinal(fromU64(k[len(digest{}):])))
	case string(bIDs):
		id, err := decodeIDValue(v)
		if len(k) > 8 && directory.Kind(k[8]) == directory.Person {
			r.ask("an ID", id.ordinal)
		} else {
			r.ask("an ID of a group", id.ordinal)
		}
		return err
	case string(bLinks):
		l, err := decodeLink(o, string(k[min(8, len(k)):]), v)
		r.ask("a link", o)
		if l.Phase != ledger.Deleted && l.Account != "" {
			r.natives[string(nativeKey(l.Target, l.Account))] = o
		}
		for k, n := range tallies(l) {
			r.tallies[k] += n
		}
		return err
	case string(bTally):
		// Links, memberships and names came before.
		for h, e := range r.edges {
			r.tallies[string(danglingKey(e.source))] += e.n
			delete(r.edges, h)
		}
		if n := int64(fromU64(v)); n != r.tallies[string(k)] {
			r.problem("%d are counted as %s, and there are %d", n, tallyWords(k), r.tallies[string(k)])
		}
		delete(r.tallies, string(k))
	case string(bNatives):
		owner := identity.Ordinal(fromU64(v))
		if r.natives[string(k)] != owner {
			name, id, _ := strings.Cut(string(k), "\x00")
			r.problem("account %q in %s is said to be that of %s, and no link of theirs has it", id, name, owner)
		}
		delete(r.natives, string(k))
	case string(bMarks):
		r.ask("a mark", o)
		m, err := decodeMark(o, v)
		r.use(bucket, m.Sequence)
		return err
	case string(bIntents):
		r.use(bucket, uint64(o))
		i, err := decodeIntent(uint64(o), v)
		r.ask("a write in doubt", i.order.Change.Person)
		return err
	case string(bDenials):
		r.ask("an offboard", o)
	case string(bReferred):
		r.ask("a reference", identity.Ordinal(fromU64(k[max(len(k)-8, 0):])))
	case string(bNames):
		r.ask("a name", identity.Ordinal(fromU64(k[min(len(digest{}), len(k)):])))
		if len(k) > len(digest{}) {
			delete(r.edges, digest(k[:len(digest{})]))
		}
	case string(bMembers):
		r.ask("members", o)
	case string(bSpends):
		r.use(bucket, fromU64(k[min(8, len(k)):]))
	case string(bJournal):
		r.use(bucket, uint64(o)) // the chain is checked by itself
	case string(bMeta):
		if string(k) == string(kOrdinal) {
			r.last = identity.Ordinal(fromU64(v))
		}
		if who, is := bytes.CutPrefix(k, exceptPrefix); is {
			r.ask("an exception by hand", identity.Ordinal(fromU64(who)))
			if !json.Valid(v) {
				return fmt.Errorf("%w (no JSON)", ErrCorrupt)
			}
		}
	}
	switch bucket {
	case string(bHolds), string(bSpends), string(bParked), string(bDenials), string(bTargets), string(bCycles), string(bSources):
		if !json.Valid(v) {
			return fmt.Errorf("%w (no JSON)", ErrCorrupt)
		}
	}
	return nil
}

// edge counts a member of a group that gives membership.
func (r *references) edge(name digest, group identity.Ordinal) {
	if !r.groups[group] {
		r.ask("a membership in a group", group)
	}
	if source, is := r.sources[group]; is {
		r.edges[name] = edgesUnder{source, r.edges[name].n + 1}
	}
}

func (r *references) use(bucket string, number uint64) {
	r.used[bucket] = max(r.used[bucket], number)
}

func second[T any](_ T, err error) error { return err }

// end compares when everything was seen.
func (r *references) end() {
	for bucket, n := range r.used {
		if n > r.given[bucket] {
			r.problem("%s has number %d, and the last that was given is %d", bucket, n, r.given[bucket])
		}
	}
	for _, e := range r.edges {
		r.tallies[string(danglingKey(e.source))] += e.n
	}
	for k, n := range r.tallies {
		if n > 0 {
			r.problem("%d %s are not counted", n, tallyWords([]byte(k)))
		}
	}
	for account, owner := range r.natives {
		name, id, _ := strings.Cut(account, "\x00")
		r.problem("%s has the account %q in %s by a link, and it cannot be found by that", owner, id, name)
	}
	for what, ords := range r.asked {
		for o := range ords {
			is := r.people[o] || r.groups[o] && (what == "a name")
			switch what {
			case "an ID of a group", "members", "a membership in a group":
				is = r.groups[o]
			}
			switch {
			case !is:
				r.problem("there is %s of %s, who is not there", what, o)
			case o > r.last:
				r.problem("%s is there, and the last number that was given is %s", o, r.last)
			}
		}
	}
	for o := range r.people {
		if !r.asked["an ID"][o] {
			r.problem("%s cannot be found by an ID", o)
		}
		if r.groups[o] {
			r.problem("%s is a person and a group", o)
		}
	}
}
