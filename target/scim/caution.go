package scim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rosterd/rosterd/target"
)

// caution is what a server has shown of how it changes members. Until it has been
// seen to remove one member without the others, nothing more is asked of it: of
// either form of a removal there are servers that empty the group.
type caution struct {
	mu              sync.Mutex
	chunk, removes  int
	one, many, adds bool // seen to do no more than was asked
	shows           bool // a group has shown its members
	put             bool // groups are written whole
	halt            error
}

func firstCaution(d Profile) caution {
	return caution{chunk: d.MemberChunk, removes: min(d.RemovesPerRequest, d.MemberChunk)}
}

// size is how many members the next request changes.
func (c *caution) size(give bool, left int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case give:
		return min(left, c.chunk)
	case !c.one:
		return 1
	}
	return min(left, c.removes)
}

// smaller: the server takes no larger requests.
func (c *caution) smaller(give bool, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if give {
		c.chunk = max(1, min(c.chunk, n))
	} else {
		c.removes = max(1, min(c.removes, n))
	}
}

func (c *caution) stopped() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.halt
}

func (c *caution) stop(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.halt == nil {
		c.halt = err
	}
	return c.halt
}

// showsMembers says whether any group has shown its members: one that shows none
// then has none.
func (c *caution) showsMembers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shows
}

// look reads the group back after the first requests of each sort.
func (b *batch) look(ctx context.Context, ids []string) error {
	c := &b.t.members
	earlier := b.want[:len(b.want)-len(ids)]
	c.mu.Lock()
	if b.t.dialect.Members != membersShown { // it cannot be seen
		c.one, c.many, c.adds = true, true, true
	}
	sure := b.give && (c.adds || len(b.now.members)+len(earlier) == 0) || !b.give && c.one && (len(ids) == 1 || c.many)
	c.mu.Unlock()
	if sure {
		return nil
	}
	now, seen, err := b.until(ctx, earlier, ids)
	if err != nil {
		return err
	}
	if lost := b.lost(now, earlier, ids); len(lost) > 0 {
		return b.repair(ctx, now, lost, len(ids))
	}
	if !seen && (now.shown || c.showsMembers()) {
		// What it did to the others will be seen when it shows this.
		b.now = now
		return &target.Error{Class: target.Refused, Err: fmt.Errorf("%s: %w", b.doing, errNotShown),
			Tip: "look at the group there; rosterd target probe finds out how its members are changed"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case b.give:
		c.adds = c.adds || now.has(target.NativeID(ids[0]))
	case len(ids) == 1:
		// Of a group that is empty now it is not seen whether others would have stayed.
		c.one = c.one || !now.has(target.NativeID(ids[0])) && len(now.members)+len(now.groups) > 0
	default:
		c.many = true
	}
	return nil
}

// errNotShown ends a batch after a request to which the server said yes. Those whom it
// named are read back later, and nothing is said of them here.
var errNotShown = errors.New("the server said yes to the first, and the group does not show it")

// until reads the group until it shows what the last request did, to those whom it
// named or to others: some servers show it a moment later.
func (b *batch) until(ctx context.Context, earlier, ids []string) (group, bool, error) {
	for pause := 200 * time.Millisecond; ; pause *= 2 {
		now, err := b.t.readGroup(ctx, b.doing, b.entitlement)
		if err != nil {
			return now, false, err
		}
		seen := slices.ContainsFunc(ids, func(id string) bool { return now.has(target.NativeID(id)) == b.give })
		hidden := !now.shown && !b.t.members.showsMembers()
		if seen || hidden || len(b.lost(now, earlier, ids)) > 0 {
			return now, seen, nil
		}
		if pause > 2*time.Second || ctx.Err() != nil {
			// It may show others only, or write IDs in another case.
			c, err := b.t.read(ctx, b.doing, target.NativeID(ids[0]))
			return now, err == nil && c.in(b.id) == b.give, nil
		}
		b.t.http.pause(ctx, pause)
	}
}

// lost are the members that went, and were not to. Earlier are those that this
// batch added before; ids are those of the last request: a server that did not add
// them either took nothing away, it did nothing. Whom we removed a moment ago was not
// lost, though the group may have shown them since.
func (b *batch) lost(now group, earlier, ids []string) []string {
	var out []string
	for _, id := range slices.Concat(b.now.members, b.now.groups) {
		if !now.holds(id) && (b.give || !slices.ContainsFunc(b.want, func(w string) bool { return strings.EqualFold(w, id) })) && !b.t.written.took(b.id, id, b.t.http.clock.Now()) {
			out = append(out, id)
		}
	}
	if b.give && slices.ContainsFunc(ids, func(id string) bool { return now.has(target.NativeID(id)) }) {
		out = append(out, absent(now, earlier)...)
	}
	return out
}

// settle reads the group back at the end of a batch.
func (b *batch) settle(ctx context.Context) {
	now, err := b.t.readGroup(ctx, b.doing, b.entitlement)
	if err != nil {
		return // it is read back later; what was done is done
	}
	all := make([]int, len(b.accounts))
	for i := range all {
		all[i] = i
	}
	switch lost := b.lost(now, nil, nil); {
	case len(lost) > 0:
		if err := b.repair(ctx, now, lost, len(b.want)); err != nil {
			b.blame(all, err)
		}
	case b.give && !now.shown && len(b.want) > 0 && !b.t.members.showsMembers():
		b.blame(all, denied(`members = "asked", "user" or "omitted" in the dialect, if it hides them`,
			"%s: the server said yes to %d, and shows no members: it hides them, or adds none", b.doing, len(b.want)))
	}
}

// repair puts members back that went by mistake, and stops: nothing more is asked
// of a server that does other things than it is asked.
func (b *batch) repair(ctx context.Context, now group, lost []string, asked int) error {
	c := &b.t.members
	should := b.should(now, lost)
	back := func(ids []string) {
		if err := b.t.sendMembers(ctx, b.doing, b.id, ids, true); err != nil {
			return
		}
		if g, err := b.t.readGroup(ctx, b.doing, b.entitlement); err == nil {
			now = g
		}
	}
	if !b.give { // an addition that takes the place of all is repaired by all at once
		for at := 0; at < len(lost); at += b.t.dialect.MemberChunk {
			back(lost[at:min(at+b.t.dialect.MemberChunk, len(lost))])
		}
	}
	if len(absent(now, should)) > 0 {
		back(should)
	}
	gone := absent(now, should)
	c.mu.Lock()
	shifted := !b.give && asked > 1 && c.one && len(gone) == 0
	if shifted {
		c.removes, c.many = 1, true
	}
	c.mu.Unlock()
	if shifted {
		// Only several removals at once went wrong: one at a time is safe.
		b.now = now
		return b.again(ctx)
	}
	what := fmt.Sprintf("adding to %q", b.entitlement)
	if !b.give {
		what = fmt.Sprintf("removing from %q", b.entitlement)
	}
	text := fmt.Sprintf("%s: %s took away %d others, who were put back", b.doing, what, len(lost))
	if len(gone) > 0 {
		text = fmt.Sprintf("%s: %s took away %d others, of whom %d could not be put back: %s", b.doing, what, len(lost), len(gone), clean(fmt.Sprintf("%q", gone)))
	}
	halt := c.stop(&target.Error{Class: target.Denied, Err: errors.New(text),
		Tip: "no more members are changed there until rosterd is started anew; try it with: rosterd target probe, and write what it finds under dialect"})
	b.now = now
	return halt
}

// should are all who are to be members.
func (b *batch) should(now group, lost []string) []string {
	out := slices.Concat(now.members, now.groups, lost)
	if b.give {
		out = append(out, b.want...)
	}
	out = slices.DeleteFunc(out, func(id string) bool { return b.t.written.took(b.id, id, b.t.http.clock.Now()) })
	slices.Sort(out)
	return slices.Compact(out)
}

func absent(g group, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return g.holds(id) })
}

// again removes one by one those of the batch who are still there.
func (b *batch) again(ctx context.Context) error {
	for i, a := range b.accounts {
		if b.errs[i] != nil || !slices.Contains(b.want, string(a.ID)) || !b.now.has(a.ID) {
			continue
		}
		if err := b.t.sendMembers(ctx, b.doing, b.id, []string{string(a.ID)}, false); err != nil {
			b.errs[i] = err
		}
	}
	now, err := b.t.readGroup(ctx, b.doing, b.entitlement)
	if err != nil {
		return err
	}
	if lost := b.lost(now, nil, nil); len(lost) > 0 {
		return b.repair(ctx, now, lost, 1)
	}
	b.now = now
	return nil
}
