package scim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/rosterd/rosterd/target"
)

// holdings are the entitlements of the scope by the ID of who holds them, sorted, and
// those of which nothing can be seen. A group that is not there beside others is held by
// nobody.
func (t *Target) holdings(ctx context.Context, doing string, scope target.Scope, accounts []resource) (map[string][]string, []string, error) {
	held := map[string][]string{}
	if len(accounts) == 0 || len(scope.Entitlements) == 0 || t.dialect.Members == membersOmitted {
		return held, nil, nil
	}
	var mu sync.Mutex
	var absent []string
	err := t.each(ctx, len(scope.Entitlements), func(ctx context.Context, i int) error {
		e := scope.Entitlements[i]
		ids, err := t.holders(ctx, doing, e, accounts)
		mu.Lock()
		defer mu.Unlock()
		if target.ClassOf(err) == target.Missing {
			absent = append(absent, e)
			return nil
		}
		for _, id := range ids {
			held[id] = append(held[id], e)
		}
		return err
	})
	if err == nil && len(absent) == len(scope.Entitlements) {
		var there bool
		if there, err = t.groupsThere(ctx, doing); !there {
			slices.Sort(absent)
			return held, absent, err
		}
	}
	if err == nil {
		err = t.twoNames(doing, scope.Entitlements)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, list := range held {
		slices.Sort(list)
	}
	return held, nil, nil
}

// groupsThere says whether the server shows a group at all. One that shows none has none,
// or does not show them for the moment: that is said by what was given there before.
func (t *Target) groupsThere(ctx context.Context, doing string) (bool, error) {
	r, _, err := t.get(ctx, doing, "Groups", url.Values{"startIndex": {"1"}, "count": {"1"}, "excludedAttributes": {membersKey}})
	if target.ClassOf(err) == target.Missing || statusOf(err) == http.StatusNotImplemented {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p, err := readPage(r)
	if err != nil {
		return false, &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: no group was found, and what the server lists is no list: %w", doing, err)}
	}
	return p.total > 0 || len(p.resources) > 0, nil
}
