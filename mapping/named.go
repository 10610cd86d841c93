package mapping

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Named are the person attributes that a value is made of, in lower case, each once,
// in the order in which they stand.
func Named(value string) (out []string) {
	pieces, _ := cutTemplate(value, func(int, string, string) {})
	for _, p := range pieces {
		if !p.expression {
			continue
		}
		if n := tree(p.text); n != nil {
			ast.Walk(&n, visit(func(n ast.Node) {
				m, isMember := n.(*ast.MemberNode)
				if !isMember {
					return
				}
				owner, isName := m.Node.(*ast.IdentifierNode)
				name, isText := m.Property.(*ast.StringNode)
				if isName && isText && owner.Value == "person" && !slices.Contains(out, strings.ToLower(name.Value)) {
					out = append(out, strings.ToLower(name.Value))
				}
			}))
		}
	}
	return out
}

type visit func(ast.Node)

// Visit is called for each node, after those below it.
func (v visit) Visit(n *ast.Node) { v(*n) }
