package followtest

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
)

// Walk does so many operations on the directory as the seed draws them, with cycles
// in between, and the server restarted, rosterd killed in the middle of a cycle and
// put back to an older copy of its state. In the end what is known is what is there.
func Walk(t *testing.T, start Start, traits Traits, seed uint64, operations int) {
	t.Logf("seed %d", seed)
	began := traits.Now()
	s := begin(t, start(t), traits)
	// Of an older state many were made again since.
	s.rekey = 1 << 20
	s.anew()
	w := &walk{story: s, rand: rand.New(rand.NewPCG(seed, 1)), title: map[string]bool{}}
	w.count.why = map[string]int{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last operations were\n%s", strings.Join(w.last(), "\n"))
		}
	})
	for range 30 {
		w.joins()
	}
	s.cycle(asked("sync"))
	if s.same(); t.Failed() {
		return
	}
	for i := range operations {
		w.step()
		if t.Failed() {
			t.Fatalf("after %d operations", i+1)
		}
	}
	w.end()
	s.same()
	t.Logf("%d operations, %d cycles, of which %d read everything, %d more were killed, %d older states put back, %s", operations,
		w.count.cycles, w.count.everything, w.count.killed, w.count.putBack, traits.Now().Sub(began).Round(time.Second))
	for _, why := range slices.Sorted(maps.Keys(w.count.why)) {
		t.Logf("everything was read %d times: %s", w.count.why[why], cmp.Or(why, "of itself"))
	}
}

// walk is a random story.
type walk struct {
	*story
	rand *rand.Rand
	// people and away are in scope and not, groups and containers are there.
	people, away, groups, containers []string
	title                            map[string]bool
	number, again, refusals          int
	old                              string // a copy of an older state, with what stands beside it
	did                              []string
	count                            struct {
		cycles, everything, killed, putBack int
		why                                 map[string]int
	}
}

func (w *walk) say(format string, args ...any) {
	w.did = append(w.did, fmt.Sprintf(format, args...))
}

func (w *walk) last() []string { return w.did[max(0, len(w.did)-40):] }

func pick(w *walk, of []string) (string, bool) {
	if len(of) == 0 {
		return "", false
	}
	return of[w.rand.IntN(len(of))], true
}

// step draws one operation; one that has nothing to work on is another join.
func (w *walk) step() {
	w.t.Helper()
	choices := []struct {
		weight int
		do     func() bool
	}{
		{8, w.joins}, {8, w.sets}, {3, w.clears}, {5, w.renames}, {4, w.leaves}, {4, w.returns}, {4, w.closes}, {4, w.deletes}, {2, w.recreates},
		{4, w.groupAdded}, {12, w.membersMove}, {2, w.groupRenamed}, {1, w.groupDeleted}, {2, w.containerAdded}, {2, w.containerRenamed},
		{25, w.cycles}, {4, w.interrupted}, {2, w.killed}, {1, w.restarts}, {1, w.copied}, {1, w.putBack},
	}
	sum := 0
	for _, c := range choices {
		sum += c.weight
	}
	for at, i := w.rand.IntN(sum), 0; ; i++ {
		if at -= choices[i].weight; at < 0 {
			if !choices[i].do() {
				w.joins()
			}
			return
		}
	}
}

// place is where somebody may be put.
func (w *walk) place() string {
	if c, ok := pick(w, w.containers); ok && w.rand.IntN(2) == 0 {
		return c
	}
	return w.world.Base()
}

func (w *walk) fresh(prefix string) string {
	w.number++
	return fmt.Sprintf("%s%d", prefix, w.number)
}

func (w *walk) joins() bool {
	login := w.fresh("walker")
	dn := w.world.PersonRDN(login) + "," + w.place()
	w.say("join %s", dn)
	if !w.refused(w.world.AddPerson(dn, login)) {
		w.people = append(w.people, dn)
	}
	return true
}

// refused counts what the server refuses: 389 DS may take a name for taken, or a container
// for none, after one was renamed; slapd 2.5 may not rename a container that others were
// moved into ("DN index add failed"). Many would make a walk of nothing.
func (w *walk) refused(err error) bool {
	w.t.Helper()
	if err == nil {
		return false
	}
	w.say("refused: %v", err)
	if w.refusals++; w.refusals > 5 {
		w.must(err)
	}
	return true
}

func (w *walk) sets() bool {
	dn, ok := pick(w, w.people)
	if ok {
		w.say("set title of %s", dn)
		w.must(w.world.Set(dn, w.world.Title(), w.fresh("Title ")))
		w.title[dn] = true
	}
	return ok
}

func (w *walk) clears() bool {
	dn, ok := pick(w, w.people)
	if ok = ok && w.title[dn]; ok {
		w.say("clear title of %s", dn)
		w.must(w.world.Set(dn, w.world.Title()))
		delete(w.title, dn)
	}
	return ok
}

// move renames an entry in a list and whatever is below it in all of them.
func (w *walk) move(dn, to string) {
	w.t.Helper()
	w.say("move %s to %s", dn, to)
	w.must(w.world.Move(dn, to))
	w.moved(dn, to)
}

func (w *walk) moved(dn, to string) {
	for _, list := range []*[]string{&w.people, &w.away, &w.groups, &w.containers} {
		for i, x := range *list {
			if x == dn || strings.HasSuffix(x, ","+dn) {
				(*list)[i] = strings.TrimSuffix(x, dn) + to
				if w.title[x] {
					delete(w.title, x)
					w.title[(*list)[i]] = true
				}
			}
		}
	}
}

func (w *walk) renames() bool {
	dn, ok := pick(w, w.people)
	if ok {
		w.move(dn, w.world.PersonRDN(w.fresh("renamed"))+","+w.place())
	}
	return ok
}

func (w *walk) leaves() bool {
	dn, ok := pick(w, w.people)
	if ok = ok && len(w.people) > 20; ok {
		rdn, _, _ := strings.Cut(dn, ",")
		to := rdn + "," + w.world.Elsewhere()
		w.move(dn, to)
		w.people = slices.DeleteFunc(w.people, func(x string) bool { return x == to })
		w.away = append(w.away, to)
	}
	return ok
}

func (w *walk) returns() bool {
	dn, ok := pick(w, w.away)
	if ok {
		rdn, _, _ := strings.Cut(dn, ",")
		to := rdn + "," + w.place()
		w.move(dn, to)
		w.away = slices.DeleteFunc(w.away, func(x string) bool { return x == to })
		w.people = append(w.people, to)
	}
	return ok
}

func (w *walk) closes() bool {
	dn, ok := pick(w, w.people)
	if ok {
		closed := w.rand.IntN(2) == 0
		w.say("close %s: %t", dn, closed)
		w.must(w.world.Close(dn, closed))
	}
	return ok
}

func (w *walk) deletes() bool {
	from := &w.people
	if w.rand.IntN(4) == 0 {
		from = &w.away
	}
	dn, ok := pick(w, *from)
	if ok = ok && len(w.people) > 20; ok {
		w.say("delete %s", dn)
		w.must(w.world.Delete(dn))
		*from = slices.DeleteFunc(*from, func(x string) bool { return x == dn })
		delete(w.title, dn)
	}
	return ok
}

// recreates deletes somebody and makes another of the same name. Many at once are
// a directory that was rebuilt, which is another story.
func (w *walk) recreates() bool {
	dn, ok := pick(w, w.people)
	if ok = ok && w.again < 3; ok {
		w.again++
		w.say("create %s again", dn)
		w.must(w.world.Delete(dn))
		delete(w.title, dn)
		if w.refused(w.world.AddPerson(dn, w.fresh("again"))) {
			w.people = slices.DeleteFunc(w.people, func(x string) bool { return x == dn })
		}
	}
	return ok
}

func (w *walk) anybody() string {
	list := slices.Concat(w.people, w.people, w.groups, w.away)
	return list[w.rand.IntN(len(list))]
}

func (w *walk) groupAdded() bool {
	dn := w.group(w.fresh("group"))
	first := w.anybody()
	w.say("group %s with %s", dn, first)
	w.must(w.world.AddGroup(dn, strings.Split(strings.SplitN(dn, ",", 2)[0], "=")[1], first))
	w.groups = append(w.groups, dn)
	return true
}

// membersMove adds somebody to a group, or takes out who was added. Adding who is
// in it already, or taking out who is not, is an error of the server's, and fine.
func (w *walk) membersMove() bool {
	dn, ok := pick(w, w.groups)
	if !ok {
		return false
	}
	who := w.anybody()
	if who == dn {
		return false
	}
	if w.rand.IntN(3) == 0 {
		w.say("take %s out of %s: %v", who, dn, w.world.Members(dn, nil, []string{who}))
	} else {
		w.say("add %s to %s: %v", who, dn, w.world.Members(dn, []string{who}, nil))
	}
	return true
}

func (w *walk) groupRenamed() bool {
	dn, ok := pick(w, w.groups)
	if ok {
		w.move(dn, w.group(w.fresh("regrouped")))
	}
	return ok
}

func (w *walk) groupDeleted() bool {
	dn, ok := pick(w, w.groups)
	if ok {
		w.say("delete %s", dn)
		w.must(w.world.Delete(dn))
		w.groups = slices.DeleteFunc(w.groups, func(x string) bool { return x == dn })
	}
	return ok
}

func (w *walk) containerAdded() bool {
	name := w.fresh("unit")
	dn := w.world.ContainerRDN(name) + "," + w.place()
	w.say("container %s", dn)
	w.must(w.world.AddContainer(dn, name))
	w.containers = append(w.containers, dn)
	return true
}

func (w *walk) containerRenamed() bool {
	dn, ok := pick(w, w.containers)
	if w.traits.RenamesOnce && slices.ContainsFunc(w.containers, func(x string) bool {
		again := strings.HasPrefix(x, w.world.ContainerRDN("reunited"))
		return again && (x == dn || strings.HasSuffix(x, ","+dn) || strings.HasSuffix(dn, ","+x))
	}) {
		return false
	}
	if ok {
		_, parent, _ := strings.Cut(dn, ",")
		to := w.world.ContainerRDN(w.fresh("reunited")) + "," + parent
		w.say("move %s to %s", dn, to)
		if !w.refused(w.world.Move(dn, to)) {
			w.moved(dn, to)
		}
	}
	return ok
}

// cycles runs one as the service does, or one that looks for who is gone too.
func (w *walk) cycles() bool {
	ask := scheduled()
	ask.Sweep = w.rand.IntN(4) == 0
	w.ways = nil
	w.cycle(ask)
	w.say("cycle: %s", w.went())
	w.again = 0
	w.count.cycles++
	for _, r := range w.ways {
		if r.Way == rostersync.Everything {
			w.count.everything++
			w.count.why[r.Why]++
		}
	}
	return true
}
