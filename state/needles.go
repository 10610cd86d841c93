package state

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rosterd/rosterd/state/journal"
)

// needles finds the names of people in texts: whole words, in any case.
type needles struct {
	// byWord has the names by their first word.
	byWord map[string][]string
	// escaped: the texts are JSON as it is written.
	escaped bool
}

// shortest is how many bytes a name must have to be looked for: a shorter one is
// a word of too many texts.
const shortest = 3

func newNeedles(names []string, escaped bool) *needles {
	n := &needles{byWord: map[string][]string{}, escaped: escaped}
	for _, name := range names {
		name = strings.ToLower(name)
		if escaped {
			text, err := journal.Plain(name)
			if err != nil {
				continue
			}
			name = strings.Trim(string(text), `"`)
		}
		start, end := n.word(name, 0)
		last := end
		for s, e := start, end; s < e; s, e = n.word(name, e) {
			last = e
		}
		if last-start < shortest {
			continue
		}
		first := name[start:end]
		name = name[start:last]
		if !slices.Contains(n.byWord[first], name) {
			n.byWord[first] = append(n.byWord[first], name)
		}
	}
	for _, list := range n.byWord { // the longest first
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return n
}

// word finds the next run of letters and digits at or after a place; start is
// end where there is none.
func (n *needles) word(text string, at int) (start, end int) {
	start = -1
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if n.escaped && r == '\\' && at+1 < len(text) {
			if start >= 0 {
				return start, at
			}
			// \n and the like are no words; the longest is \u0000.
			if at += 2; text[at-1] == 'u' {
				at = min(at+4, len(text))
			}
			continue
		}
		if within(r) {
			if start < 0 {
				start = at
			}
		} else if start >= 0 {
			return start, at
		}
		at += size
	}
	if start < 0 {
		return len(text), len(text)
	}
	return start, len(text)
}

// partOfMore says whether a name at a place is a part of a longer one: "ann" is
// not meant by "ann.lee", "joann" and "ann2".
func (n *needles) partOfMore(text string, start, stop int) bool {
	joins := func(r rune) bool { return strings.ContainsRune("._-@", r) }
	if next, size := utf8.DecodeRuneInString(text[stop:]); stop < len(text) {
		after, _ := utf8.DecodeRuneInString(text[stop+size:])
		if within(next) || joins(next) && stop+size < len(text) && within(after) {
			return true
		}
	}
	if last, size := utf8.DecodeLastRuneInString(text[:start]); start > 0 {
		if n.escaped && start-size >= 2 && text[start-size-2] == '\\' {
			return false // \n and the like
		}
		before, _ := utf8.DecodeLastRuneInString(text[:start-size])
		return joins(last) && start > size && within(before)
	}
	return false
}

func within(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// find returns the first place of a name in a text that is in lower case.
func (n *needles) find(lower string, from int) (start, end int, found bool) {
	for {
		start, end = n.word(lower, from)
		if start == end {
			return 0, 0, false
		}
		for _, name := range n.byWord[lower[start:end]] {
			if !strings.HasPrefix(lower[start:], name) {
				continue
			}
			stop := start + len(name)
			if n.partOfMore(lower, start, stop) {
				continue
			}
			return start, stop, true
		}
		from = end
	}
}

func (n *needles) in(text string) bool {
	if len(n.byWord) == 0 {
		return false
	}
	_, _, found := n.find(strings.ToLower(text), 0)
	return found
}

// inValues says whether a name is in a text of a personal part as it is written.
// The words of its form are nobody's name, and its salt says nothing.
func (n *needles) inValues(data string) bool {
	if !n.in(data) {
		return false
	}
	var part struct {
		Data any `json:"data"`
	}
	if json.Unmarshal([]byte(data), &part) != nil {
		return true
	}
	var found func(any) bool
	found = func(v any) bool {
		switch v := v.(type) {
		case string:
			text, err := journal.Plain(v)
			return err != nil || n.in(string(text))
		case []any:
			return slices.ContainsFunc(v, found)
		case map[string]any:
			for _, v := range v {
				if found(v) {
					return true
				}
			}
		}
		return false
	}
	return found(part.Data)
}

// somebody stands where a name was.
const somebody = "(forgotten)"

// blank replaces the names in a text.
func (n *needles) blank(text string) string {
	if !n.in(text) {
		return text
	}
	// Lower case may be longer or shorter; then all of the text goes.
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		return somebody
	}
	var out strings.Builder
	at := 0
	for {
		start, end, found := n.find(lower, at)
		if !found {
			break
		}
		out.WriteString(text[at:start])
		out.WriteString(somebody)
		at = end
	}
	return out.String() + text[at:]
}

// blankAll replaces the names in texts, and says whether there were any.
func (n *needles) blankAll(texts ...*string) bool {
	changed := false
	for _, t := range texts {
		out := n.blank(*t)
		changed = changed || out != *t
		*t = out
	}
	return changed
}

// blankJSON replaces the names in all texts of a document; nil if there are none.
func (n *needles) blankJSON(doc []byte) []byte {
	if len(n.byWord) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(doc)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	changed := false
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			out := n.blank(v)
			changed = changed || out != v
			return out
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		}
		return v
	}
	if v = walk(v); !changed {
		return nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}
