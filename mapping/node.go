package mapping

import "github.com/rosterd/rosterd/identity"

// kind is the type of an expression.
type kind uint8

const (
	isBad       kind = iota // a mistake that was reported already
	isText                  // one text
	isList                  // any number of texts
	isCondition             // true or false
	isAttribute             // person.NAME: how many values is not known yet
)

func (k kind) String() string {
	switch k {
	case isText:
		return "a text"
	case isList:
		return "a list"
	case isCondition:
		return "a condition"
	case isAttribute:
		return "an attribute"
	}
	return "?"
}

type (
	textFunc func(*scope) (string, *fault)
	listFunc func(*scope) ([]string, *fault)
	condFunc func(*scope) verdict
)

// node is a checked expression. Of its functions those are set that its kind
// has.
type node struct {
	kind kind
	at   int // byte in the source
	text textFunc
	fold textFunc // text prepared for comparison
	list listFunc
	cond condFunc

	attr    *attribute // of person.NAME
	literal *string    // of a text that is written out
	static  *bool      // of a condition that does not depend on the person
	exact   bool       // wrapped in exact()
	// made is the function whose result a text is; of what it made it makes the same.
	made func(string) string

	literals []string    // of a list of texts that are written out
	is       *choiceOf   // all that a condition says, if it is this simple
	must     []*choiceOf // what has to hold for a condition to be true
	either   [][]branch  // and of each of these one
	sides    []branch    // of an or
	parts    []node      // of an and, an or
	or       bool
	inner    *node // of a not
	// key is the expression in canonical form: two with the same key mean the
	// same.
	key string
}

var bad = node{}

func literalNode(at int, s string) node {
	folded := identity.Fold(s)
	return node{
		kind: isText, at: at, literal: &s, key: quoteKey(s),
		text: func(*scope) (string, *fault) { return s, nil },
		fold: func(*scope) (string, *fault) { return folded, nil },
	}
}

func textNode(at int, key string, f textFunc) node {
	return node{
		kind: isText, at: at, key: key, text: f,
		fold: func(s *scope) (string, *fault) {
			v, why := f(s)
			if why != nil {
				return "", why
			}
			return identity.Fold(v), nil
		},
	}
}

func listNode(at int, key string, f listFunc) node {
	return node{kind: isList, at: at, key: key, list: f}
}

func condNode(at int, key string, f condFunc) node {
	return node{kind: isCondition, at: at, key: key, cond: f}
}

func staticNode(at int, yes bool) node {
	n := condNode(at, "false", func(*scope) verdict { return verdict{yes: yes} })
	if yes {
		n.key = "true"
	}
	n.static = &yes
	return n
}

// asText makes an attribute the one text that it has to be here.
func (n node) asText(blank bool) node {
	if n.kind != isAttribute {
		return n
	}
	a := n.attr
	return node{
		kind: isText, at: n.at, key: n.key, attr: a,
		text: func(s *scope) (string, *fault) { return a.one(s, blank) },
		fold: func(s *scope) (string, *fault) { return a.fold(s, blank) },
	}
}
