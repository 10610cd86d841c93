package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/tomltext"
)

// The schema that is kept is that of the types.
func TestSchemaIsThatOfTheTypes(t *testing.T) {
	text, err := json.MarshalIndent(generate(t, realKinds()), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile("schema.json", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(text, Schema) {
		t.Error("the configuration has other keys now; make the schema anew: go test ./config -run Schema -update")
	}
}

// The schema takes what the program takes, and refuses what it refuses for its form.
func TestSchemaOnFiles(t *testing.T) {
	var schema object
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) []string {
		tree := map[string]any{}
		d := tomltext.Parse("rosterd.toml", []byte(text))
		for _, name := range d.Names() {
			table := map[string]any{}
			d.Bind([]string{name}, &table)
			tree[name] = table
		}
		if p := d.Problems(); p.Broken() {
			t.Fatal(p.Error())
		}
		return wrong(schema, schema, tree, "")
	}
	if w := check(string(text)); len(w) > 0 {
		t.Errorf("the example is refused: %q", w)
	}
	replaced := 0
	for _, c := range []struct{ old, new, at string }{
		{`login    = "uid"`, `logn = "uid"`, "/source/corp/person/logn"},
		{`[role.employee]`, `[roles.employee]`, "/roles"},
		{`kind = "file"`, `kind = "fil"`, "/target/wiki/kind"},
		{`kind = "file"`, `kind = "ldap"`, "/target/wiki/name_attribute"},
		{`kind = "file"`, `nothing = "file"`, "/target/wiki"},
		{`rate = 50`, `rate = "50"`, "/target/wiki/rate"},
		{`requires    = ["employee"]`, `requires = "employee"`, "/role/content-writer/requires"},
		{`vanish_after = "10m"`, `vanish_after = "ten"`, "/source/corp/guard/vanish_after"},
		{`min_people   = "90%"`, `min_people = 90`, "/source/corp/guard/min_people"},
		{`password = { credential = "corp-bind" }`, `password = "secret"`, "/source/corp/password"},
		{`password = { credential = "corp-bind" }`, `password = { value = "secret" }`, "/source/corp/password/value"},
		{`mode = "enforce", empty = "clear" }`, `mode = 1 }`, ""},
		{`max_rename = { count = 5, percent = 5 }`, `max_rename = { count = 5, per_cent = 5 }`, "/target/wiki/guard/max_rename/per_cent"},
		{`displayName = "${person.givenName} ${person.sn}"`, `displayName = 5`, "/target/wiki/attributes/displayName"},
		{`break_glass = `, `breakglass = `, "/target/wiki/account/breakglass"},
	} {
		if !strings.Contains(string(text), c.old) {
			continue
		}
		replaced++
		w := check(strings.Replace(string(text), c.old, c.new, 1))
		if c.at != "" && !slices.ContainsFunc(w, func(x string) bool { return strings.HasPrefix(x, c.at) }) {
			t.Errorf("%s is not refused at %s, but %q", c.new, c.at, w)
		}
	}
	if replaced < 12 {
		t.Errorf("only %d mistakes were tried", replaced)
	}
	if !strings.Contains(string(Schema), "before it: no account") && !strings.Contains(string(Schema), "tried in this order") {
		t.Error("no key says what it is for")
	}
}

// wrong is what of a value a schema refuses, by its place: as much of draft 7 as ours
// uses.
func wrong(root, schema object, v any, at string) (out []string) {
	if ref, is := schema["$ref"].(string); is {
		return wrong(root, root["definitions"].(object)[strings.TrimPrefix(ref, "#/definitions/")].(object), v, at)
	}
	say := func(format string, args ...any) { out = append(out, at+" "+fmt.Sprintf(format, args...)) }
	if want, is := schema["type"].(string); is && !ofType(want, v) {
		say("is no %s", want)
		return out
	}
	if list, is := schema["enum"].([]any); is && !slices.Contains(list, v) {
		say("is none of %v", list)
	}
	if want, is := schema["const"]; is && !reflect.DeepEqual(want, v) {
		say("is not %v", want)
	}
	if p, is := schema["pattern"].(string); is {
		if text, isText := v.(string); isText && !regexp.MustCompile(p).MatchString(text) {
			say("does not match %s", p)
		}
	}
	if list, is := schema["anyOf"].([]any); is {
		if !slices.ContainsFunc(list, func(x any) bool { return len(wrong(root, x.(object), v, at)) == 0 }) {
			say("is none of what may stand here")
		}
	}
	if x, is := schema["not"].(object); is && len(wrong(root, x, v, at)) == 0 {
		say("must not be so")
	}
	for _, x := range listOf(schema["allOf"]) {
		out = append(out, wrong(root, x.(object), v, at)...)
	}
	if x, is := schema["if"].(object); is && len(wrong(root, x, v, at)) == 0 {
		out = append(out, wrong(root, schema["then"].(object), v, at)...)
	}
	switch v := v.(type) {
	case []any:
		if items, is := schema["items"].(object); is {
			for i, x := range v {
				out = append(out, wrong(root, items, x, fmt.Sprintf("%s/%d", at, i))...)
			}
		}
	case map[string]any:
		out = append(out, wrongTable(root, schema, v, at)...)
	}
	return out
}

func wrongTable(root, schema object, v map[string]any, at string) (out []string) {
	properties, _ := schema["properties"].(object)
	for _, key := range listOf(schema["required"]) {
		if _, has := v[key.(string)]; !has {
			out = append(out, at+" lacks "+key.(string))
		}
	}
	if n, is := schema["minProperties"].(float64); is && len(v) < int(n) {
		out = append(out, at+" has too few keys")
	}
	if n, is := schema["maxProperties"].(float64); is && len(v) > int(n) {
		out = append(out, at+" has too many keys")
	}
	for key, x := range v {
		here := at + "/" + key
		if p, is := properties[key].(object); is {
			out = append(out, wrong(root, p, x, here)...)
		} else if more, is := schema["additionalProperties"].(object); is {
			out = append(out, wrong(root, more, x, here)...)
		} else if schema["additionalProperties"] == false {
			out = append(out, here+" is not known")
		}
		if p, is := schema["propertyNames"].(object); is {
			out = append(out, wrong(root, p, key, here)...)
		}
	}
	slices.Sort(out)
	return out
}

func listOf(v any) []any { list, _ := v.([]any); return list }

func ofType(want string, v any) bool {
	switch v.(type) {
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case int64:
		return want == "integer" || want == "number"
	case float64:
		return want == "number"
	case []any:
		return want == "array"
	case map[string]any:
		return want == "object"
	}
	return false
}
