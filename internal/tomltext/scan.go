package tomltext

import (
	"errors"
	"strconv"
	"strings"
)

// place is where a key and its value stand, as byte offsets. A table has no
// value: value is -1.
type place struct {
	key, keyEnd     int
	value, valueEnd int
	// explicit: not only implied by a longer key.
	explicit bool
}

// pathKey is a path as one text, without ambiguity whatever the names hold.
func pathKey(path []string) string {
	var out strings.Builder
	for _, name := range path {
		out.WriteString(strconv.Itoa(len(name)))
		out.WriteByte(':')
		out.WriteString(name)
	}
	return out.String()
}

// scanner finds the places of keys in a text that is known to be TOML. It need
// not find mistakes, only never be misled: the tests hold it to the real parser.
type scanner struct {
	text   string
	at     int
	places map[string]place
	// lists are the arrays of tables, with the index of the last one.
	lists map[string]int
}

var errLost = errors.New("find the places of keys: the text is not TOML")

// scan returns the places of all keys, by pathKey. The items of a list stand
// under their index. After an error the places up to there are right.
func scan(text string) (map[string]place, error) {
	s := &scanner{text: text, places: map[string]place{}, lists: map[string]int{}}
	return s.places, s.document()
}

func (s *scanner) document() error {
	var table []string
	for {
		s.blanks()
		if s.at >= len(s.text) {
			return nil
		}
		if s.text[s.at] != '[' {
			if err := s.pair(table); err != nil {
				return err
			}
			continue
		}
		var err error
		if table, err = s.header(); err != nil {
			return err
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table, with the
// index where it runs through an array of tables.
func (s *scanner) header() ([]string, error) {
	list := strings.HasPrefix(s.text[s.at:], "[[")
	s.at++
	if list {
		s.at++
	}
	parts, err := s.keys()
	if err != nil {
		return nil, err
	}
	if s.at >= len(s.text) || s.text[s.at] != ']' {
		return nil, errLost
	}
	s.at++
	if list {
		s.at++
	}
	var path []string
	for i, part := range parts {
		path = append(path, part.name)
		last := i == len(parts)-1
		s.mark(path, place{part.start, part.end, -1, -1, last})
		id := pathKey(path)
		index, inList := s.lists[id]
		switch {
		case last && list:
			if inList {
				index++
			}
			s.lists[id] = index
		case !inList:
			continue
		}
		path = append(path, strconv.Itoa(index))
		s.mark(path, place{part.start, part.end, -1, -1, last})
	}
	return path, nil
}

// mark keeps the first place of a path, and prefers the one that defines it.
func (s *scanner) mark(path []string, p place) {
	id := pathKey(path)
	if old, ok := s.places[id]; !ok || p.explicit && !old.explicit {
		s.places[id] = p
	}
}

// pair reads key = value.
func (s *scanner) pair(table []string) error {
	parts, err := s.keys()
	if err != nil {
		return err
	}
	if s.at >= len(s.text) || s.text[s.at] != '=' {
		return errLost
	}
	s.at++
	s.spaces()
	path := append([]string(nil), table...)
	for i, part := range parts {
		path = append(path, part.name)
		if i < len(parts)-1 {
			s.mark(path, place{part.start, part.end, -1, -1, false})
		}
	}
	last := parts[len(parts)-1]
	return s.value(path, last.start, last.end)
}

// part is one name of a dotted key.
type part struct {
	name       string
	start, end int
}

func (s *scanner) keys() ([]part, error) {
	var parts []part
	for {
		s.spaces()
		start := s.at
		if start >= len(s.text) {
			return nil, errLost
		}
		if c := s.text[start]; c == '"' || c == '\'' {
			if err := s.quoted(); err != nil {
				return nil, err
			}
			name, _ := unquote(s.text[start:s.at])
			parts = append(parts, part{name, start, s.at})
		} else {
			for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n.=]#\"'", rune(s.text[s.at])) {
				s.at++
			}
			if s.at == start {
				return nil, errLost
			}
			parts = append(parts, part{s.text[start:s.at], start, s.at})
		}
		s.spaces()
		if s.at >= len(s.text) || s.text[s.at] != '.' {
			return parts, nil
		}
		s.at++
	}
}

// value reads a value, marks it with the place of its key, and what is in it
// too.
func (s *scanner) value(path []string, key, keyEnd int) error {
	if s.at >= len(s.text) {
		return errLost
	}
	start := s.at
	var err error
	switch s.text[start] {
	case '"', '\'':
		err = s.quoted()
	case '[':
		err = s.list(path)
	case '{':
		err = s.inline(path)
	default:
		for s.at < len(s.text) && !strings.ContainsRune(",]}#\r\n", rune(s.text[s.at])) {
			s.at++
		}
		for s.at > start && (s.text[s.at-1] == ' ' || s.text[s.at-1] == '\t') {
			s.at--
		}
		if s.at == start {
			err = errLost
		}
	}
	s.mark(path, place{key, keyEnd, start, s.at, true})
	return err
}

func (s *scanner) list(path []string) error {
	s.at++
	for i := 0; ; i++ {
		s.blanks()
		if s.at >= len(s.text) {
			return errLost
		}
		if s.text[s.at] == ']' {
			s.at++
			return nil
		}
		item := append(append([]string(nil), path...), strconv.Itoa(i))
		if err := s.value(item, s.at, s.at); err != nil {
			return err
		}
		s.comma()
	}
}

func (s *scanner) inline(path []string) error {
	s.at++
	for {
		s.blanks()
		if s.at >= len(s.text) {
			return errLost
		}
		if s.text[s.at] == '}' {
			s.at++
			return nil
		}
		if err := s.pair(path); err != nil {
			return err
		}
		s.comma()
	}
}

func (s *scanner) comma() {
	s.blanks()
	if s.at < len(s.text) && s.text[s.at] == ',' {
		s.at++
	}
}

// quoted passes over a text in any of the four kinds of quotes.
func (s *scanner) quoted() error {
	quote := s.text[s.at]
	long := strings.Repeat(string(quote), 3)
	end := string(quote)
	if strings.HasPrefix(s.text[s.at:], long) {
		end = long
	}
	for s.at += len(end); s.at < len(s.text); s.at++ {
		switch {
		case quote == '"' && s.text[s.at] == '\\':
			s.at++
		case strings.HasPrefix(s.text[s.at:], end):
			s.at += len(end)
			// Up to two quotes may stand right before the closing three.
			for i := 0; end == long && i < 2 && s.at < len(s.text) && s.text[s.at] == quote; i++ {
				s.at++
			}
			return nil
		}
	}
	s.at = len(s.text)
	return errLost
}

func (s *scanner) spaces() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
		s.at++
	}
}

// blanks passes over spaces, line ends and comments.
func (s *scanner) blanks() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		case '#':
			end := strings.IndexByte(s.text[s.at:], '\n')
			if end < 0 {
				end = len(s.text) - s.at
			}
			s.at += end
		default:
			return
		}
	}
}
