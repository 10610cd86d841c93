package mapping

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/rosterd/rosterd/identity"
)

// usage is every function, and how it is called.
var usage = map[string]string{
	"account":  "${account(person.manager)}",
	"after":    `after(person.NAME, "-14d")`,
	"before":   `before(person.NAME)`,
	"exact":    "exact(person.NAME)",
	"first":    "first(person.NAME)",
	"inGroup":  `inGroup("cn=…")`,
	"join":     `join(values(person.NAME), ", ")`,
	"lookup":   `lookup("TABLE", person.NAME)`,
	"lower":    "lower(person.NAME)",
	"replace":  `replace(person.NAME, "old", "new")`,
	"slug":     "slug(person.NAME)",
	"split":    `split(person.NAME, "@")`,
	"translit": "translit(person.NAME)",
	"trim":     "trim(person.NAME)",
	"upper":    "upper(person.NAME)",
	"values":   "values(person.NAME)",
	"within":   `within(person.NAME, "2026-12-31")`,
}

var arity = map[string]int{"join": 2, "lookup": 2, "replace": 3, "split": 2}

func (e *expression) call(at int, name string, args []ast.Node, pl place) node {
	how, known := usage[name]
	if !known {
		return e.fail(at, unknownFunction(name), "unknown function %q", name)
	}
	if calendarArgs[name] > 0 {
		return e.calendar(at, name, args, pl)
	}
	if want := max(1, arity[name]); len(args) != want {
		return e.fail(at, "write "+how, "%s takes %d, and stands here with %d", name, want, len(args))
	}
	switch name {
	case "inGroup":
		return e.inGroup(at, args[0], pl)
	case "lookup":
		return e.lookup(at, args[0], args[1], pl)
	}
	in := make([]node, len(args))
	for i, a := range args {
		in[i] = e.check(a, place{blank: pl.blank})
		if in[i].kind == isBad {
			return bad
		}
	}
	key := "(" + name
	for _, n := range in {
		key += " " + n.key
	}
	key += ")"
	switch name {
	case "first", "values":
		return e.several(at, name, key, in[0], pl)
	case "join":
		return e.join(at, key, in[0], e.wantText(in[1], pl.blank), pl)
	}
	for i := range in {
		if in[i] = e.wantText(in[i], pl.blank); in[i].kind == isBad {
			return bad
		}
	}
	switch name {
	case "lower":
		return mapped(at, key, in[0], strings.ToLower)
	case "upper":
		return mapped(at, key, in[0], strings.ToUpper)
	case "trim":
		return mapped(at, key, in[0], strings.TrimSpace)
	case "translit":
		return mapped(at, key, in[0], translit)
	case "slug":
		return mapped(at, key, in[0], slug)
	case "exact":
		n := in[0]
		n.exact, n.at = true, at
		return n
	case "split":
		return e.split(at, key, in[0], in[1])
	default:
		return e.replace(at, key, in[0], in[1], in[2])
	}
}

// inGroup is true for members of the group, nested ones too.
func (e *expression) inGroup(at int, arg ast.Node, pl place) node {
	if e.noGroups != "" {
		return e.fail(at, "give the role groups = […] instead", "inGroup cannot stand %s", e.noGroups)
	}
	text, ok := arg.(*ast.StringNode)
	if !ok {
		return e.fail(at, `write inGroup("cn=writers,ou=groups,dc=example")`, "a group is named literally")
	}
	dn, err := identity.ParseDN(text.Value)
	if err != nil || dn.IsZero() {
		return e.fail(e.at(arg), `write the whole name: inGroup("cn=writers,ou=groups,dc=example")`, "%s", notDN(err))
	}
	if !pl.rising {
		return e.fail(at, "turn the rule round: say who has the role, or let another role exclude it",
			"inGroup stands where being in more groups could take rights away")
	}
	i := e.names.group(text.Value)
	return condNode(at, "(inGroup "+quoteKey(dn.Key())+")", func(s *scope) verdict { return s.groups[i].verdict })
}

func notDN(err error) string {
	if err == nil {
		return "a group needs a name"
	}
	return err.Error()
}

// several is first and values.
func (e *expression) several(at int, name, key string, x node, pl place) node {
	a := x.attr
	switch {
	case x.kind == isAttribute && name == "values":
		return listNode(at, key, func(s *scope) ([]string, *fault) { return a.all(s, pl.blank) })
	case x.kind == isAttribute:
		return textNode(at, key, func(s *scope) (string, *fault) { return a.first(s, pl.blank) })
	case x.kind == isList && name == "first":
		none := &fault{faultAbsent, "first(…) of an empty list"}
		return textNode(at, key, func(s *scope) (string, *fault) {
			list, why := x.list(s)
			switch {
			case why != nil:
				return "", why
			case len(list) > 0:
				return list[0], nil
			case pl.blank:
				return "", nil
			}
			return "", none
		})
	}
	return e.fail(at, "write "+usage[name], "%s takes an attribute, not %s", name, x.kind)
}

func (e *expression) join(at int, key string, x, separator node, pl place) node {
	list := x.list
	switch x.kind {
	case isAttribute:
		list = func(s *scope) ([]string, *fault) { return x.attr.all(s, pl.blank) }
	case isText, isCondition:
		return e.fail(at, "write "+usage["join"], "join takes a list, not %s", x.kind)
	}
	if separator.kind == isBad {
		return bad
	}
	return textNode(at, key, func(s *scope) (string, *fault) {
		parts, why := list(s)
		sep, why2 := separator.text(s)
		if why = heavier(why, why2); why != nil {
			return "", why
		}
		size := len(sep) * len(parts)
		for _, p := range parts {
			size += len(p)
		}
		if size > maxText {
			return "", tooLong
		}
		return strings.Join(parts, sep), nil
	})
}

func (e *expression) split(at int, key string, x, separator node) node {
	if separator.literal != nil && *separator.literal == "" {
		return e.fail(separator.at, `write `+usage["split"], "split needs something to split at")
	}
	return listNode(at, key, func(s *scope) ([]string, *fault) {
		v, why := x.text(s)
		sep, why2 := separator.text(s)
		switch why = heavier(why, why2); {
		case why != nil:
			return nil, why
		case v == "":
			return nil, nil
		case sep == "":
			return []string{v}, nil
		case strings.Count(v, sep) >= maxItems:
			return nil, tooMany
		}
		return strings.Split(v, sep), nil
	})
}

func (e *expression) replace(at int, key string, x, before, after node) node {
	if before.literal != nil && *before.literal == "" {
		return e.fail(before.at, "write "+usage["replace"], "replace needs something to look for")
	}
	return textNode(at, key, func(s *scope) (string, *fault) {
		v, why := x.text(s)
		b, why2 := before.text(s)
		a, why3 := after.text(s)
		switch why = heavier(heavier(why, why2), why3); {
		case why != nil:
			return "", why
		case b == "":
			return v, nil
		case len(v)+strings.Count(v, b)*(len(a)-len(b)) > maxText:
			return "", tooLong
		}
		return strings.ReplaceAll(v, b, a), nil
	})
}

var tooMany = &fault{faultValue, fmt.Sprintf("there are more than %d parts", maxItems)}

var tooLong = &fault{faultValue, fmt.Sprintf("the text is longer than %d bytes", maxText)}

// mapped is a function from text to text.
func mapped(at int, key string, x node, f func(string) string) node {
	out := textNode(at, key, func(s *scope) (string, *fault) {
		v, why := x.text(s)
		if why != nil {
			return "", why
		}
		if v = f(v); len(v) > maxText {
			return "", tooLong
		}
		return v, nil
	})
	out.made = f
	return out
}

func (e *expression) plus(at int, a, b node) node {
	if a.kind == isBad || b.kind == isBad {
		return bad
	}
	return textNode(at, "(+ "+a.key+" "+b.key+")", func(s *scope) (string, *fault) {
		x, why := a.text(s)
		y, why2 := b.text(s)
		switch why = heavier(why, why2); {
		case why != nil:
			return "", why
		case len(x)+len(y) > maxText:
			return "", tooLong
		}
		return x + y, nil
	})
}

// otherwise is a ?? b: b where a is absent, and only there.
func (e *expression) otherwise(at int, a, b node) node {
	a, b = a.asText(false), b.asText(false)
	if a.kind == isBad || b.kind == isBad {
		return bad
	}
	key := "(?? " + a.key + " " + b.key + ")"
	switch {
	case a.kind == isText && b.kind == isText && !a.exact && !b.exact:
		return textNode(at, key, func(s *scope) (string, *fault) {
			v, why := a.text(s)
			if why != nil && why.kind == faultAbsent {
				return b.text(s)
			}
			return v, why
		})
	case a.kind == isList && (b.kind == isList || b.kind == isText && !b.exact):
		return listNode(at, key, func(s *scope) ([]string, *fault) {
			v, why := a.list(s)
			switch {
			case why == nil || why.kind != faultAbsent:
				return v, why
			case b.kind == isList:
				return b.list(s)
			}
			one, why := b.text(s)
			if why != nil || one == "" {
				return nil, why
			}
			return []string{one}, nil
		})
	}
	return e.fail(at, "write person.NAME ?? ''", "?? stands between %s and %s", a.kind, b.kind)
}
