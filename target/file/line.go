package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/rosterd/rosterd/target"
)

// known are the fields of a line that have a meaning here, in the order in
// which they are written. Others are kept as they are.
var known = []string{"id", "name", "active", "attributes", "entitlements", "mark"}

// parseLine reads one account, and the fields that it does not know.
func parseLine(line []byte) (a target.Account, other map[string]json.RawMessage, err error) {
	if !utf8.Valid(line) {
		return a, nil, errors.New("it is not UTF-8")
	}
	fields, err := object(line)
	if err != nil {
		return a, nil, err
	}
	a = target.Account{Enabled: true, Attributes: map[string][]string{}}
	var id string
	var attributes json.RawMessage
	for _, f := range []struct {
		name string
		into any
	}{{"id", &id}, {"name", &a.Name}, {"active", &a.Enabled}, {"entitlements", &a.Entitlements}, {"mark", &a.Mark}, {"attributes", &attributes}} {
		if raw, ok := fields[f.name]; ok {
			if string(raw) == "null" {
				if f.name == "id" || f.name == "name" || f.name == "active" {
					return a, nil, fmt.Errorf("%q is null", f.name)
				}
				continue
			}
			if err := json.Unmarshal(raw, f.into); err != nil {
				return a, nil, fmt.Errorf("read %q: %w", f.name, err)
			}
		}
	}
	a.ID = target.NativeID(id)
	switch {
	case id == "":
		return a, nil, errors.New(`"id" is missing or empty`)
	case a.Name == "":
		return a, nil, errors.New(`"name" is missing or empty`)
	}
	if len(attributes) > 0 {
		list, err := object(attributes)
		if err != nil {
			return a, nil, fmt.Errorf(`read "attributes": %w`, err)
		}
		for name, raw := range list {
			values, err := texts(raw)
			if err != nil {
				return a, nil, fmt.Errorf("read the attribute %q: %w", name, err)
			}
			if len(values) > 0 {
				a.Attributes[name] = values
			}
		}
	}
	slices.Sort(a.Entitlements)
	a.Entitlements = slices.Compact(a.Entitlements)
	for _, k := range known {
		delete(fields, k)
	}
	return a, fields, nil
}

// object reads a JSON object. A key that occurs twice is an error: it would
// lose one of its values at the next write.
func object(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	first, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("read a JSON object: %w", err)
	}
	if first != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a JSON object: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("read a JSON object: %w", err)
		}
		name := key.(string) // the decoder admits nothing else as a key
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("the key %q occurs twice", name)
		}
		out[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("read a JSON object: %w", err)
	}
	if len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
		return nil, errors.New("something follows the JSON object")
	}
	return out, nil
}

// texts reads a list of texts, or one text.
func texts(raw json.RawMessage) ([]string, error) {
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		return []string{s}, err
	}
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	var out []string
	for _, s := range list {
		if s == nil {
			return nil, errors.New("a value is null")
		}
		if !slices.Contains(out, *s) {
			out = append(out, *s)
		}
	}
	return out, nil
}

// formatLine writes one account, the fields in their order and then the
// unknown ones sorted by name, with the line feed.
func formatLine(a *target.Account, other map[string]json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	put := func(name string, value any) error {
		if out.Len() == 0 {
			out.WriteByte('{')
		} else {
			out.WriteByte(',')
		}
		if err := e.Encode(name); err != nil {
			return err
		}
		out.Truncate(out.Len() - 1) // the encoder's line feed
		out.WriteByte(':')
		if err := e.Encode(value); err != nil {
			return err
		}
		out.Truncate(out.Len() - 1)
		return nil
	}
	entitlements, attributes := a.Entitlements, a.Attributes
	if entitlements == nil {
		entitlements = []string{}
	}
	if attributes == nil {
		attributes = map[string][]string{}
	}
	values := []any{string(a.ID), a.Name, a.Enabled, attributes, entitlements, a.Mark}
	for i, name := range known {
		if name == "mark" && a.Mark == "" {
			continue
		}
		if err := put(name, values[i]); err != nil {
			return nil, fmt.Errorf("write account %q: %w", a.Name, err)
		}
	}
	names := make([]string, 0, len(other))
	for name := range other {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := put(name, other[name]); err != nil {
			return nil, fmt.Errorf("write account %q: %w", a.Name, err)
		}
	}
	out.WriteString("}\n")
	return out.Bytes(), nil
}
