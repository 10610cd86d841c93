package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// server is what a server says of itself. What it does not say is not known.
type server struct {
	// configured: it has a ServiceProviderConfig.
	configured bool
	name       string
	patch      said
	etag       said
	cursor     bool // cursors are its default (RFC 9865)
	maxResults int
	// attributes of users by the lower case of their path, as in its schemas.
	attributes map[string]definition
	// users: its resource types have users.
	users said
}

// said is yes, no, or nothing.
type said uint8

const (
	unsaid said = iota
	yes
	no
)

func saidOf(r resource) said {
	switch r.text("supported") {
	case "true":
		return yes
	case "false":
		return no
	}
	return unsaid
}

// definition is what a schema says of an attribute (RFC 7643, 7).
type definition struct {
	kind     string // string, boolean, decimal, integer, dateTime, reference, binary, complex
	multi    bool
	readOnly bool
	hidden   bool // never returned
}

// maxDepth bounds schemas: an attribute has parts, and those have none.
const maxDepth = 2

// discover asks the server once what it is. A server that has no answer is one of
// which nothing is known; one that cannot be asked is an error.
func (t *Target) discover(ctx context.Context) (*server, error) {
	t.learn.Lock()
	defer t.learn.Unlock()
	if t.learned != nil {
		return t.learned, nil
	}
	s := &server{attributes: map[string]definition{}}
	config, err := t.optional(ctx, "ServiceProviderConfig")
	if err != nil {
		return nil, err
	}
	if config != nil {
		s.configured = true
		s.patch, s.etag = saidOf(object(config.get("patch"))), saidOf(object(config.get("etag")))
		if n, ok := object(config.get("filter")).get("maxResults").(json.Number); ok {
			if v, err := n.Int64(); err == nil && v > 0 && v <= 1_000_000 {
				s.maxResults = int(v)
			}
		}
		pages := object(config.get("pagination"))
		s.cursor = pages.text("cursor") == "true" && (pages.text("index") == "false" || strings.EqualFold(pages.text("defaultPaginationMethod"), "cursor"))
	}
	types, err := t.optional(ctx, "ResourceTypes")
	if err != nil {
		return nil, err
	}
	for _, e := range entries(types.get("Resources")) {
		if s.users = no; strings.EqualFold(strings.Trim(object(e).text("endpoint"), "/"), "Users") {
			s.users = yes
			break
		}
	}
	schemas, err := t.optional(ctx, "Schemas")
	if err != nil {
		return nil, err
	}
	for _, e := range entries(schemas.get("Resources")) {
		o := object(e)
		urn := o.text("id")
		if strings.HasSuffix(strings.ToLower(urn), ":group") {
			continue
		}
		if strings.EqualFold(urn, coreUser) {
			urn = ""
		}
		s.define(urn, "", entries(o.get("attributes")), 1)
	}
	t.learned = s
	return s, nil
}

// optional reads what a server may lack.
func (t *Target) optional(ctx context.Context, path string) (resource, error) {
	r, _, err := t.get(ctx, "read "+path, path, nil)
	switch status := statusOf(err); {
	case err == nil:
		return r, nil
	case status == http.StatusUnauthorized, status == 0 && target.ClassOf(err) != target.Denied, status == http.StatusTooManyRequests, status >= 500 && status != http.StatusNotImplemented:
		return nil, err
	}
	return nil, nil
}

func (s *server) define(urn, parent string, attributes []any, depth int) {
	for _, e := range attributes {
		o := object(e)
		name := o.text("name")
		if name == "" {
			continue
		}
		d := definition{kind: o.text("type"), multi: o.text("multiValued") == "true"}
		d.readOnly = strings.EqualFold(o.text("mutability"), "readOnly")
		d.hidden = strings.EqualFold(o.text("returned"), "never") || strings.EqualFold(o.text("mutability"), "writeOnly")
		key := definitionKey(urn, parent, name)
		s.attributes[key] = d
		if depth < maxDepth {
			s.define(urn, name, entries(o.get("subAttributes")), depth+1)
		}
	}
}

func definitionKey(urn, attr, sub string) string {
	return strings.ToLower(urn + "\x00" + attr + "\x00" + sub)
}

// definition is what is known of the attribute at a path.
func (s *server) definition(p path) (definition, bool) {
	if p.sub != "" {
		if d, ok := s.attributes[definitionKey(p.urn, p.attr, p.sub)]; ok {
			return d, true
		}
	}
	d, ok := s.attributes[definitionKey(p.urn, "", p.attr)]
	return d, ok
}

// typed is a text as the type that the schema wants.
func (s *server) typed(p path, text string) (any, error) {
	d, _ := s.definition(p)
	switch d.kind {
	case "boolean":
		switch strings.ToLower(text) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, fmt.Errorf("%s is true or false there, not %q", p.text, text)
	case "integer", "decimal":
		var n json.Number
		if err := json.Unmarshal([]byte(text), &n); err != nil || n.String() != text {
			return nil, fmt.Errorf("%s is a number there, not %q", p.text, text)
		}
		return n, nil
	}
	return text, nil
}

// many says whether the attribute itself is a list of simple values.
func (s *server) many(p path) bool {
	d, _ := s.definition(path{urn: p.urn, attr: p.attr})
	return d.multi && !p.list
}
