package tomltext

import "strings"

// maxNesting is how deep tables and lists may lie in each other. No key of a
// configuration lies half as deep, and the parser, which goes down by recursion
// and copies the way at each step, takes minutes for what a few kilobytes can
// nest.
const maxNesting = 32

// tooDeep finds the byte at which a text goes deeper than maxNesting, by brackets
// or by the dots of a key; -1 if it does not. It knows quotes and comments, and
// nothing else of the syntax.
func tooDeep(text string) int {
	depth, dots := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			i = quoteEnd(text, i)
		case '#':
			if end := strings.IndexByte(text[i:], '\n'); end >= 0 {
				i += end - 1
			} else {
				return -1
			}
		case '[', '{':
			depth, dots = depth+1, 0
		case ']', '}':
			depth, dots = max(0, depth-1), 0
		case '.':
			dots++
		case '=', ',', '\n':
			dots = 0
		}
		if depth > maxNesting || dots > maxNesting {
			return min(i, len(text)-1)
		}
	}
	return -1
}

// quoteEnd is the last byte of the quoted text that begins at i. One of a single
// line ends with it, closed or not.
func quoteEnd(text string, i int) int {
	quote := text[i : i+1]
	long := strings.Repeat(quote, 3)
	several := strings.HasPrefix(text[i:], long)
	if several {
		quote, i = long, i+2
	}
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote[0] == '"':
			i++
		case text[i] == '\n' && !several:
			return i
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote) - 1
		}
	}
	return len(text) - 1
}
