package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/mapping"
	targetldap "github.com/rosterd/rosterd/target/ldap"
)

// object is a piece of a schema.
type object = map[string]any

// forms are the types that read themselves, with what they take.
var forms = map[reflect.Type]object{
	reflect.TypeFor[span.Duration](): {"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w|y))+$`},
	reflect.TypeFor[Percent]():       {"type": "string", "pattern": `^[0-9]+(\.[0-9]+)?%$`},
	reflect.TypeFor[mapping.Texts](): {"anyOf": []any{object{"type": "string"}, object{"type": "array", "items": object{"type": "string"}}}},
	reflect.TypeFor[mapping.Date]():  {"type": "string"},
	reflect.TypeFor[secret.Secret](): {"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
		"properties": object{"credential": object{"type": "string"}, "file": object{"type": "string"}, "env": object{"type": "string"}}},
	reflect.TypeFor[targetldap.Disable](): {"anyOf": []any{
		object{"type": "string", "enum": []any{"nsAccountLock", "ppolicy"}},
		object{"type": "object", "additionalProperties": false,
			"properties": object{"attribute": object{"type": "string"}, "disabled": object{"type": "string"}, "enabled": object{"type": "string"}, "move_to": object{"type": "string"}}},
	}},
	reflect.TypeFor[mapping.Attributes](): {"type": "object", "additionalProperties": object{"$ref": "#/definitions/attribute"}},
}

// attribute is a rule for an attribute, or a step of a dotted name.
var attribute = object{"anyOf": []any{
	object{"type": "string"},
	object{"type": "object", "required": []any{"from"}, "properties": object{"mode": object{"enum": anys(modes)}, "empty": object{"enum": anys(empties)}}},
	object{"type": "object", "not": object{"anyOf": []any{object{"required": []any{"from"}}, object{"required": []any{"mode"}}, object{"required": []any{"empty"}}}},
		"minProperties": 1, "additionalProperties": object{"$ref": "#/definitions/attribute"}},
}}

// reader is what reads itself from TOML.
type reader interface{ UnmarshalTOML(any) error }

// schemaOf is what a value of the type may be in the file.
func schemaOf(t testing.TB, of reflect.Type) object {
	if f, has := forms[of]; has {
		return maps.Clone(f)
	}
	if reflect.PointerTo(of).Implements(reflect.TypeFor[reader]()) && of.Kind() != reflect.Pointer {
		t.Errorf("say in forms what a %s takes", of)
		return object{}
	}
	switch of.Kind() {
	case reflect.Pointer:
		return schemaOf(t, of.Elem())
	case reflect.Struct:
		properties := object{}
		addFields(t, of, properties)
		return closed(properties)
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t, of.Elem())}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t, of.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Uint:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	}
	t.Errorf("a %s has no schema", of)
	return object{}
}

func closed(properties object) object {
	return object{"type": "object", "additionalProperties": false, "properties": properties}
}

// addFields adds the keys of a struct. What has a key already takes both: they are
// bound together.
func addFields(t testing.TB, of reflect.Type, properties object) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	for i := range of.NumField() {
		f := of.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case f.Anonymous && tag == "":
			addFields(t, f.Type, properties)
		case f.IsExported() && tag != "" && tag != "-":
			made := schemaOf(t, f.Type)
			if old, has := properties[tag].(object); has {
				made = both(old, made)
			}
			properties[tag] = made
		}
	}
}

// both is one table that two types read.
func both(a, b object) object {
	pa, isA := a["properties"].(object)
	pb, isB := b["properties"].(object)
	if !isA || !isB {
		return a
	}
	out := maps.Clone(pa)
	for name, x := range pb {
		if old, has := out[name].(object); has {
			out[name] = both(old, x.(object))
			continue
		}
		out[name] = x
	}
	return closed(out)
}

// kindsOf is a table of which the key kind says what else may stand there.
func kindsOf(t testing.TB, kinds map[string]Kind, usual string, common ...reflect.Type) object {
	shared := object{}
	for _, c := range common {
		addFields(t, c, shared)
	}
	all := maps.Clone(shared)
	var choices []any
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		own := maps.Clone(shared)
		addFields(t, reflect.TypeOf(kinds[name].New()), own)
		for key, x := range own {
			if _, has := all[key]; !has {
				all[key] = x
			} else if old, is := all[key].(object); is {
				all[key] = both(old, x.(object))
			}
		}
		is := object{"properties": object{"kind": object{"const": name}}}
		if name != usual {
			is["required"] = []any{"kind"}
		}
		choices = append(choices, object{"if": is, "then": object{"propertyNames": object{"enum": names(own)}}})
	}
	all["kind"] = object{"enum": names(kinds)}
	out := closed(all)
	out["allOf"] = choices
	if usual == "" {
		out["required"] = []any{"kind"}
	}
	return object{"type": "object", "additionalProperties": out}
}

func names[V any](m map[string]V) (out []any) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, name)
	}
	return out
}

// generate makes the schema of a configuration.
func generate(t testing.TB, kinds Kinds) object {
	top := object{
		"schedule": schemaOf(t, reflect.TypeFor[scheduleTable]()),
		"state":    schemaOf(t, reflect.TypeFor[State]()),
		"control":  schemaOf(t, reflect.TypeFor[Control]()),
		"source":   kindsOf(t, kinds.Sources, DefaultKind, reflect.TypeFor[sourceTable]()),
		"target":   kindsOf(t, kinds.Targets, "", reflect.TypeFor[targetTable](), reflect.TypeFor[mapping.Target]()),
	}
	addFields(t, reflect.TypeFor[mapping.Config](), top)
	for _, name := range tables {
		if _, has := top[name]; !has {
			top[name] = object{"type": "object"}
		}
	}
	out := closed(top)
	out["$schema"] = "http://json-schema.org/draft-07/schema#"
	out["title"] = "The configuration of rosterd"
	out["definitions"] = object{"attribute": attribute}
	addWords(t, out)
	comments(t, out)
	return out
}

// comments gives keys the words that stand behind them in the example.
func comments(t testing.TB, schema object) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	head := regexp.MustCompile(`^#? ?\[([a-z_.-]+)\]`)
	line := regexp.MustCompile(`^(?:# )?([a-z_]+) *= [^#]*(?:"[^"]*"[^#]*)*  *# (.+)$`)
	var at []string
	for l := range strings.Lines(string(text)) {
		l = strings.TrimRight(l, "\n")
		if m := head.FindStringSubmatch(l); m != nil {
			at = strings.Split(m[1], ".")
		} else if m := line.FindStringSubmatch(l); m != nil {
			describe(schema, append(slices.Clone(at), m[1]), m[2])
		}
	}
}

func describe(schema object, path []string, text string) {
	for i, step := range path {
		properties, _ := schema["properties"].(object)
		next, has := properties[step].(object)
		if !has {
			next, has = schema["additionalProperties"].(object)
		}
		if !has || next["$ref"] != nil {
			return
		}
		schema = next
		if i == len(path)-1 && schema["description"] == nil {
			schema["description"] = text
		}
	}
}
