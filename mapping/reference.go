package mapping

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Reference is somebody whom an attribute of a person names, as the snapshot and
// the links know them. The zero value knows nothing, and takes nothing away.
type Reference struct {
	// Written is the value of the attribute.
	Written string
	// Known: it is known whom it means, or that it means nobody.
	Known bool
	// Someone: it means somebody in the snapshot.
	Someone bool
	// Why says why it is not known, or why it means nobody.
	Why string
	// Accounts are what the targets call their accounts; "" where there is one and
	// that is not known. Where they have none there is nothing.
	Accounts map[string]string
}

// References are the person attributes that account(…) asks, in lower case, sorted.
func (p *Policy) References() []string { return slices.Clone(p.references) }

// ReferencesIn are the attributes of accounts in the target that refer to others, sorted.
func (p *Policy) ReferencesIn(target string) (names []string) {
	if t := p.target(target); t != nil {
		for i := range t.attributes {
			if t.attributes[i].template.refers {
				names = append(names, t.attributes[i].name)
			}
		}
	}
	return names
}

// referAlone is how a reference is written.
const referAlone = `write it alone: manager = "${account(person.manager)}"`

// account is the account that somebody whom the person names has in the same
// target. It is no text that could be worked on: whose account that is, is known
// where the accounts are.
func (e *expression) account(at int, call *ast.CallNode) node {
	if !e.refers || ast.Node(call) != e.top {
		return e.fail(at, referAlone, "account(…) stands alone in an attribute of an account")
	}
	if len(call.Arguments) != 1 {
		return e.fail(at, "write "+usage["account"], "account takes 1, and stands here with %d", len(call.Arguments))
	}
	arg, how := call.Arguments[0], ""
	if inner, is := arg.(*ast.CallNode); is && len(inner.Arguments) == 1 {
		if f, named := inner.Callee.(*ast.IdentifierNode); named && (f.Value == "first" || f.Value == "values") {
			arg, how = inner.Arguments[0], f.Value
		}
	}
	x := e.check(arg, place{blank: true})
	switch {
	case x.kind == isBad:
		return bad
	case x.kind != isAttribute:
		return e.fail(at, "write "+usage["account"], "account takes an attribute that names somebody, not %s", x.kind)
	}
	a, key := x.attr, x.key
	if how != "" {
		key = "(" + how + " " + key + ")"
	}
	e.names.refer(x.key[len("person."):])
	return listNode(at, "(account "+key+")", func(s *scope) ([]string, *fault) {
		switch how {
		case "values":
			return a.all(s, true)
		case "first":
			return only(a.first(s, true))
		}
		return only(a.one(s, true))
	})
}

func only(v string, why *fault) ([]string, *fault) {
	if why != nil || v == "" {
		return nil, why
	}
	return []string{v}, nil
}

// refer notes an attribute that names people.
func (n *names) refer(lower string) {
	if !slices.Contains(n.references, lower) {
		n.references = append(n.references, lower)
	}
}

// Remark is what is to be known of an attribute that refers to somebody.
type Remark struct{ Attribute, Text string }

// accounts are what the target calls the accounts of those who are named. known
// is false where that is not known of one of them: the attribute is then left as
// it is. waits: somebody of them is there and has no account here, or not yet.
// remarks say of whom there is none, and why.
func (s *scope) accounts(target string, named []string) (out []string, known, waits bool, remarks []string) {
	known = true
	for _, v := range named {
		i := slices.IndexFunc(s.references, func(r Reference) bool { return r.Written == v })
		if i < 0 {
			return nil, false, false, []string{v + ": not looked for, so it stays as it is"}
		}
		r := s.references[i]
		switch called, has := r.Accounts[target]; {
		case !r.Known:
			known = false
			remarks = append(remarks, v+": "+r.Why+", so it stays as it is")
		case has && called == "":
			known = false
			remarks = append(remarks, v+": their account was not seen yet, so it stays as it is")
		case has:
			out = append(out, called)
		case r.Someone:
			waits = true
			remarks = append(remarks, v+": has no account here")
		default:
			remarks = append(remarks, v+": "+r.Why)
		}
	}
	if !known {
		return nil, false, false, remarks
	}
	slices.Sort(out)
	return slices.Compact(out), true, waits, remarks
}
