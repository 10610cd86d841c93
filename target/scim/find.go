package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/rosterd/rosterd/target"
)

// filterOf is the only form of a filter that all servers with filters know.
func filterOf(attribute, value string) url.Values {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // a text can always be written
	return url.Values{"filter": {attribute + " eq " + strings.TrimSuffix(text.String(), "\n")}}
}

// search finds accounts by a filter, or in a listing that it makes once.
type search struct {
	t     *Target
	doing string

	mu   sync.Mutex
	all  []resource
	have bool
}

// find is the accounts that have the value, each held against what was asked.
func (t *Target) find(ctx context.Context, doing string, m target.Match) ([]resource, error) {
	return (&search{t: t, doing: doing}).find(ctx, m)
}

func (s *search) find(ctx context.Context, m target.Match) ([]resource, error) {
	p, err := parsePath(m.Attribute)
	if err != nil {
		return nil, refused("", "%s: %w", s.doing, err)
	}
	if m.Value == "" {
		return nil, nil
	}
	for _, value := range spellings(p, m.Value) {
		if !s.t.filters(p.filter()) {
			break
		}
		found, err := s.t.pages(ctx, s.doing, "Users", filterOf(p.filter(), value))
		switch status := statusOf(err); {
		case status == http.StatusBadRequest || status == http.StatusUnprocessableEntity || status == http.StatusNotImplemented:
			if kindOf(err) == "invalidFilter" || status == http.StatusNotImplemented {
				s.t.noFilter(p.filter())
			}
			return s.listed(ctx, p, m)
		case status == http.StatusNotFound: // what some say for "nobody"; others for "no such address"
			return s.listed(ctx, p, m)
		case err != nil:
			return nil, err
		}
		matching, foreign := sift(p, m, found)
		if foreign {
			s.t.noFilter("")
			return s.listed(ctx, p, m)
		}
		if len(matching) > 0 {
			return matching, nil
		}
		if value == m.Value && len(found) > 0 {
			return nil, nil
		}
	}
	if !s.t.filters(p.filter()) {
		return s.listed(ctx, p, m)
	}
	return nil, nil
}

// spellings are those of a name that are asked for: some servers tell case apart
// in a filter, and not where a name is taken.
func spellings(p path, value string) []string {
	if lower := strings.ToLower(value); p.urn == "" && p.attr == userName && lower != value {
		return []string{value, lower}
	}
	return []string{value}
}

// sift keeps the accounts that have the value. A foreign one has not even one that
// differs in its case: whoever returns it does not know filters.
func sift(p path, m target.Match, found []resource) (matching []resource, foreign bool) {
	for _, r := range found {
		has, near := false, false
		for _, v := range r.values(p) {
			has = has || rules.Equal(m.Attribute, []string{v}, []string{m.Value})
			near = near || strings.EqualFold(strings.TrimSpace(v), strings.TrimSpace(m.Value))
		}
		if has {
			matching = append(matching, r)
		}
		foreign = foreign || !near
	}
	return matching, foreign
}

// listed finds the accounts in a complete listing.
func (s *search) listed(ctx context.Context, p path, m target.Match) ([]resource, error) {
	all, err := s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	matching, _ := sift(p, m, all)
	return matching, nil
}

// withID is the account of an ID in a complete listing; nil where there is none.
func (s *search) withID(ctx context.Context, id target.NativeID) (resource, error) {
	all, err := s.everybody(ctx)
	for _, r := range all {
		if r.id() == string(id) {
			return r, nil
		}
	}
	return nil, err
}

// everybody is a complete listing, made once.
func (s *search) everybody(ctx context.Context) ([]resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.have {
		all, err := s.t.pages(ctx, s.doing, "Users", nil)
		if err != nil {
			return nil, err
		}
		s.all, s.have = all, true
	}
	return s.all, nil
}

// filters says whether the server finds something by an attribute.
func (t *Target) filters(attribute string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dialect.Filter == on && !t.unfiltered[attribute] && !t.unfiltered[""]
}

// noFilter remembers that it does not; "" is of every attribute.
func (t *Target) noFilter(attribute string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unfiltered[attribute] = true
}

// seen remembers that an account is there, or is not.
func (t *Target) seen(there bool, ids ...target.NativeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if there {
			t.alive[id] = true
		} else {
			delete(t.alive, id)
		}
	}
}

// there proves that the service is there, and that what it did not find is not
// there: a proxy before it may find nothing at all.
func (t *Target) there(ctx context.Context, doing string) error {
	r, _, err := t.get(ctx, doing, "Users", url.Values{"startIndex": {"1"}, "count": {"1"}})
	if err == nil {
		_, err = readPage(r)
	}
	switch {
	case err == nil:
		return nil
	case target.ClassOf(err) == target.Transient:
		return err
	}
	return denied("check url", "%s: nothing was found, and there is no listing of users either: %w", doing, err)
}
