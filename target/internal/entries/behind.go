package entries

import (
	"context"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// formerLimit bounds the names of one account.
const formerLimit = 16

// fellBehind notes what groups still call an account: its name from before each change
// after which some could not be written.
func (t *Accounts) fellBehind(id target.NativeID, was string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.behind[id]
	if len(list) == 0 && len(t.behind) >= knownLimit || len(list) >= formerLimit || slices.ContainsFunc(list, t.alike(was)) {
		return
	}
	t.behind[id] = append(slices.Clip(list), was)
}

// caughtUp notes that no group calls the account so any more.
func (t *Accounts) caughtUp(id target.NativeID, was string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if list := slices.DeleteFunc(slices.Clone(t.behind[id]), t.alike(was)); len(list) > 0 {
		t.behind[id] = list
	} else {
		delete(t.behind, id)
	}
}

// alike says whether groups take a name for that one.
func (t *Accounts) alike(name string) func(string) bool {
	key := t.memberKey(name)
	return func(other string) bool { return t.memberKey(other) == key }
}

func (t *Accounts) behindOf(id target.NativeID) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.behind[id]
}

// former is what groups still call the account besides its name, where nobody else is
// called so by now: what it holds by that it holds, and loses.
func (s *session) former(ctx context.Context, e entry) ([]string, error) {
	var out []string
	for _, was := range s.t.behindOf(e.id) {
		if s.t.memberKey(was) == s.t.member(e) {
			continue
		}
		free, err := s.nobodys(ctx, was)
		if err != nil {
			return nil, err
		}
		if free {
			out = append(out, was)
		}
	}
	return out, nil
}

// formers are those of all accounts.
func (s *session) formers(ctx context.Context) (map[target.NativeID][]string, error) {
	s.t.mu.Lock()
	all := maps.Clone(s.t.behind)
	s.t.mu.Unlock()
	for id, list := range all {
		var out []string
		for _, was := range list {
			free, err := s.nobodys(ctx, was)
			if err != nil {
				return nil, err
			}
			if free {
				out = append(out, was)
			}
		}
		all[id] = out
	}
	return all, nil
}

// heldAlso is held, and what the account holds by what it was called.
func (t *Accounts) heldAlso(by map[string][]string, formers map[target.NativeID][]string, e entry) []string {
	list := t.held(by, e)
	for _, was := range formers[e.id] {
		if more := by[t.memberKey(was)]; len(more) > 0 {
			list = slices.Concat(list, more)
			slices.Sort(list)
			list = slices.Compact(list)
		}
	}
	return list
}
