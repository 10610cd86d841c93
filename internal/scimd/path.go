package scimd

import "strings"

// path is where an operation of a PATCH points (RFC 7644, 3.5.2).
type path struct {
	// urn is of the extension that the attribute is in; "" is the resource.
	urn string
	// whole: the extension itself is meant.
	whole bool
	attr  attribute
	// where picks values of a multi-valued attribute; nil is all.
	where filter
	// sub is the attribute below; none if it has no name.
	sub attribute
}

func parsePath(s string, of schema) (path, *refusal) {
	bad := func(why string) (path, *refusal) {
		return path{}, refuse(400, "invalidPath", "path %q: %s", s, why)
	}
	var p path
	rest, attributes := s, of.attributes
	if urn := of.extension(s); urn != "" {
		return path{urn: urn, whole: true}, nil
	}
	for urn := range of.extensions {
		if len(rest) > len(urn) && strings.EqualFold(rest[:len(urn)], urn) && rest[len(urn)] == ':' {
			p.urn, rest, attributes = urn, rest[len(urn)+1:], of.extensions[urn]
		}
	}
	if n := len(of.core); len(rest) > n && strings.EqualFold(rest[:n], of.core) && rest[n] == ':' {
		rest = rest[n+1:]
	}
	name, ok := rest, false
	if at := strings.IndexAny(rest, ".["); at >= 0 {
		name, rest = rest[:at], rest[at:]
	} else {
		rest = ""
	}
	if p.attr, ok = named(attributes, name); !ok {
		return bad("there is no attribute of that name")
	}
	if strings.HasPrefix(rest, "[") {
		end := closing(rest)
		if end < 0 || !p.attr.multi {
			return bad("a filter stands after an attribute with many values, and ends with ]")
		}
		var err *refusal
		if p.where, err = parseFilter(rest[1:end], scope{attributes: p.attr.attributes}); err != nil {
			err.scimType = "invalidPath"
			return path{}, err
		}
		rest = rest[end+1:]
	}
	if rest != "" {
		if p.sub, ok = named(p.attr.attributes, strings.TrimPrefix(rest, ".")); !ok || rest[0] != '.' {
			return bad("there is no attribute of that name below")
		}
	}
	if p.attr.readOnly {
		return path{}, refuse(400, "mutability", "%s cannot be changed", s)
	}
	return p, nil
}

// closing finds the ] that ends a filter, past those inside of texts.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			return i
		}
	}
	return -1
}
