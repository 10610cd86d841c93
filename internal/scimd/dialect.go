package scimd

import (
	"net/http"
	"strings"
)

// dialect refuses and rewrites a body, where a mode asks for another form than
// the RFC's.
func (c *call) dialect() *refusal {
	if err := c.flag(c.body); err != nil {
		return err
	}
	if c.has(ExternalIDRefused) && c.body["externalId"] != nil {
		return refuse(400, "invalidSyntax", "externalId is not known")
	}
	if c.has(UnknownRefused) && c.body[EnterpriseUser] != nil {
		return refuse(400, "invalidSyntax", "%s is not known", EnterpriseUser)
	}
	if c.Method == http.MethodPut && c.has(PutDropsUnknown) {
		delete(c.body, EnterpriseUser)
	}
	if c.Method != http.MethodPatch {
		return nil
	}
	list, _ := c.body["Operations"].([]any)
	for _, e := range list {
		o, ok := e.(map[string]any)
		if !ok {
			continue
		}
		if err := c.operationDialect(o); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) operationDialect(o map[string]any) *refusal {
	path, _ := o["path"].(string)
	name, _ := o["op"].(string)
	value, _ := o["value"].(map[string]any)
	user := c.kind == Users
	switch {
	case user && path != "" && c.has(PatchNeedsNoPath), strings.EqualFold(path, "active") && c.has(ActiveNeedsNoPath),
		user && strings.Contains(path, "[") && c.has(PatchNoFilter):
		return refuse(400, "invalidPath", "path %q is not known", path)
	case c.has(PatchCapitalOps) && name != "Add" && name != "Replace" && name != "Remove":
		return refuse(400, "invalidSyntax", "there is no operation %q", name)
	case c.has(ExternalIDRefused) && (strings.EqualFold(path, "externalId") || value["externalId"] != nil):
		return refuse(400, "invalidPath", "externalId is not known")
	case c.has(UnknownRefused) && (strings.HasPrefix(path, EnterpriseUser) || value[EnterpriseUser] != nil):
		return refuse(400, "invalidPath", "%s is not known", EnterpriseUser)
	}
	if strings.EqualFold(path, "active") {
		one := map[string]any{"active": o["value"]}
		if err := c.flag(one); err != nil {
			return err
		}
		o["value"] = one["active"]
		return nil
	}
	return c.flag(value)
}

// flag reads active in an object in the dialect of the server.
func (c *call) flag(object map[string]any) *refusal {
	switch v := object["active"].(type) {
	case bool:
		if c.has(ActiveNeedsText) {
			return refuse(400, "invalidValue", "active must be a text")
		}
	case string:
		if c.has(ActiveNeedsText) || c.has(ActiveAsText) {
			object["active"] = strings.EqualFold(v, "true")
		}
	}
	return nil
}

// dropped takes operations on an attribute out of a PATCH.
func dropped(list []operation, name string) []operation {
	var out []operation
	for _, o := range list {
		if strings.EqualFold(o.path, name) {
			continue
		}
		if value, ok := o.value.(map[string]any); ok && o.path == "" {
			delete(value, name)
		}
		out = append(out, o)
	}
	return out
}

// wanted says what the operations want an attribute to be; nil where they do not
// name it.
func wanted(list []operation, name string) any {
	var out any
	for _, o := range list {
		if strings.EqualFold(o.path, name) {
			out = o.value
		}
		if value, ok := o.value.(map[string]any); ok && o.path == "" && value[name] != nil {
			out = value[name]
		}
	}
	return out
}
