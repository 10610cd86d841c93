package scimd

import (
	"maps"
	"slices"
)

// discover answers what the server says of itself (RFC 7643, 5 to 7).
func (s *Server) discover(c *call, what, id string) answer {
	var list []any
	switch what {
	case "ServiceProviderConfig":
		return answer{status: 200, body: s.provider(c)}
	case "ResourceTypes":
		for _, kind := range []Kind{Users, Groups} {
			list = append(list, resourceType(kind))
		}
	case "Schemas":
		for _, kind := range []Kind{Users, Groups} {
			of := schemas[kind]
			list = append(list, described(of.core, of.attributes))
			for _, urn := range slices.Sorted(maps.Keys(of.extensions)) {
				list = append(list, described(urn, of.extensions[urn]))
			}
		}
	}
	if id == "" {
		return answer{status: 200, body: map[string]any{
			"schemas": []any{listResponse}, "totalResults": len(list), "itemsPerPage": len(list), "startIndex": 1, "Resources": list,
		}}
	}
	for _, e := range list {
		if e.(map[string]any)["id"] == id {
			return answer{status: 200, body: e}
		}
	}
	return refuse(404, "", "there is no %s %s", what, id).answer()
}

func (s *Server) provider(c *call) map[string]any {
	supported := func(yes bool) map[string]any { return map[string]any{"supported": yes} }
	out := map[string]any{
		"schemas":        []any{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":          supported(!c.has(PatchUnsupported) && !c.has(DiscoveryLies)),
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": !c.has(DiscoveryLies), "maxResults": s.options.PageSize},
		"changePassword": supported(true),
		"sort":           supported(false),
		"etag":           supported(s.options.ETags),
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "Authentication by a bearer token",
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": "http://" + c.r.Host + s.options.Base + "/ServiceProviderConfig"},
	}
	if p := s.options.Paging; p == "cursor" || p == "both" {
		out["pagination"] = map[string]any{
			"cursor": true, "index": p == "both", "defaultPaginationMethod": map[string]string{"cursor": "cursor", "both": "index"}[p],
			"defaultPageSize": s.options.PageSize, "maxPageSize": s.options.PageSize, "cursorTimeout": 3600,
		}
	}
	return out
}

func resourceType(kind Kind) map[string]any {
	of := schemas[kind]
	out := map[string]any{
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"},
		"id":      of.resource, "name": of.resource, "endpoint": "/" + string(kind), "schema": of.core,
	}
	var extensions []any
	for urn := range of.extensions {
		extensions = append(extensions, map[string]any{"schema": urn, "required": false})
	}
	if extensions != nil {
		out["schemaExtensions"] = extensions
	}
	return out
}

func described(urn string, attributes []attribute) map[string]any {
	return map[string]any{
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:Schema"},
		"id":      urn, "name": urn[len(urn)-4:], "attributes": describe(attributes),
	}
}

func describe(attributes []attribute) []any {
	var out []any
	for _, a := range attributes {
		if a.name == "schemas" || a.name == "meta" {
			continue
		}
		one := map[string]any{
			"name": a.name, "type": a.kind, "multiValued": a.multi, "caseExact": a.exact, "required": a.required,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none",
		}
		if a.readOnly {
			one["mutability"] = "readOnly"
		}
		if a.writeOnly {
			one["mutability"], one["returned"] = "writeOnly", "never"
		}
		if a.unique {
			one["uniqueness"] = "server"
		}
		if a.attributes != nil {
			one["subAttributes"] = describe(a.attributes)
		}
		out = append(out, one)
	}
	return out
}
