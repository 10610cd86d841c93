package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// attributeWords are reserved in a table under attributes.
var attributeWords = []string{"empty", "from", "mode", "otherwise", "reserve"}

// UnmarshalTOML reads the table of attributes. It never fails: what is wrong
// with it is reported by Compile, with everything else.
func (a *Attributes) UnmarshalTOML(data any) error {
	out := Attributes{}
	table, ok := data.(map[string]any)
	if !ok {
		out[""] = AttributeRule{path: []string{}, wrong: []malformed{{
			path: []string{}, message: "attributes is not a table",
			hint: `write [target.NAME.attributes] and below it lines such as displayName = "${person.cn}"`,
		}}}
	}
	out.add(nil, table)
	*a = out
	return nil
}

func (a Attributes) add(path []string, table map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(table)) {
		at := append(slices.Clone(path), key)
		switch v := table[key].(type) {
		case string:
			a.put(AttributeRule{From: v, path: at})
		case map[string]any:
			if isRule(v) {
				a.put(readRule(at, v))
				continue
			}
			if len(v) == 0 {
				a.put(AttributeRule{path: at, wrong: []malformed{{path: at, message: "the table is empty"}}})
				continue
			}
			a.add(at, v)
		default:
			a.put(AttributeRule{path: at, wrong: []malformed{{
				path: at, message: fmt.Sprintf("expected a text or a table, found %s", tomlKind(v)),
				hint: `write the value in quotes; a list comes from "${values(person.NAME)}"`,
			}}})
		}
	}
}

// put keeps a rule under its flattened name. Two keys that flatten to one name
// are a mistake of the second, in the order of their paths.
func (a Attributes) put(r AttributeRule) {
	name := strings.Join(r.path, ".")
	if old, twice := a[name]; twice {
		old.wrong = append(old.wrong, malformed{path: r.path, message: fmt.Sprintf("the attribute %q has a rule already", name)})
		a[name] = old
		return
	}
	a[name] = r
}

// isRule says whether a table is a rule, and not a step of a dotted name.
func isRule(table map[string]any) bool {
	for _, w := range attributeWords {
		if _, ok := table[w]; ok {
			return true
		}
	}
	return false
}

func readRule(path []string, table map[string]any) AttributeRule {
	r := AttributeRule{path: path, table: true}
	fail := func(key, message, hint string) {
		at := path
		if key != "" {
			at = append(slices.Clone(path), key)
		}
		r.wrong = append(r.wrong, malformed{path: at, message: message, hint: hint})
	}
	if _, ok := table["from"]; !ok {
		fail("", "the key from is missing", `from = "${person.NAME}" says what the value is`)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		text, isText := table[key].(string)
		switch {
		case !slices.Contains(attributeWords, key):
			fail(key, fmt.Sprintf("unknown key %q in a rule for an attribute", key), didYouMean(key, attributeWords))
		case !isText:
			fail(key, fmt.Sprintf("expected a text, found %s", tomlKind(table[key])), "")
		case key == "from":
			r.From = text
		case key == "mode":
			r.Mode = text
		case key == "empty":
			r.Empty = text
		case key == "otherwise":
			r.Otherwise = text
		case key == "reserve":
			r.Reserve = text
		}
	}
	return r
}

// tomlKind is the kind of a decoded value in words.
func tomlKind(v any) string {
	switch v.(type) {
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	case string:
		return "a text"
	}
	return "a date"
}
