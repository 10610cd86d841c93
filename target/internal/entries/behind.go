package entries

import (
	"context"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// fellBehind notes what groups still call an account; empty: nothing.
func (t *Accounts) fellBehind(id target.NativeID, was string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if was == "" {
		delete(t.behind, id)
	} else if _, before := t.behind[id]; !before && len(t.behind) < knownLimit {
		t.behind[id] = was
	}
}

func (t *Accounts) behindOf(id target.NativeID) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.behind[id]
}

// former is what groups still call the account besides its name, if nobody else is
// called so by now: what it holds by that it holds, and loses.
func (s *session) former(ctx context.Context, e entry) (string, error) {
	was := s.t.behindOf(e.id)
	if was == "" || s.t.memberKey(was) == s.t.member(e) {
		return "", nil
	}
	if free, err := s.nobodys(ctx, was); err != nil || !free {
		return "", err
	}
	return was, nil
}

// formers are those of all accounts.
func (s *session) formers(ctx context.Context) (map[target.NativeID]string, error) {
	s.t.mu.Lock()
	all := maps.Clone(s.t.behind)
	s.t.mu.Unlock()
	for id, was := range all {
		free, err := s.nobodys(ctx, was)
		if err != nil {
			return nil, err
		}
		if !free {
			delete(all, id)
		}
	}
	return all, nil
}

// heldAlso is held, and what the account holds by what it was called.
func (t *Accounts) heldAlso(by map[string][]string, formers map[target.NativeID]string, e entry) []string {
	list := t.held(by, e)
	if was := formers[e.id]; was != "" && len(by[t.memberKey(was)]) > 0 {
		list = slices.Concat(list, by[t.memberKey(was)])
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}
