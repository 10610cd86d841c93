package ldapd

import (
	"math/big"
	"slices"
	"strings"
)

// truth is the three-valued outcome of a filter (X.511): an assertion that
// means nothing is undefined, and so is its opposite.
type truth int8

const (
	isFalse truth = iota
	isUndefined
	isTrue
)

func (t truth) not() truth { return isTrue - t }

func of(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// match evaluates f on the entry. Call it with the directory's lock held.
func (v view) match(f *filter, r *record) truth {
	switch f.kind {
	case filterAnd:
		out := isTrue
		for i := range f.parts {
			if out = min(out, v.match(&f.parts[i], r)); out == isFalse {
				break
			}
		}
		return out
	case filterOr:
		out := isFalse
		for i := range f.parts {
			if out = max(out, v.match(&f.parts[i], r)); out == isTrue {
				break
			}
		}
		return out
	case filterNot:
		return v.match(&f.parts[0], r).not()
	}
	if f.bad || !f.noAttr && (!v.dir.knows(f.attr.typ) || f.class && f.kind == filterEqual && !v.dir.knowsClass(f.value)) {
		return isUndefined
	}
	if !f.noAttr && v.hides(f.attr.typ.key) {
		// No right to search is neither yes nor no.
		return isUndefined
	}
	if !f.noAttr && f.attr.typ.key == "entrydn" {
		return of(f.kind == filterPresent || f.value == r.dn.Key())
	}
	if v.dir.domain != nil && !f.noAttr {
		if t, ok := v.matchAD(f, r); ok {
			return t
		}
	}
	for i := range r.attrs {
		a := &r.attrs[i]
		if !f.noAttr && !f.attr.covers(a.desc, v.flat()) || f.noAttr && a.typ.rule != ruleIgnore && a.typ.rule != ruleExact {
			continue
		}
		if v.hides(a.typ.key) {
			return isUndefined
		}
		if f.kind == filterPresent || f.matchAttr(a) {
			return isTrue
		}
	}
	return of(f.dn && f.matchName(r))
}

func (f *filter) matchAttr(a *attr) bool {
	switch f.kind {
	case filterEqual, filterApprox:
		return slices.ContainsFunc(a.norms, func(n string) bool { return n == f.value || f.class && slices.Contains(superiors(n), f.value) })
	case filterGreater:
		return slices.ContainsFunc(a.norms, func(n string) bool { return f.rule.compare(n, f.value) >= 0 })
	case filterLess:
		return slices.ContainsFunc(a.norms, func(n string) bool { return f.rule.compare(n, f.value) <= 0 })
	case filterSubstrings:
		return slices.ContainsFunc(a.norms, f.matchSubstrings)
	}
	if f.bits {
		return slices.ContainsFunc(a.norms, f.matchBits)
	}
	if f.rule == a.typ.rule {
		return slices.ContainsFunc(a.norms, func(n string) bool { return n == f.value })
	}
	return slices.ContainsFunc(a.values, func(value string) bool {
		n, ok := f.rule.normal(value)
		return ok && n == f.value
	})
}

func (f *filter) matchSubstrings(n string) bool {
	if f.initial != nil {
		if !strings.HasPrefix(n, *f.initial) {
			return false
		}
		n = n[len(*f.initial):]
	}
	if f.final != nil {
		if !strings.HasSuffix(n, *f.final) {
			return false
		}
		n = n[:len(n)-len(*f.final)]
	}
	for _, part := range f.any {
		_, after, ok := strings.Cut(n, part)
		if !ok {
			return false
		}
		n = after
	}
	return true
}

func (f *filter) matchBits(n string) bool {
	value, ok := bits(n)
	mask, ok2 := bits(f.value)
	if !ok || !ok2 {
		return false
	}
	common := new(big.Int).And(value, mask)
	if f.every {
		return common.Cmp(mask) == 0
	}
	return common.Sign() != 0
}

// matchName looks for the value among the parts of the entry's own name, as
// ":dn:" asks.
func (f *filter) matchName(r *record) bool {
	for dn := r.dn; !dn.IsZero(); dn = dn.Parent() {
		for _, ava := range dn.RDN() {
			d, ok := describe(ava.Type)
			if !ok || !f.noAttr && !f.attr.covers(d, false) {
				continue
			}
			if n, ok := f.rule.normal(ava.Value); ok && n == f.value {
				return true
			}
		}
	}
	return false
}
