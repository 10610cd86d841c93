package entries

import (
	"context"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/proof"
)

// matchesPerFilter is how many queries one search answers.
const matchesPerFilter = 50

// Look finds accounts by ID wherever they are below the base, and by a match
// among those that the filter admits.
func (t *Accounts) Look(ctx context.Context, scope target.Scope, queries []target.Query) ([]target.Observation, error) {
	out := make([]target.Observation, len(queries))
	found := make([][]entry, len(queries))
	var held map[target.NativeID][]string
	var unseen []string
	err := t.with(ctx, "look at accounts", func(s *session) error {
		clear(found)
		clear(out)
		attributes := scope.Attributes
		for _, q := range queries {
			for _, m := range q.Match {
				if !identity.ValidType(m.Attribute) {
					return refused("", "look at accounts: %q is not the name of an attribute", m.Attribute)
				}
				attributes = append(attributes[:len(attributes):len(attributes)], m.Attribute)
			}
		}
		if err := s.lookByID(ctx, queries, found, scope.Attributes); err != nil {
			return err
		}
		for round := 0; ; round++ {
			var open []int // queries that nothing has answered yet
			more := false
			for i, q := range queries {
				if q.ID == "" && len(found[i]) == 0 && round < len(q.Match) {
					more = true
					if q.Match[round].Value != "" {
						open = append(open, i)
					}
				}
			}
			if !more {
				break
			}
			for len(open) > 0 {
				n := min(len(open), matchesPerFilter)
				if err := s.lookByMatch(ctx, queries, found, open[:n], round, attributes); err != nil {
					return err
				}
				for _, i := range open[:n] {
					if len(found[i]) > 0 {
						out[i].By = queries[i].Match[round]
					}
				}
				open = open[n:]
			}
		}
		var all []entry
		for _, list := range found {
			all = append(all, list...)
		}
		var err error
		held, unseen, err = s.holdingsOf(ctx, scope, all)
		return err
	})
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	for i, list := range found {
		out[i].Read = proof.Looked()
		for _, e := range list {
			a := t.account(e, scope)
			a.Entitlements, a.Unseen = held[e.id], unseen
			out[i].Accounts = append(out[i].Accounts, a)
		}
	}
	return out, nil
}

func (s *session) lookByID(ctx context.Context, queries []target.Query, found [][]entry, attributes []string) error {
	var refs []target.Ref
	seen := map[target.NativeID]bool{}
	for _, q := range queries {
		if q.ID != "" && !seen[q.ID] {
			seen[q.ID] = true
			refs = append(refs, target.Ref{ID: q.ID})
		}
	}
	if len(refs) == 0 {
		return nil
	}
	have, err := s.resolve(ctx, refs, attributes...)
	if err != nil {
		return err
	}
	for i, q := range queries {
		if e, ok := have[q.ID]; ok && q.ID != "" {
			found[i] = []entry{e}
		}
	}
	return nil
}

// lookByMatch asks one match of each of the open queries. If the server finds
// something that none of them seems to have asked for, it compares otherwise
// than we do, and they are asked one by one.
func (s *session) lookByMatch(ctx context.Context, queries []target.Query, found [][]entry, open []int, round int, attributes []string) error {
	var filter strings.Builder
	filter.WriteString("(&" + s.t.cfg.Filter + "(|")
	for _, i := range open {
		m := queries[i].Match[round]
		filter.WriteString("(" + m.Attribute + "=" + ldapwire.EscapeFilterValue(m.Value) + ")")
	}
	filter.WriteString("))")
	list, err := s.search(ctx, filter.String(), attributes...)
	if err != nil {
		return err
	}
	if len(open) == 1 {
		found[open[0]] = list
		return nil
	}
	wanted := map[string][]int{}
	for _, i := range open {
		m := queries[i].Match[round]
		key := strings.ToLower(m.Attribute) + "=" + Canon(m.Attribute, m.Value)
		wanted[key] = append(wanted[key], i)
	}
	for _, e := range list {
		claimed := false
		for _, attribute := range distinct(queries, open, round) {
			answers := map[int]bool{}
			for _, v := range e.rec.Values(attribute) {
				for _, i := range wanted[attribute+"="+Canon(attribute, v)] {
					answers[i] = true
				}
			}
			for i := range answers {
				found[i], claimed = append(found[i], e), true
			}
		}
		if claimed {
			continue
		}
		for _, i := range open {
			found[i] = nil
		}
		for _, i := range open {
			if err := s.lookByMatch(ctx, queries, found, []int{i}, round, attributes); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// distinct are the attributes of a round, in lower case.
func distinct(queries []target.Query, open []int, round int) []string {
	var out []string
	seen := map[string]bool{}
	for _, i := range open {
		if a := strings.ToLower(queries[i].Match[round].Attribute); !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}
