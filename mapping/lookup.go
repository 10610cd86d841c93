package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
)

// table is [table.NAME]: the value by the folded word.
type table map[string]string

// tables are checked whether or not an expression names them.
func (m *compiler) tables() map[string]table {
	out := map[string]table{}
	for _, name := range slices.Sorted(maps.Keys(m.config.Tables)) {
		written := m.config.Tables[name]
		t, as := table{}, map[string]string{}
		for _, word := range slices.Sorted(maps.Keys(written)) {
			folded := identity.Fold(word)
			if other, twice := as[folded]; twice {
				m.fail([]string{"table", name, word}, "leave one of the two", "%q and %q are the same word: case and blanks make no difference", other, word)
			}
			t[folded], as[folded] = written[word], word
		}
		out[name] = t
	}
	return out
}

// lookup is what a table has under a word; absent if it does not have it.
func (e *expression) lookup(at int, named, word ast.Node, pl place) node {
	literal, ok := named.(*ast.StringNode)
	if !ok {
		return e.fail(e.at(named), "write "+usage["lookup"], "a table is named literally")
	}
	t, ok := e.names.tables[literal.Value]
	if !ok {
		hint := didYouMean(literal.Value, slices.Collect(maps.Keys(e.names.tables)))
		if hint == "" {
			hint = fmt.Sprintf("add [table.%s]", literal.Value)
		}
		return e.fail(e.at(named), hint, "there is no table %q", literal.Value)
	}
	e.names.ask("table", literal.Value, func(message, hint string) { e.report(e.at(named), message, hint) })
	in := e.wantText(e.check(word, place{blank: pl.blank}), pl.blank)
	if in.kind == isBad {
		return bad
	}
	hidden := slices.ContainsFunc(e.used, func(u shown) bool { return secret.Attribute(u.name) })
	return textNode(at, "(lookup "+quoteKey(literal.Value)+" "+in.key+")", func(s *scope) (string, *fault) {
		folded, why := in.fold(s)
		if why != nil {
			return "", why
		}
		v, ok := t[folded]
		if ok || pl.blank {
			return v, nil
		}
		said := strconv.Quote(folded)
		if hidden {
			said = secret.Redacted
		}
		return "", &fault{faultAbsent, fmt.Sprintf("the table %s has nothing for %s", literal.Value, said)}
	})
}
