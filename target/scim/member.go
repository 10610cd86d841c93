package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// Grant adds the accounts to a group, some in each request.
func (t *Target) Grant(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, fmt.Sprintf("grant %q", entitlement), entitlement, accounts, true)
}

// Revoke removes the accounts from a group, some in each request, and sees that
// nobody else went with them.
func (t *Target) Revoke(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, fmt.Sprintf("revoke %q", entitlement), entitlement, accounts, false)
}

// batch is one call of Grant or Revoke.
type batch struct {
	t           *Target
	doing       string
	entitlement string
	give        bool
	accounts    []target.Ref
	errs        []error

	id   string // of the group
	now  group  // as it was last read; zero where groups do not show members
	want []string
	// changed: a request was sent.
	changed bool
}

func (t *Target) entitle(ctx context.Context, doing, entitlement string, accounts []target.Ref, give bool) []error {
	if len(accounts) == 0 {
		return nil
	}
	b := &batch{t: t, doing: doing, entitlement: entitlement, give: give, accounts: accounts, errs: make([]error, len(accounts))}
	if err := b.run(ctx); err != nil {
		fill(b.errs, err)
	}
	if !slices.ContainsFunc(b.errs, func(err error) bool { return err != nil }) {
		return nil
	}
	return b.errs
}

// run does the batch; its error is that of every account that has none of its own.
func (b *batch) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", b.doing, err)}
	}
	if err := b.t.members.stopped(); err != nil {
		return err
	}
	// Two entitlements may mean one group.
	id, err := b.t.resolve(ctx, b.doing, b.entitlement)
	if err != nil {
		return err
	}
	defer b.t.lock(id)()
	todo, err := b.open(ctx)
	if err != nil {
		return err
	}
	b.send(ctx, todo)
	return nil
}

// fill gives the error to whoever has none.
func fill(errs []error, err error) {
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
	}
}

// open are the accounts, by position, for which there is something to do.
func (b *batch) open(ctx context.Context) ([]int, error) {
	g, err := b.t.readGroup(ctx, b.doing, b.entitlement)
	if err != nil {
		return nil, err
	}
	if b.id = g.id(); b.t.dialect.Members == membersShown {
		b.now = g
	}
	var todo []int
	for i, a := range b.accounts {
		is, err := b.member(ctx, a)
		switch {
		case err != nil:
			b.errs[i] = err
		case is != b.give:
			todo = append(todo, i)
		}
	}
	if b.give {
		todo, err = b.existing(ctx, todo)
	}
	return todo, err
}

// member says whether the account is in the group, as far as that can be known: a
// group that shows no members at all may hide them, and is then asked to do what
// may be done already.
func (b *batch) member(ctx context.Context, a target.Ref) (bool, error) {
	switch b.t.dialect.Members {
	case membersShown:
		if !b.now.shown && !b.t.members.showsMembers() {
			return !b.give, nil
		}
		if is := b.now.has(a.ID); is || b.give {
			return is, nil
		}
		// Not shown: the account itself may say otherwise.
		c, err := b.t.read(ctx, b.doing, a.ID)
		if target.ClassOf(err) == target.Missing {
			return false, nil
		}
		return c.in(b.id), err
	case membersAsked:
		return b.t.asked(ctx, b.doing, b.id, string(a.ID))
	case membersUser:
		c, err := b.t.read(ctx, b.doing, a.ID)
		if target.ClassOf(err) == target.Missing && !b.give {
			return false, nil
		}
		return c.in(b.id), err
	}
	return !b.give, nil
}

// existing leaves out accounts that are not there: servers take any ID for a
// member.
func (b *batch) existing(ctx context.Context, todo []int) ([]int, error) {
	var unknown []int
	b.t.mu.Lock()
	for _, i := range todo {
		if !b.t.alive[b.accounts[i].ID] {
			unknown = append(unknown, i)
		}
	}
	b.t.mu.Unlock()
	err := b.t.each(ctx, len(unknown), func(ctx context.Context, n int) error {
		i := unknown[n]
		_, err := b.t.read(ctx, b.doing, b.accounts[i].ID)
		if target.ClassOf(err) == target.Missing {
			b.errs[i] = missing("", "%s to %q: there is no account with the ID %q", b.doing, b.accounts[i].Name, b.accounts[i].ID)
			return nil
		}
		return err
	})
	return slices.DeleteFunc(todo, func(i int) bool { return b.errs[i] != nil }), err
}

// send changes the members, some in each request. What stops one request for
// everybody stops those that follow.
func (b *batch) send(ctx context.Context, todo []int) {
	for len(todo) > 0 {
		n := b.t.members.size(b.give, len(todo))
		if err := b.chunk(ctx, todo[:n]); err != nil {
			if errors.Is(err, errNotShown) {
				todo = slices.DeleteFunc(todo, func(i int) bool { return slices.Contains(b.want, string(b.accounts[i].ID)) })
			}
			b.blame(todo, err)
			break
		}
		todo = todo[n:]
	}
	if b.changed && b.t.dialect.Members == membersShown {
		b.settle(ctx)
	}
}

// blame gives the error to those accounts for which it is not known to be as it
// should.
func (b *batch) blame(which []int, err error) {
	for _, i := range which {
		if b.errs[i] == nil && (b.t.dialect.Members != membersShown || b.now.has(b.accounts[i].ID) != b.give) {
			b.errs[i] = err
		}
	}
}

// chunk is one request. Where the server refuses it, it is sent in halves, down to
// the one account that is refused. Its error is that of whatever else is to come.
func (b *batch) chunk(ctx context.Context, which []int) error {
	ids := make([]string, len(which))
	for n, i := range which {
		ids[n] = string(b.accounts[i].ID)
	}
	err := b.t.sendMembers(ctx, b.doing, b.id, ids, b.give)
	b.changed = b.changed || err == nil || target.ClassOf(err) == target.InDoubt
	switch class := target.ClassOf(err); {
	case err == nil:
		b.want = append(b.want, ids...)
		return b.look(ctx, ids)
	case class == target.Denied || class == target.Transient:
		return err
	case class == target.InDoubt:
		return b.doubt(ctx, which, err)
	case len(which) == 1:
		if statusOf(err) == http.StatusNotFound && b.give {
			b.t.seen(false, b.accounts[which[0]].ID)
		}
		if b.give || kindOf(err) != "noTarget" && !b.gone(ctx, ids[0]) {
			b.errs[which[0]] = err
		}
		return nil
	}
	if statusOf(err) == http.StatusRequestEntityTooLarge {
		b.t.members.smaller(b.give, len(which)/2)
	}
	half := len(which) / 2
	if err := b.chunk(ctx, which[:half]); err != nil {
		return err
	}
	return b.chunk(ctx, which[half:])
}

// gone says whether somebody else removed the account meanwhile.
func (b *batch) gone(ctx context.Context, id string) bool {
	if b.t.dialect.Members != membersShown {
		return false
	}
	g, err := b.t.readGroup(ctx, b.doing, b.entitlement)
	return err == nil && g.shown && !g.has(target.NativeID(id))
}

// doubt looks at the group when a request was not answered, or by a failure.
func (b *batch) doubt(ctx context.Context, which []int, failed error) error {
	if b.t.dialect.Members != membersShown {
		return failed
	}
	g, err := b.t.readGroup(ctx, b.doing, b.entitlement)
	if err != nil {
		return failed
	}
	open := false
	for _, i := range which {
		if g.has(b.accounts[i].ID) == b.give {
			b.want = append(b.want, string(b.accounts[i].ID))
			continue
		}
		open = true
		b.errs[i] = failed
		if statusOf(failed) != 0 { // it answered, and did not do it
			b.errs[i] = &target.Error{Class: target.Transient, Err: failed}
		}
	}
	if open {
		return &target.Error{Class: target.Transient, Err: failed}
	}
	return nil
}
