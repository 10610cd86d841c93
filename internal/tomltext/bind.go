package tomltext

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
)

// Bind fills structs from the table at a path. Each of them takes the keys that
// it has a toml tag for; a key that none of them takes is a problem. What cannot
// be taken is reported and left as it was, so set defaults before. A missing
// table fills nothing.
//
// It panics if it is handed what is no pointer to a struct or map.
func (d *Document) Bind(path []string, into ...any) {
	value, ok := d.lookup(path)
	if !ok {
		return
	}
	targets := make([]reflect.Value, len(into))
	for i, target := range into {
		targets[i] = reflect.ValueOf(target).Elem()
	}
	table, ok := value.(map[string]any)
	if !ok {
		d.complain(path, fmt.Sprintf("must be a table, not %s", kindOf(value)), "write ["+dotted(path)+"] and its keys below")
		return
	}
	d.table(path, table, targets)
}

// complain reports a problem of binding; later ones of the same key, or below
// it, are its consequences and not reported.
func (d *Document) complain(path []string, message, hint string) {
	d.Report(problem.Problem{Path: path, Offset: -1, Message: message, Hint: hint})
	d.known[pathKey(path)] = true
}

// Unknown reports a key that does not exist, with the one that was meant.
func (d *Document) Unknown(path []string, known []string) {
	name, table := path[len(path)-1], path[:len(path)-1]
	meant := Suggest(name, known)
	message, hint := "unknown key", ""
	switch {
	case meant == "":
		hint = "known here: " + strings.Join(known, ", ")
	case strings.EqualFold(meant, name):
		message, hint = "unknown key (the case of letters counts)", "write "+meant
	default:
		hint = "did you mean " + meant + "?"
	}
	if o := d.of(path); o.has(path) {
		p, _ := o.place(path)
		o.add(p.key, p.keyEnd-p.key, Problem{Key: dotted(path), Message: message, Hint: hint})
	} else {
		d.Report(problem.Problem{Path: path, Offset: -1, Message: message, Hint: hint})
	}
	d.known[pathKey(path)] = true
	if meant != "" {
		// That the right key is missing then need not be said.
		if meant := append(slices.Clone(table), meant); !d.Has(meant...) {
			d.known[pathKey(meant)] = true
		}
	}
}

// table binds each key to every target that has it.
func (d *Document) table(path []string, table map[string]any, targets []reflect.Value) {
	fields := make([]map[string]reflect.Value, len(targets))
	var known []string
	for i, target := range targets {
		if target.Kind() == reflect.Struct {
			fields[i] = map[string]reflect.Value{}
			collect(target, fields[i])
			for name := range fields[i] {
				known = append(known, name)
			}
		}
	}
	known = sorted(known)
	for _, name := range sortedKeys(table) {
		at := append(slices.Clone(path), name)
		var takers []reflect.Value
		var done []func()
		for i, target := range targets {
			if target.Kind() == reflect.Map {
				element := reflect.New(target.Type().Elem()).Elem()
				takers = append(takers, element)
				done = append(done, func() { insert(target, name, element) })
			} else if field, ok := fields[i][name]; ok {
				takers = append(takers, field)
			}
		}
		if takers == nil {
			d.Unknown(at, known)
			continue
		}
		d.values(at, table[name], takers)
		for _, f := range done {
			f()
		}
	}
}

// insert adds an element to a map of which the keys are texts.
func insert(target reflect.Value, name string, element reflect.Value) {
	if target.IsNil() {
		target.Set(reflect.MakeMap(target.Type()))
	}
	target.SetMapIndex(reflect.ValueOf(name).Convert(target.Type().Key()), element)
}

// collect finds the fields of a struct by their keys.
func collect(target reflect.Value, fields map[string]reflect.Value) {
	for i := range target.NumField() {
		field := target.Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		switch {
		case field.Anonymous && tag == "" && field.Type.Kind() == reflect.Struct:
			collect(target.Field(i), fields)
		case field.IsExported() && tag != "" && tag != "-":
			fields[tag] = target.Field(i)
		}
	}
}

// values binds one value to all that take it. Tables are bound together, so that
// each may know a part of the keys.
func (d *Document) values(path []string, value any, takers []reflect.Value) {
	table, isTable := value.(map[string]any)
	var together []reflect.Value
	for _, taker := range takers {
		for taker.Kind() == reflect.Pointer {
			if taker.IsNil() {
				taker.Set(reflect.New(taker.Type().Elem()))
			}
			taker = taker.Elem()
		}
		if isTable && !decodes(taker) && (taker.Kind() == reflect.Struct || taker.Kind() == reflect.Map) {
			together = append(together, taker)
			continue
		}
		d.value(path, value, taker)
	}
	if together != nil {
		d.table(path, table, together)
	}
}

var (
	unmarshaler = reflect.TypeFor[toml.Unmarshaler]()
	secretType  = reflect.TypeFor[secret.Secret]()
)

// decodes says whether the type reads TOML itself.
func decodes(taker reflect.Value) bool {
	return reflect.PointerTo(taker.Type()).Implements(unmarshaler)
}

func (d *Document) value(path []string, value any, taker reflect.Value) {
	if taker.Type() == secretType {
		o := d.of(path)
		if p, ok := o.place(path); ok && p.value >= 0 && o.text[p.value] != '{' {
			o.hidden = append(o.hidden, p)
		}
	}
	if u, ok := taker.Addr().Interface().(toml.Unmarshaler); ok {
		d.failed(path, u.UnmarshalTOML(value))
		return
	}
	d.plain(path, value, taker)
}

// failed reports what a type said about its value.
func (d *Document) failed(path []string, err error) {
	if err == nil {
		return
	}
	var hinted interface{ Hint() string }
	hint := ""
	if errors.As(err, &hinted) {
		hint = hinted.Hint()
	}
	// An error may name a key below the one that was bound.
	var inner interface{ Path() []string }
	if errors.As(err, &inner) {
		path = append(slices.Clone(path), inner.Path()...)
	}
	d.complain(path, err.Error(), hint)
}

// plain binds to the kinds of Go that need no help.
func (d *Document) plain(path []string, value any, taker reflect.Value) {
	switch taker.Kind() {
	case reflect.String:
		if text, ok := value.(string); ok {
			taker.SetString(text)
			return
		}
		d.mismatch(path, value, "a text")
	case reflect.Bool:
		if yes, ok := value.(bool); ok {
			taker.SetBool(yes)
			return
		}
		d.mismatch(path, value, "true or false")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		switch number, ok := value.(int64); {
		case !ok:
			d.mismatch(path, value, "a whole number")
		case taker.OverflowInt(number):
			d.complain(path, "the number is too large", "write a smaller one")
		default:
			taker.SetInt(number)
		}
	case reflect.Float32, reflect.Float64:
		switch number := value.(type) {
		case int64:
			taker.SetFloat(float64(number))
		case float64:
			if math.IsNaN(number) || math.IsInf(number, 0) {
				d.complain(path, "must be a number that can be counted to", "write digits, without quotes")
				return
			}
			taker.SetFloat(number)
		default:
			d.mismatch(path, value, "a number")
		}
	case reflect.Slice:
		d.list(path, value, taker)
	case reflect.Interface:
		taker.Set(reflect.ValueOf(value))
	case reflect.Struct, reflect.Map:
		d.complain(path, fmt.Sprintf("must be a table, not %s", kindOf(value)), "write ["+dotted(path)+"] and its keys below, or { key = … }")
	default:
		panic(fmt.Sprintf("tomltext: cannot bind %s to %s", dotted(path), taker.Type()))
	}
}

func (d *Document) list(path []string, value any, taker reflect.Value) {
	var items []any
	switch list := value.(type) {
	case []any:
		items = list
	case []map[string]any:
		for _, table := range list {
			items = append(items, table)
		}
	case string:
		d.complain(path, "must be a list, not a text", "put it in brackets: ["+strconv.Quote(list)+"]")
		return
	default:
		d.mismatch(path, value, "a list")
		return
	}
	out := reflect.MakeSlice(taker.Type(), len(items), len(items))
	before := len(d.problems)
	for i, item := range items {
		d.values(append(slices.Clone(path), strconv.Itoa(i)), item, []reflect.Value{out.Index(i)})
	}
	if len(d.problems) > before {
		// What is then wrong with the list is a consequence.
		d.known[pathKey(path)] = true
	}
	taker.Set(out)
}

// mismatch reports a value of another kind than is wanted.
func (d *Document) mismatch(path []string, value any, want string) {
	hint := map[string]string{
		"a text":         `put it in quotes, such as "text"`,
		"true or false":  "write true or false, without quotes",
		"a whole number": "write digits, without quotes and without a point",
		"a number":       "write digits, without quotes",
		"a list":         `write it in brackets, such as ["a", "b"]`,
	}[want]
	d.complain(path, fmt.Sprintf("must be %s, not %s", want, kindOf(value)), hint)
}

// kindOf says what a value is, in the words of the file.
func kindOf(value any) string {
	switch value := value.(type) {
	case string:
		return "a text"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a point"
	case bool:
		return strconv.FormatBool(value)
	case time.Time:
		return "a date or time"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "a list of tables ([[…]])"
	}
	return "a list"
}

func sorted(words []string) []string {
	seen := map[string]any{}
	for _, word := range words {
		seen[word] = nil
	}
	return sortedKeys(seen)
}
