package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxNesting is how deep an answer may be: a page, a resource, a list, an entry and
// what extensions add.
const maxNesting = 64

// decode reads one JSON object; numbers stay as they are written. A name that comes
// twice, in whatever case, has no meaning (RFC 8259, 4; RFC 7643, 2.1): nobody can
// say which of two words on active is the true one.
func decode(body []byte) (resource, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	r, is := v.(map[string]any)
	if !is {
		return nil, errors.New("it is no JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document came")
	}
	return r, nil
}

// value is the next one, whole.
func value(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("it is nested more than %d deep", maxNesting)
	}
	switch token {
	case json.Delim('{'):
		return members(d, depth)
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err := d.Token()
		return out, err
	}
	return token, nil
}

func members(d *json.Decoder, depth int) (map[string]any, error) {
	out, seen := map[string]any{}, map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if folded := strings.ToLower(name); seen[folded] {
			return nil, fmt.Errorf("%q comes twice", clean(name))
		} else {
			seen[folded] = true
		}
		if out[name], err = value(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return out, err
}
