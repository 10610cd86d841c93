package scimd

import (
	"encoding/json"
	"fmt"
	"strings"
)

// filter is one as RFC 7644, 3.4.2.2 writes them; it says whether an object
// passes, given the attributes that the object has.
type filter func(object map[string]any) bool

// parser reads a filter from left to right.
type parser struct {
	rest  string
	scope scope
	depth int
}

// scope is what the names in a filter mean.
type scope struct {
	attributes []attribute
	schema     schema
	// caseful compares texts with case, whatever the schema says.
	caseful bool
}

// parseFilter reads a whole filter.
func parseFilter(s string, in scope) (filter, *refusal) {
	p := &parser{rest: s, scope: in}
	f, err := p.or()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, refuse(400, "invalidFilter", "filter %q: %v", s, err)
	}
	return f, nil
}

func (p *parser) or() (filter, error) {
	left, err := p.and()
	for err == nil && p.word("or") {
		var right filter
		if right, err = p.and(); err == nil {
			a, b := left, right
			left = func(o map[string]any) bool { return a(o) || b(o) }
		}
	}
	return left, err
}

func (p *parser) and() (filter, error) {
	left, err := p.term()
	for err == nil && p.word("and") {
		var right filter
		if right, err = p.term(); err == nil {
			a, b := left, right
			left = func(o map[string]any) bool { return a(o) && b(o) }
		}
	}
	return left, err
}

func (p *parser) term() (filter, error) {
	if p.depth++; p.depth > 20 {
		return nil, fmt.Errorf("nested too deep")
	}
	defer func() { p.depth-- }()
	not := p.word("not")
	if p.sign('(') {
		f, err := p.or()
		if err == nil && !p.sign(')') {
			err = fmt.Errorf("a ) is missing")
		}
		if not && err == nil {
			return func(o map[string]any) bool { return !f(o) }, nil
		}
		return f, err
	}
	if not {
		return nil, fmt.Errorf("not stands before a (")
	}
	return p.comparison()
}

func (p *parser) comparison() (filter, error) {
	p.rest = strings.TrimLeft(p.rest, " ")
	end := strings.IndexAny(p.rest, " [()")
	if end <= 0 {
		return nil, fmt.Errorf("an operator is missing")
	}
	path := p.rest[:end]
	p.rest = p.rest[end:]
	get, a, err := p.scope.reach(path)
	if err != nil {
		return nil, err
	}
	if p.sign('[') {
		inner := p.scope
		p.scope = scope{attributes: a.attributes, caseful: inner.caseful}
		f, err := p.or()
		p.scope = inner
		if err == nil && !p.sign(']') {
			err = fmt.Errorf("a ] is missing")
		}
		return func(o map[string]any) bool {
			for _, v := range get(o) {
				if object, ok := v.(map[string]any); ok && f(object) {
					return true
				}
			}
			return false
		}, err
	}
	if p.word("pr") {
		return func(o map[string]any) bool { return len(get(o)) > 0 }, nil
	}
	for _, op := range []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"} {
		if p.word(op) {
			want, err := p.literal()
			if err != nil {
				return nil, err
			}
			exact := a.exact || p.scope.caseful
			return func(o map[string]any) bool { return compare(op, get(o), want, exact) }, nil
		}
	}
	return nil, fmt.Errorf("no operator that is known")
}

// reach says how the values of a path are found. Of a complex attribute that is
// named alone the sub-attribute value counts.
func (s scope) reach(path string) (func(map[string]any) []any, attribute, error) {
	attributes, urn := s.attributes, ""
	if at := strings.LastIndex(path, ":"); at >= 0 {
		switch found := s.schema.extension(path[:at]); {
		case found != "":
			attributes, urn = s.schema.extensions[found], found
		case !strings.EqualFold(path[:at], s.schema.core):
			return nil, attribute{}, fmt.Errorf("%s is not known", path[:at])
		}
		path = path[at+1:]
	}
	name, sub, dotted := strings.Cut(path, ".")
	a, ok := named(attributes, name)
	if !ok {
		return nil, a, fmt.Errorf("there is no attribute %s", name)
	}
	outer := a
	if dotted {
		if a, ok = named(a.attributes, sub); !ok {
			return nil, a, fmt.Errorf("there is no attribute %s", path)
		}
	} else if v, ok := named(a.attributes, "value"); ok {
		sub = v.name
		v.attributes = a.attributes
		a = v
	}
	return func(o map[string]any) []any {
		if urn != "" {
			o, _ = o[urn].(map[string]any)
		}
		values, list := o[outer.name].([]any)
		if v := o[outer.name]; !list && v != nil {
			values = []any{v}
		}
		if !dotted || sub == "" {
			return values
		}
		var out []any
		for _, v := range values {
			if object, ok := v.(map[string]any); ok && object[a.name] != nil {
				out = append(out, object[a.name])
			}
		}
		return out
	}, a, nil
}

func compare(op string, have []any, want any, exact bool) bool {
	if op == "ne" {
		return !compare("eq", have, want, exact)
	}
	for _, v := range have {
		if object, ok := v.(map[string]any); ok {
			v = object["value"]
		}
		a, textual := v.(string)
		b, also := want.(string)
		if !textual || !also {
			if op == "eq" && v == want {
				return true
			}
			continue
		}
		if !exact {
			a, b = strings.ToLower(a), strings.ToLower(b)
		}
		if map[string]bool{
			"eq": a == b, "co": strings.Contains(a, b), "sw": strings.HasPrefix(a, b), "ew": strings.HasSuffix(a, b),
			"gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b,
		}[op] {
			return true
		}
	}
	return want == nil && op == "eq" && len(have) == 0
}

// word takes a word of the language if it comes next.
func (p *parser) word(w string) bool {
	s := strings.TrimLeft(p.rest, " ")
	if len(s) < len(w) || !strings.EqualFold(s[:len(w)], w) || len(s) > len(w) && !strings.ContainsRune(" ()[]", rune(s[len(w)])) {
		return false
	}
	p.rest = s[len(w):]
	return true
}

// sign takes a sign if it comes next.
func (p *parser) sign(c byte) bool {
	s := strings.TrimLeft(p.rest, " ")
	if s == "" || s[0] != c {
		return false
	}
	p.rest = s[1:]
	return true
}

// literal is a value as JSON writes it.
func (p *parser) literal() (any, error) {
	d := json.NewDecoder(strings.NewReader(p.rest))
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("no value as JSON writes them: %q", p.rest)
	}
	switch v.(type) {
	case map[string]any, []any:
		return nil, fmt.Errorf("a value is a text, a number, true, false or null")
	}
	p.rest = p.rest[d.InputOffset():]
	return v, nil
}
